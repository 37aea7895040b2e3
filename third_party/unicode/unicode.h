#pragma once

#include <string_view>

// Facts about characters, from tables that generate.py makes out of Python's own (see README.md). All
// functions take any value; what is no assigned code point has no property and maps to itself.
namespace albert_fast::unicode {

/// Version of the Unicode character database behind the tables, for example "15.1.0".
extern const char* const kVersion;

/// Python's str.isdigit: decimal digits, and superscripts and such.
bool is_digit(char32_t code_point);
/// Python's str.isspace, what str.split() splits at.
bool is_space(char32_t code_point);
/// Java's Character.isLetterOrDigit: general category L* or Nd.
bool is_letter_or_digit(char32_t code_point);
/// General category Mn.
bool is_nonspacing_mark(char32_t code_point);

/// Unicode's properties Case_Ignorable, and Cased of the rest: what the condition Final_Sigma asks about.
bool is_case_ignorable(char32_t code_point);
bool is_cased(char32_t code_point);

/// No white space, its own lower-case form and its own form without accents, as most characters of a text
/// are.
bool is_plain(char32_t code_point);

/// The first lower-case code point; only U+0130 has a second one, U+0307.
char32_t lower_case(char32_t code_point);

/// A character without its accents: NFKD less the characters with a combining class, so none for a combining
/// character. It points into itself.
class Unaccented {
 public:
  explicit Unaccented(char32_t code_point);
  Unaccented(const Unaccented&) = delete;
  Unaccented& operator=(const Unaccented&) = delete;

  [[nodiscard]] std::u32string_view view() const { return view_; }

 private:
  char32_t own_[3] = {};  // a Hangul syllable's letters, or the character itself
  std::u32string_view view_;
};

}  // namespace albert_fast::unicode
