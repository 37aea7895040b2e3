#include "text/sentences.h"

#include <array>

#include "base/utf8.h"
#include "text/sentence_rules.h"

namespace albert_fast::text {
namespace {

// Java's String.trim
bool is_trimmed(char c) { return static_cast<std::uint8_t>(c) <= 0x20; }

bool has_wanted_length(std::string_view sentence, const SentenceOptions& options) {
  if (options.min_length == 0 && sentence.size() <= options.max_length) return true;
  const std::size_t units = count_utf16_units(sentence);
  return units >= options.min_length && units <= options.max_length;
}

void add_sentence(std::string_view document, Span span, const SentenceOptions& options,
                  std::vector<Span>& sentences) {
  while (span.begin < span.end && is_trimmed(document[span.begin])) ++span.begin;
  while (span.end > span.begin && is_trimmed(document[span.end - 1])) --span.end;
  if (span.size() > 0 && has_wanted_length(span.of(document), options)) sentences.push_back(span);
}

constexpr std::array<bool, 256> kEvents = [] {
  std::array<bool, 256> table{};
  for (const char c : {'.', ';', MarkedText::kBreak, MarkedText::kOpen, MarkedText::kClose}) {
    table[static_cast<std::uint8_t>(c)] = true;
  }
  return table;
}();

// Where the document is cut. Dots and semicolons that no rule has claimed cut behind themselves. A break
// counts unless a closing mark comes before the next opening one; so a nested protection ends with the inner
// opening mark.
void find_breaks(std::string_view marked, std::vector<std::uint32_t>& breaks) {
  breaks.clear();
  std::size_t certain = 0;  // breaks that no closing mark can undo any more
  std::uint32_t marks = 0;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    const char c = marked[i];
    if (!kEvents[static_cast<std::uint8_t>(c)]) continue;
    const std::uint32_t at = static_cast<std::uint32_t>(i) - marks;
    if (c == '.' || c == ';') {
      breaks.push_back(at + 1);
      continue;
    }
    ++marks;
    if (c == MarkedText::kBreak) breaks.push_back(at);
    if (c == MarkedText::kOpen) certain = breaks.size();
    if (c == MarkedText::kClose) breaks.resize(certain);
  }
}

void rewrite(MarkedText& text, const SentenceOptions& options) {
  if (options.detect_lists) mark_lists(text);
  if (text.contains().dot) {
    claim_number_dots(text);
    mark_abbreviations(text, options.use_abbreviations);
  }
  mark_shouts(text);
  if (text.contains().dot) mark_inner_dots(text);
  protect_enclosed(text);
}

}  // namespace

void detect_sentences(std::string_view document, const SentenceOptions& options, std::vector<Span>& sentences,
                      SentenceScratch& scratch) {
  const auto size = static_cast<std::uint32_t>(document.size());
  scratch.text.assign(document);
  const MarkedText::Contains& contains = scratch.text.contains();
  if (!contains.dot && !contains.shout && !contains.semicolon && !contains.close_paren) {
    return add_sentence(document, {0, size}, options, sentences);
  }
  rewrite(scratch.text, options);
  find_breaks(scratch.text.view(), scratch.breaks);
  std::uint32_t begin = 0;
  for (const std::uint32_t end : scratch.breaks) {
    add_sentence(document, {begin, end}, options, sentences);
    begin = end;
  }
  add_sentence(document, {begin, size}, options, sentences);
  scratch.text.trim();
}

}  // namespace albert_fast::text
