#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace albert_fast::text {

/// Python's str.lower(): full mappings, a capital sigma at the end of a word becomes a final one. Java's
/// toLowerCase(Locale.ENGLISH) is the same but for a sigma next to digits, punctuation or modifier letters,
/// where it asks for word breaks (`A-Σ`). `out` is overwritten and may not be the memory of `text`.
void to_lower(std::string_view text, std::string& out);

/// Appends `text` with its ASCII letters in lower case and all else as it is.
void append_lower_ascii(std::string_view text, std::string& out);

/// Appends the lower-case form of one character; a capital sigma becomes the one within words.
void append_lower(char32_t code_point, std::string& out);

/// Unicode's condition Final_Sigma for the letter at bytes [begin, end): a letter before it in the word, none
/// after it.
bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end);

inline constexpr char32_t kCapitalSigma = U'\u03A3';
inline constexpr char32_t kFinalSigma = U'\u03C2';

}  // namespace albert_fast::text
