#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"

namespace albert_fast::text {

/// Parameters of Spark NLP's Tokenizer that need no regular expression, with its (Python) defaults. Lengths
/// count UTF-16 units, as there.
class WordRules {
 public:
  static constexpr std::u32string_view kDefaultContext = U".,;:!?*-()\"'";

  WordRules() : WordRules(kDefaultContext) {}
  explicit WordRules(std::u32string_view context_characters, std::uint32_t min_length = 0,
                     std::uint32_t max_length = 99'999);

  /// Bytes of the context character at the start (or the end) of a text that is not empty, 0 if there is
  /// none.
  [[nodiscard]] std::uint32_t context_at_start(std::string_view text) const {
    const auto byte = static_cast<std::uint8_t>(text.front());
    return byte < 0x80 ? ascii_[byte] : other_at_start(text);
  }
  [[nodiscard]] std::uint32_t context_at_end(std::string_view text) const {
    const auto byte = static_cast<std::uint8_t>(text.back());
    return byte < 0x80 ? ascii_[byte] : other_at_end(text);
  }
  [[nodiscard]] bool has_wanted_length(std::string_view word) const {
    return (min_length_ == 0 && word.size() <= max_length_) || has_wanted_units(word);
  }

 private:
  [[nodiscard]] std::uint32_t other_at_start(std::string_view text) const;
  [[nodiscard]] std::uint32_t other_at_end(std::string_view text) const;
  [[nodiscard]] bool has_wanted_units(std::string_view word) const;

  std::array<std::uint8_t, 128> ascii_{};  // 1 for a context character
  std::u32string others_;
  std::uint32_t min_length_;
  std::uint32_t max_length_;
};

/// Appends the words of a sentence, in order, as slices of it: what stands between ASCII blanks, with the
/// context characters in front and behind split off, those of each side together. Linear time.
void split_words(std::string_view sentence, const WordRules& rules, std::vector<Span>& words);
void split_words(std::string_view sentence, std::vector<Span>& words);

}  // namespace albert_fast::text
