#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Writes `.model` files by hand, so that the C++ tests need no trainer and no file.
namespace albert_fast::test {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

inline std::string bytes_field(unsigned number, std::string_view payload) {
  return varint(number << 3 | 2) + varint(payload.size()) + std::string(payload);
}

inline std::string number_field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

inline std::string float_field(unsigned number, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  std::string out = varint(number << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift & 0xFF);
  return out;
}

inline std::string piece_bytes(std::string_view text, float score, unsigned type = 1) {
  return bytes_field(1, bytes_field(1, text) + float_field(2, score) + number_field(3, type));
}

/// A few pieces, an unknown, a control and a user-defined symbol; identity normalization.
inline std::string small_model() {
  return piece_bytes("<unk>", 0, 2) + piece_bytes("<s>", 0, 3) + piece_bytes("▁", -3) + piece_bytes("a", -4) +
         piece_bytes("b", -4.5F) + piece_bytes("ab", -5) + piece_bytes("▁a", -4.25F) +
         piece_bytes("▁ab", -6) + piece_bytes("1", -5) + piece_bytes("▁1,", -5.5F) +
         piece_bytes("1,", -6.5F) + piece_bytes(",", -7) + piece_bytes("<x>", 0, 4) + piece_bytes("!!", -6) +
         piece_bytes("!", -6) + piece_bytes("é", -8);
}

}  // namespace albert_fast::test
