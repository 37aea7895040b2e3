#include "text/sentences.h"

#include <algorithm>
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

// Words between single blanks go into a part as long as it is short enough without the blank before the new
// one. A blank beside a blank is a word of length 0, so a part may begin or end with blanks, as in Spark NLP.
void add_parts(std::string_view document, Span sentence, const SentenceOptions& options,
               std::vector<Span>& sentences) {
  const auto add = [&](Span part) {
    if (part.size() > 0 && has_wanted_length(part.of(document), options)) sentences.push_back(part);
  };
  Span part{sentence.begin, sentence.begin};
  std::size_t length = 0;
  for (std::uint32_t at = sentence.begin; at <= sentence.end;) {
    const std::size_t blank = document.substr(0, sentence.end).find(' ', at);
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(blank, sentence.end));
    const std::size_t word = count_utf16_units(document.substr(at, end - at));
    if (length + word > options.split_length) {
      add(part);
      part.begin = at;
      length = 0;
    }
    part.end = end;
    length += word + 1;
    at = end + 1;
  }
  add(part);
}

void add_sentence(std::string_view document, Span span, const SentenceOptions& options,
                  std::vector<Span>& sentences) {
  while (span.begin < span.end && is_trimmed(document[span.begin])) ++span.begin;
  while (span.end > span.begin && is_trimmed(document[span.end - 1])) --span.end;
  if (span.size() == 0) return;
  if (options.split_length > 0) return add_parts(document, span, options, sentences);
  if (has_wanted_length(span.of(document), options)) sentences.push_back(span);
}

constexpr std::array<bool, 256> kEvents = [] {
  std::array<bool, 256> table{};
  for (const char c :
       {'.', ';', MarkedText::kBreak, MarkedText::kCut, MarkedText::kOpen, MarkedText::kClose}) {
    table[static_cast<std::uint8_t>(c)] = true;
  }
  return table;
}();

// Where the document is cut. Dots and semicolons that no rule has claimed cut behind themselves. A break
// counts unless a closing mark comes before the next opening one; so a nested protection ends with the inner
// opening mark.
void find_breaks(std::string_view marked, std::span<const Cut> cuts, bool use_rules,
                 std::vector<Cut>& breaks) {
  breaks.clear();
  std::size_t certain = 0;  // breaks that no closing mark can undo any more
  std::uint32_t shift = 0;  // from a place in the document to its place among the marks; may wrap below zero
  auto cut = cuts.begin();
  for (std::size_t i = 0; i < marked.size(); ++i) {
    const char c = marked[i];
    if (!kEvents[static_cast<std::uint8_t>(c)]) continue;
    const std::uint32_t at = static_cast<std::uint32_t>(i) - shift;
    if (c == '.' || c == ';') {
      if (use_rules) breaks.push_back({at + 1, at + 1});
      continue;
    }
    ++shift;
    if (c == MarkedText::kBreak) breaks.push_back({at, at});
    if (c == MarkedText::kCut) {
      while (cut->size() == 0) ++cut;
      breaks.push_back(*cut);
      shift -= cut->size();
      ++cut;
    }
    if (c == MarkedText::kOpen) certain = breaks.size();
    if (c == MarkedText::kClose) breaks.resize(certain);
  }
}

void rewrite(MarkedText& text, const SentenceOptions& options) {
  if (options.detect_lists) mark_lists(text);
  if (text.contains().dot) {
    if (!options.abbreviations_first) claim_number_dots(text);
    mark_abbreviations(text, options.use_abbreviations);
    if (options.abbreviations_first) claim_number_dots(text);
  }
  mark_shouts(text);
  if (text.contains().dot) mark_inner_dots(text);
  protect_enclosed(text);
}

}  // namespace

void detect_sentences(std::string_view document, const SentenceOptions& options, std::span<const Cut> cuts,
                      std::vector<Span>& sentences, SentenceScratch& scratch) {
  const auto size = static_cast<std::uint32_t>(document.size());
  scratch.text.assign(document, cuts);
  const MarkedText::Contains& contains = scratch.text.contains();
  const bool may_be_cut = contains.dot || contains.shout || contains.semicolon || contains.close_paren;
  if (cuts.empty() && !(options.use_rules && may_be_cut)) {
    return add_sentence(document, {0, size}, options, sentences);
  }
  if (options.use_rules) rewrite(scratch.text, options);
  find_breaks(scratch.text.view(), cuts, options.use_rules, scratch.breaks);
  std::uint32_t begin = 0;
  for (const Cut cut : scratch.breaks) {
    add_sentence(document, {begin, cut.begin}, options, sentences);
    begin = cut.end;
  }
  add_sentence(document, {begin, size}, options, sentences);
  scratch.text.trim();
}

}  // namespace albert_fast::text
