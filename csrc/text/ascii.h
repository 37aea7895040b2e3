#pragma once

#include <array>
#include <cstdint>

// Java's regular expressions know ASCII only in \s, \d and \w, and [a-z] is what it says. A byte of a longer
// character belongs to no class here.
namespace albert_fast::text {

enum : std::uint8_t { kSpaceBit = 1, kDigitBit = 2, kLowerBit = 4, kUpperBit = 8, kUnderscoreBit = 16 };

inline constexpr std::array<std::uint8_t, 256> kByteClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (const char c : {' ', '\t', '\n', '\v', '\f', '\r'}) table[static_cast<unsigned char>(c)] = kSpaceBit;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = kDigitBit;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = kLowerBit;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = kUpperBit;
  table['_'] = kUnderscoreBit;
  return table;
}();

inline bool has_class(char c, unsigned bits) {
  return (kByteClass[static_cast<std::uint8_t>(c)] & bits) != 0;
}
inline bool is_space(char c) { return has_class(c, kSpaceBit); }
inline bool is_digit(char c) { return has_class(c, kDigitBit); }
inline bool is_lower(char c) { return has_class(c, kLowerBit); }
inline bool is_upper(char c) { return has_class(c, kUpperBit); }
inline bool is_letter(char c) { return has_class(c, kLowerBit | kUpperBit); }
inline bool is_word(char c) { return has_class(c, kDigitBit | kLowerBit | kUpperBit | kUnderscoreBit); }
inline char lower_letter(char c) { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

}  // namespace albert_fast::text
