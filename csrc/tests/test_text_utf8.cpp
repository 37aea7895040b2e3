#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "tests/check.h"

using namespace albert_fast;

ALBERT_FAST_TEST(every_code_point_survives_encoding) {
  for (char32_t c = 0; c <= 0x110000; ++c) {
    std::string bytes;
    encode(c, bytes);
    const bool is_character = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    const Decoded decoded = decode(bytes, 0);
    CHECK_EQ(decoded.size, bytes.size());
    CHECK_EQ(static_cast<std::uint32_t>(decoded.code_point),
             static_cast<std::uint32_t>(is_character ? c : 0xFFFD));
    CHECK(!find_invalid(bytes));
    CHECK(decode_before("a" + bytes, bytes.size() + 1).code_point == decoded.code_point);
    CHECK_EQ(count_utf16_units(bytes), is_character && c > 0xFFFF ? 2U : 1U);
  }
}

ALBERT_FAST_TEST(bytes_that_are_no_character_are_found) {
  CHECK(!find_invalid(""));
  CHECK_EQ(find_invalid("plain \x80").value(), 6U);
  CHECK_EQ(find_invalid("\xC0\x80").value(), 0U);          // overlong
  CHECK_EQ(find_invalid("\xE0\x9F\xBF").value(), 0U);      // overlong
  CHECK_EQ(find_invalid("a\xED\xA0\x80").value(), 1U);     // surrogate
  CHECK_EQ(find_invalid("\xF4\x90\x80\x80").value(), 0U);  // beyond U+10FFFF
  CHECK_EQ(find_invalid("\xC3\xA9\xE2\x82").value(), 2U);  // cut off
  CHECK_EQ(find_invalid("0123456789\xF8").value(), 10U);
  CHECK(decode("\xE2\x82", 0).code_point == 0xFFFD && decode("\xE2\x82", 0).size == 1);
  CHECK(decode_before("\x82\x82", 2).size == 1);
}

ALBERT_FAST_TEST(offsets_are_converted_in_any_order) {
  std::mt19937 random(3);
  constexpr std::string_view kCharacters[] = {"a", "z", "\xC3\xA9", "\xE6\x9D\xB1", "\xF0\x9F\x98\x80"};
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 20, 'x');
    std::vector<std::size_t> starts;
    for (std::size_t left = random() % 40; left > 0; --left) text += kCharacters[random() % 5];
    for (std::size_t at = 0; at < text.size(); at += decode(text, at).size) starts.push_back(at);
    starts.push_back(text.size());
    for (const bool utf16 : {false, true}) {
      OffsetConverter ascending(text, utf16);
      OffsetConverter jumping(text, utf16);
      for (const std::size_t start : starts) {
        const std::string_view before = std::string_view(text).substr(0, start);
        const auto want =
            static_cast<std::int32_t>(utf16 ? count_utf16_units(before) : count_code_points(before));
        CHECK_EQ(ascending.at(start), want);
        (void)jumping.at(starts[random() % starts.size()]);
        CHECK_EQ(jumping.at(start), want);
      }
    }
  }
}
