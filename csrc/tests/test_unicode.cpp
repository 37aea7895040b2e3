#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "tests/check.h"
#include "text/albert_preprocess.h"
#include "text/lower.h"
#include "unicode/unicode.h"

// What every character does is compared with Python in tests/test_unicode.py; here are the rules and the
// offsets.
namespace albert_fast {
namespace {

std::string lower(std::string_view text) {
  std::string out = "left over from the call before";
  text::to_lower(text, out);
  return out;
}

text::Preprocessed preprocess(std::string_view text, text::PreprocessOptions options = {}) {
  text::Preprocessed out;
  text::albert_preprocess(text, options, out);
  return out;
}

/// The original of every byte range of the preprocessed text that equals `part`, at its first place.
std::string original(std::string_view text, std::string_view part, text::PreprocessOptions options = {}) {
  const text::Preprocessed result = preprocess(text, options);
  const std::size_t at = result.text.find(part);
  if (at == std::string::npos) return "no '" + std::string(part) + "' in '" + result.text + "'";
  const auto begin = static_cast<std::uint32_t>(at);
  return std::string(result.original({begin, begin + static_cast<std::uint32_t>(part.size())}).of(text));
}

ALBERT_FAST_TEST(unicode_facts_of_any_value) {
  CHECK(unicode::is_digit(U'7') && unicode::is_digit(U'\u00B2') && unicode::is_digit(U'\u0663'));
  CHECK(!unicode::is_digit(U'\u00BD') && !unicode::is_digit(U'a'));
  CHECK(unicode::is_space(U'\u3000') && unicode::is_space(U'\u001F') && !unicode::is_space(U'\u200B'));
  CHECK(unicode::is_letter_or_digit(U'\u4E2D') && !unicode::is_letter_or_digit(U'\u00B2'));
  CHECK(unicode::is_nonspacing_mark(U'\u0301') && !unicode::is_nonspacing_mark(U'\u0903'));
  for (const char32_t beyond : {char32_t{0x10FFFF}, char32_t{0x110000}, char32_t{0xFFFFFFFF}}) {
    CHECK(!unicode::is_digit(beyond) && !unicode::is_cased(beyond));
    CHECK(unicode::lower_case(beyond) == beyond);
    CHECK(unicode::Unaccented(beyond).view() == std::u32string_view(&beyond, 1));
  }
}

ALBERT_FAST_TEST(unaccented_takes_characters_apart) {
  CHECK(unicode::Unaccented(U'\u00E9').view() == U"e");
  CHECK(unicode::Unaccented(U'\uFB03').view() == U"ffi");
  CHECK(unicode::Unaccented(U'\u0301').view().empty());
  CHECK(unicode::Unaccented(U'\uAC00').view() == U"\u1100\u1161");
  CHECK(unicode::Unaccented(U'\uD7A3').view() == U"\u1112\u1175\u11C2");
  CHECK_EQ(unicode::Unaccented(U'\uFDFA').view().size(), std::size_t{18});
}

ALBERT_FAST_TEST(lower_case_of_words) {
  CHECK_EQ(lower(""), "");
  CHECK_EQ(lower("The QUICK @[`{ Z9"), "the quick @[`{ z9");
  CHECK_EQ(lower("ÀÉ über ЖЩ ǅ İK"), "àé über жщ ǆ i̇k");
  CHECK_EQ(lower("\xF0\x90\x90\x80"), "\xF0\x90\x90\xA8");  // Deseret, four bytes
}

ALBERT_FAST_TEST(sigma_at_the_end_of_a_word_is_a_final_one) {
  CHECK_EQ(lower("ΟΔΥΣΣΕΥΣ ΣΑΣ"), "οδυσσευς σας");
  CHECK_EQ(lower("Σ"), "σ");
  CHECK_EQ(lower("AΣ'"), "aς'");
  CHECK_EQ(lower("A'Σ'b"), "a'σ'b");
  CHECK_EQ(lower("1Σ"), "1σ");
  CHECK_EQ(lower("AΣ1b"), "aς1b");
}

ALBERT_FAST_TEST(invalid_bytes_become_replacement_characters) {
  CHECK_EQ(lower("A\xFFZ\xE2\x82"), "a\uFFFDz\uFFFD\uFFFD");
  CHECK_EQ(preprocess("A\xFFZ\xE2\x82").text, "a\uFFFDz\uFFFD\uFFFD");
  CHECK_EQ(original("A\xFFZ\xE2\x82", "\uFFFDz"), "\xFFZ");
}

ALBERT_FAST_TEST(preprocessing_joins_blanks_and_quotes) {
  CHECK_EQ(preprocess("").text, "");
  CHECK_EQ(preprocess(" \t\u3000").text, "");
  CHECK_EQ(preprocess(" The\u00A0 ``Quick'' \n\n fox's  ").text, "the \"quick\" fox's");
  CHECK_EQ(preprocess("'''``` ' ' ` `").text, "\"'\"` ' ' ` `");
  CHECK_EQ(preprocess("'\u0301'").text, "''");  // the mark goes when the quotes have been joined
  CHECK_EQ(preprocess(" a\t\tb ", {true, false, false}).text, " a\t\tb ");
}

ALBERT_FAST_TEST(preprocessing_drops_accents_and_case) {
  CHECK_EQ(preprocess("Café Å ﬁX ½ 각").text, "cafe a fix 1\u20442 \u1100\u1161\u11A8");
  CHECK_EQ(preprocess("Café İ ΑΣ", {true, true, true}).text, "café i̇ ας");
  CHECK_EQ(preprocess("Café ﬁX", {false, false, true}).text, "Cafe fiX");
  CHECK_EQ(preprocess("ΑΣ\u0301 ΆΣΑ").text, "ας ασα");
}

ALBERT_FAST_TEST(preprocessed_spans_lead_back_to_the_text) {
  CHECK_EQ(original("plain text", "text"), "text");
  CHECK_EQ(original("  Two \u3000 Words", "two words"), "Two \u3000 Words");
  CHECK_EQ(original("  Two \u3000 Words", " "), " \u3000 ");
  CHECK_EQ(original("say ``Hi''!", "\"hi\""), "``Hi''");
  CHECK_EQ(original("a ﬁx", "i"), "ﬁ");
  CHECK_EQ(original("a ǆx", "d"), "ǆ");  // two bytes again, but two characters
  CHECK_EQ(original("e\u0301te", "e"), "e");
  CHECK_EQ(original("e\u0301te", "te"), "te");
  CHECK_EQ(original("ŒÉŽ ЖЩz", "z ж"), "Ž Ж");
  CHECK_EQ(original("x각y", "\u1161\u11A8y"), "각y");
  CHECK_EQ(original("a İb", "\u0307", {true, true, true}), "İ");
  CHECK_EQ(original("Жa", "\xB6"), "Ж");  // half a character stands for all of it
}

ALBERT_FAST_TEST(preprocessing_forgets_the_text_before) {
  text::Preprocessed out;
  text::albert_preprocess("  ΑΣ", {}, out);
  CHECK_EQ(out.text, "ας");
  text::albert_preprocess("ABCD", {}, out);
  CHECK_EQ(out.text, "abcd");
  CHECK((out.original({1, 3}) == Span{1, 3}));
}

ALBERT_FAST_TEST(empty_preprocessed_spans_have_a_place) {
  const text::Preprocessed result = preprocess("  é  x ");
  CHECK_EQ(result.text, "e x");
  CHECK((result.original({0, 0}) == Span{2, 2}));
  CHECK((result.original({1, 1}) == Span{4, 4}));
  CHECK((result.original({2, 2}) == Span{6, 6}));
  CHECK((result.original({3, 3}) == Span{7, 7}));
  CHECK((preprocess("   ").original({0, 0}) == Span{0, 0}));
}

}  // namespace
}  // namespace albert_fast
