#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace albert_fast {

/// One character of a text: its code point and its size in bytes.
struct Decoded {
  char32_t code_point = 0;
  std::uint32_t size = 0;
};

/// The character at byte `at < text.size()`. A byte that starts no well-formed character is U+FFFD of size 1,
/// so a walk always ends and never leaves the text.
Decoded decode_multibyte(std::string_view text, std::size_t at);
inline Decoded decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  if (lead < 0x80) return {lead, 1};
  return decode_multibyte(text, at);
}

/// The character that ends right before byte `end > 0`.
Decoded decode_before(std::string_view text, std::size_t end);

inline bool is_continuation(char byte) { return (static_cast<std::uint8_t>(byte) & 0xC0) == 0x80; }

/// Appends a code point (a surrogate or a value beyond U+10FFFF becomes U+FFFD).
void encode(char32_t code_point, std::string& out);

/// Byte offset of the first byte that is no part of a well-formed character, if any.
std::optional<std::size_t> find_invalid(std::string_view text);

std::size_t count_code_points(std::string_view text);
/// Length in UTF-16 units, what Java calls String.length().
std::size_t count_utf16_units(std::string_view text);

/// Length of the ASCII prefix of a text.
std::size_t ascii_prefix(std::string_view text);

/// Turns byte offsets into code point or UTF-16 offsets. Ascending queries cost one pass over the text in
/// all; a query before the last one walks back.
class OffsetConverter {
 public:
  OffsetConverter(std::string_view text, bool utf16)
      : text_(text), utf16_(utf16), ascii_end_(ascii_prefix(text)), byte_(ascii_end_), offset_(ascii_end_) {}

  [[nodiscard]] std::int32_t at(std::size_t byte) {
    if (byte > ascii_end_) return walk_to(byte);
    return static_cast<std::int32_t>(byte);
  }

 private:
  std::int32_t walk_to(std::size_t byte);

  std::string_view text_;
  bool utf16_;
  std::size_t ascii_end_;
  std::size_t byte_;
  std::size_t offset_;
};

/// Turns code point offsets into byte offsets; what lies beyond the text is its end. Ascending queries cost
/// one pass in all; a query before the last one starts anew.
class CodePointWalker {
 public:
  explicit CodePointWalker(std::string_view text) : text_(text) {}
  [[nodiscard]] std::uint32_t byte_of(std::int64_t code_point);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::int64_t code_point_ = 0;
};

}  // namespace albert_fast
