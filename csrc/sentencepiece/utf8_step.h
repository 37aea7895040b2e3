#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace albert_fast::sentencepiece {

/// Bytes of the well-formed UTF-8 character at `text` (`left` > 0 bytes remain), 0 when there is none.
inline std::size_t valid_char_size(const char* text, std::size_t left) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto is_trail = [&byte](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return left >= 2 && is_trail(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !is_trail(1) || !is_trail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (lead > 0xF4 || left < 4 || !is_trail(1) || !is_trail(2) || !is_trail(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
  return 4;
}

/// Bytes of a character by its first byte alone; for text known to be well-formed.
inline std::size_t char_size(char lead) {
  static constexpr std::array<std::uint8_t, 16> kSizes = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kSizes[static_cast<std::uint8_t>(lead) >> 4];
}

}  // namespace albert_fast::sentencepiece
