#include "text/words.h"

#include "base/utf8.h"
#include "text/ascii.h"

namespace albert_fast::text {
namespace {

// Spark NLP writes U+2187 over every blank and then splits at it, so the character itself separates words
// too.
constexpr std::string_view kSeparator = "\xE2\x86\x87";

enum Step : std::uint8_t { kInside, kBlank, kMaybeSeparator };

constexpr std::array<Step, 256> kSteps = [] {
  std::array<Step, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c)
    table[c] = (kByteClass[c] & kSpaceBit) != 0 ? kBlank : kInside;
  table[static_cast<std::uint8_t>(kSeparator[0])] = kMaybeSeparator;
  return table;
}();

/// Bytes of the separator at `at`, 0 if there is none.
std::uint32_t separator_size(std::string_view text, std::uint32_t at) {
  const Step step = kSteps[static_cast<std::uint8_t>(text[at])];
  if (step == kInside) return 0;
  if (step == kBlank) return 1;
  return text.substr(at).starts_with(kSeparator) ? 3 : 0;
}

void add_word(std::string_view sentence, Span word, const WordRules& rules, std::vector<Span>& words) {
  if (word.size() > 0 && rules.has_wanted_length(word.of(sentence))) words.push_back(word);
}

// \A([C]*)([^C](?:.*[^C])*)([C]*)\z of the candidate; one that holds only context characters is a word as a
// whole.
void split_candidate(std::string_view sentence, Span candidate, const WordRules& rules,
                     std::vector<Span>& words) {
  Span core = candidate;
  while (core.size() > 0) {
    const std::uint32_t size = rules.context_at_start(core.of(sentence));
    if (size == 0) break;
    core.begin += size;
  }
  if (core.size() == 0) return add_word(sentence, candidate, rules, words);
  while (const std::uint32_t size = rules.context_at_end(core.of(sentence))) core.end -= size;
  add_word(sentence, {candidate.begin, core.begin}, rules, words);
  add_word(sentence, core, rules, words);
  add_word(sentence, {core.end, candidate.end}, rules, words);
}

}  // namespace

WordRules::WordRules(std::u32string_view context_characters, std::uint32_t min_length,
                     std::uint32_t max_length)
    : min_length_(min_length), max_length_(max_length) {
  for (const char32_t c : context_characters) {
    if (c < 0x80) {
      ascii_[c] = 1;
    } else {
      others_.push_back(c);
    }
  }
}

std::uint32_t WordRules::other_at_start(std::string_view text) const {
  if (others_.empty()) return 0;
  const Decoded c = decode(text, 0);
  return others_.find(c.code_point) != std::u32string::npos ? c.size : 0;
}

std::uint32_t WordRules::other_at_end(std::string_view text) const {
  if (others_.empty()) return 0;
  const Decoded c = decode_before(text, text.size());
  return others_.find(c.code_point) != std::u32string::npos ? c.size : 0;
}

bool WordRules::has_wanted_units(std::string_view word) const {
  const std::size_t units = count_utf16_units(word);
  return units >= min_length_ && units <= max_length_;
}

void split_words(std::string_view sentence, const WordRules& rules, std::vector<Span>& words) {
  const auto size = static_cast<std::uint32_t>(sentence.size());
  for (std::uint32_t at = 0; at < size;) {
    if (const std::uint32_t separator = separator_size(sentence, at)) {
      at += separator;
      continue;
    }
    const std::uint32_t begin = at;
    while (at < size && separator_size(sentence, at) == 0) ++at;
    split_candidate(sentence, {begin, at}, rules, words);
  }
}

void split_words(std::string_view sentence, std::vector<Span>& words) {
  static const WordRules kDefault;
  split_words(sentence, kDefault, words);
}

}  // namespace albert_fast::text
