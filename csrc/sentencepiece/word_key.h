#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace albert_fast::sentencepiece {

inline std::uint64_t load_u64(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, 8);
  return value;
}

/// A word as the cache compares it. Up to kShortBytes are in the key itself, at its end, zeros before them:
/// made and compared without a choice by size, which the processor would guess wrong for every other word. Of
/// a longer word only the address is kept.
class WordKey {
 public:
  static constexpr std::size_t kShortBytes = 16, kMaxBytes = 48;

  /// Room for a key.
  WordKey() = default;
  /// The bytes of a long word must outlive the key.
  explicit WordKey(std::string_view word);
  /// The same for a word of up to kShortBytes that kShortBytes of readable memory end with.
  static WordKey ending_at(const char* end, std::size_t size) {
    WordKey key;
    key.size_ = size;
    key.words_ = {load_u64(end - 16) & load_u64(kMasks.data() + size),
                  load_u64(end - 8) & load_u64(kMasks.data() + size + 8)};
    return key;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool is_short() const { return size_ <= kShortBytes; }
  /// Valid while the key lives and stays where it is.
  [[nodiscard]] std::string_view view() const {
    if (!is_short()) return {long_bytes(), size_};
    return {reinterpret_cast<const char*>(words_.data()) + kShortBytes - size_, size_};
  }
  /// The last kShortBytes, zeros before a shorter word.
  [[nodiscard]] std::array<std::uint64_t, 2> tail() const {
    if (is_short()) return words_;
    return {load_u64(long_bytes() + size_ - 16), load_u64(long_bytes() + size_ - 8)};
  }
  /// What stands before the tail of a word of up to kMaxBytes, zeros behind it.
  [[nodiscard]] std::array<std::uint64_t, 4> head() const;

  [[nodiscard]] std::uint64_t hash() const { return is_short() ? mix(words_[0], words_[1]) : long_hash(); }

 private:
  // From place n on: 16 - n bytes of zeros and n of ones.
  static constexpr std::array<char, 2 * kShortBytes> kMasks = [] {
    std::array<char, 2 * kShortBytes> masks{};
    for (std::size_t i = kShortBytes; i < masks.size(); ++i) masks[i] = '\xFF';
    return masks;
  }();

  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15U) * (b ^ 0xD6E8FEB86659FD93U);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  [[nodiscard]] const char* long_bytes() const {
    return std::bit_cast<const char*>(static_cast<std::uintptr_t>(words_[0]));
  }
  [[nodiscard]] std::uint64_t long_hash() const;

  std::array<std::uint64_t, 2> words_;  // the word, or the address of a long one
  std::size_t size_;
};

}  // namespace albert_fast::sentencepiece
