#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/span.h"
#include "sentencepiece/word_key.h"

namespace albert_fast::sentencepiece {

/// Bytes where a text may be cut.
class Separators {
 public:
  Separators() = default;
  explicit Separators(const std::bitset<256>& bytes)
      : bytes_(bytes), are_usual_(bytes[' '] && (bytes >> (' ' + 1)).none()) {}

  /// Bit i: byte i of 64 is a separator.
  [[nodiscard]] std::uint64_t mask(const char* bytes) const {
    if (!are_usual_) return checked(bytes, ~std::uint64_t{0});
    std::uint64_t low = 0, odd = 0;
    for (std::uint32_t i = 0; i < 64; i += 8) {
      std::uint64_t word = load_u64(bytes + i);
      if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
      const std::uint64_t up_to_space = high_bits_below(word, ' ' + 1);
      odd |= up_to_space ^ high_bits_below(word ^ kOnes * ' ', 1);
      low |= ((up_to_space >> 7) * 0x0102040810204080U >> 56) << i;
    }
    return odd == 0 ? low : checked(bytes, low);
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101U, kHighBits = kOnes * 0x80;

  /// The high bit of every byte that is below `limit`, which is at most 128.
  static constexpr std::uint64_t high_bits_below(std::uint64_t word, std::uint64_t limit) {
    return ~(((word & ~kHighBits) + kOnes * (0x80 - limit)) | word) & kHighBits;
  }

  [[nodiscard]] std::uint64_t checked(const char* bytes, std::uint64_t candidates) const {
    std::uint64_t mask = candidates;
    for (; candidates != 0; candidates &= candidates - 1) {
      const int bit = std::countr_zero(candidates);
      if (!bytes_[static_cast<std::uint8_t>(bytes[bit])]) mask ^= std::uint64_t{1} << bit;
    }
    return mask;
  }

  std::bitset<256> bytes_;
  bool are_usual_ = false;  // the space, and control characters
};

/// What stands between separators, one after the other: empty between two of them, before the first and
/// behind the last. Separators are found for 64 bytes at once and then taken from a bit mask, so that there
/// is nothing to guess about the length of a word.
class WordSplitter {
 public:
  /// `text` is not empty and below 2 GiB; both must outlive the splitter.
  WordSplitter(std::string_view text, const Separators& separators)
      : text_(text), separators_(separators), size_(static_cast<std::uint32_t>(text.size())) {
    std::memcpy(first_.data() + WordKey::kShortBytes, text.data(), std::min<std::size_t>(size_, kBlock));
    mask_ = mask_of_block();
  }

  /// False behind the last word.
  bool next(Span& word) {
    while (mask_ == 0) {
      if (size_ - block_ < kBlock) return false;
      block_ += kBlock;
      mask_ = mask_of_block();
    }
    word = {next_, block_ + static_cast<std::uint32_t>(std::countr_zero(mask_))};
    next_ = word.end + 1;
    mask_ &= mask_ - 1;
    return true;
  }

  /// The key of the word that was found last.
  [[nodiscard]] WordKey key(Span word) const {
    if (word.size() > WordKey::kShortBytes) return WordKey(word.of(text_));
    // The text's beginning was copied, because nothing readable stands before it.
    const char* const bytes = block_ == 0 ? first_.data() + WordKey::kShortBytes : text_.data();
    return WordKey::ending_at(bytes + word.end, word.size());
  }

 private:
  static constexpr std::uint32_t kBlock = 64;

  /// Bit i: byte i of the block is a separator, or the text's end.
  [[nodiscard]] std::uint64_t mask_of_block() const {
    const std::uint32_t rest = size_ - block_;
    if (rest >= kBlock) return separators_.mask(text_.data() + block_);
    const std::uint64_t end = std::uint64_t{1} << rest;
    if (block_ == 0) return (separators_.mask(first_.data() + WordKey::kShortBytes) & (end - 1)) | end;
    // The last 64 bytes, of which some belong to the block before.
    return separators_.mask(text_.data() + size_ - kBlock) >> (kBlock - rest - 1) >> 1 | end;
  }

  std::string_view text_;
  const Separators& separators_;
  std::uint32_t size_, block_ = 0, next_ = 0;
  std::uint64_t mask_ = 0;
  std::array<char, WordKey::kShortBytes + kBlock> first_{};
};

}  // namespace albert_fast::sentencepiece
