#include "base/utf8.h"

#include <algorithm>
#include <cstring>

namespace albert_fast {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// True if byte 1 of a character may follow its lead: no overlong form, no surrogate, nothing beyond
/// U+10FFFF.
bool is_second_byte(std::uint8_t lead, std::uint8_t byte) {
  if (lead == 0xE0) return byte >= 0xA0 && byte <= 0xBF;
  if (lead == 0xED) return byte >= 0x80 && byte <= 0x9F;
  if (lead == 0xF0) return byte >= 0x90 && byte <= 0xBF;
  if (lead == 0xF4) return byte >= 0x80 && byte <= 0x8F;
  return (byte & 0xC0) == 0x80;
}

std::uint32_t size_by_lead(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

std::uint64_t load_word(const char* data) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
  return word;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

// Both counts are sums over bytes, so that compilers vectorise them: a code point per byte that is no
// continuation, and one unit more per lead byte of four.
template <bool utf16>
std::size_t count(std::string_view text) {
  std::size_t total = 0;
  while (!text.empty()) {
    const std::string_view block = text.substr(0, 1 << 16);
    std::uint32_t sum = 0;
    for (const char c : block) {
      sum += static_cast<std::uint32_t>(!is_continuation(c));
      if constexpr (utf16) sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(c) >= 0xF0);
    }
    total += sum;
    text.remove_prefix(block.size());
  }
  return total;
}

}  // namespace

Decoded decode_multibyte(std::string_view text, std::size_t at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  const std::uint32_t size = size_by_lead(lead);
  if (size == 0 || text.size() - at < size) return {kReplacement, 1};
  if (size == 1) return {lead, 1};
  if (!is_second_byte(lead, static_cast<std::uint8_t>(text[at + 1]))) return {kReplacement, 1};
  char32_t code_point = lead & (0x7FU >> size);
  for (std::uint32_t i = 1; i < size; ++i) {
    if (!is_continuation(text[at + i])) return {kReplacement, 1};
    code_point = code_point << 6 | (static_cast<std::uint8_t>(text[at + i]) & 0x3FU);
  }
  return {code_point, size};
}

Decoded decode_before(std::string_view text, std::size_t end) {
  const std::size_t first = end - std::min<std::size_t>(end, 4);
  for (std::size_t at = end - 1;; --at) {
    if (!is_continuation(text[at])) {
      const Decoded character = decode(text, at);
      if (at + character.size == end) return character;
      break;
    }
    if (at == first) break;
  }
  return {kReplacement, 1};
}

void encode(char32_t code_point, std::string& out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = kReplacement;
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) return push(code_point);
  if (code_point < 0x800) {
    push(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      push(0xE0 | code_point >> 12);
    } else {
      push(0xF0 | code_point >> 18);
      push(0x80 | (code_point >> 12 & 0x3F));
    }
    push(0x80 | (code_point >> 6 & 0x3F));
  }
  push(0x80 | (code_point & 0x3F));
}

std::optional<std::size_t> find_invalid(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      at += ascii_prefix(text.substr(at));
      continue;
    }
    const Decoded character = decode_multibyte(text, at);
    if (character.size == 1) return at;
    at += character.size;
  }
  return std::nullopt;
}

std::size_t count_code_points(std::string_view text) { return count<false>(text); }

std::size_t count_utf16_units(std::string_view text) { return count<true>(text); }

std::size_t ascii_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at + 8 <= text.size() && (load_word(text.data() + at) & kHighBits) == 0) at += 8;
  while (at < text.size() && static_cast<std::uint8_t>(text[at]) < 0x80) ++at;
  return at;
}

std::int32_t OffsetConverter::walk_to(std::size_t byte) {
  const std::size_t low = std::min(byte, byte_);
  const std::string_view gap = text_.substr(low, std::max(byte, byte_) - low);
  const std::size_t distance = utf16_ ? count_utf16_units(gap) : count_code_points(gap);
  offset_ = byte < byte_ ? offset_ - distance : offset_ + distance;
  byte_ = byte;
  return static_cast<std::int32_t>(offset_);
}

std::uint32_t CodePointWalker::byte_of(std::int64_t code_point) {
  if (code_point < code_point_) byte_ = 0, code_point_ = 0;
  for (; code_point_ < code_point && byte_ < text_.size(); ++code_point_) byte_ += decode(text_, byte_).size;
  return static_cast<std::uint32_t>(byte_);
}

}  // namespace albert_fast
