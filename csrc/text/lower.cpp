#include "text/lower.h"

#include <algorithm>

#include "base/utf8.h"
#include "unicode/unicode.h"

namespace albert_fast::text {
namespace {

constexpr char32_t kCapitalDottedI = U'\u0130';
constexpr char32_t kCombiningDotAbove = U'\u0307';

// Without a branch, so that compilers vectorise the loop around it.
char lower_ascii(char byte) {
  const bool is_upper = static_cast<unsigned char>(byte - 'A') < 26;
  return static_cast<char>(byte | (is_upper ? 0x20 : 0));
}

/// End of what `append_lower_ascii` gets right: all ASCII, and characters that have no other form.
std::size_t easy_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Decoded character = decode_multibyte(text, at);
    if (character.size == 1 || !unicode::is_plain(character.code_point)) break;  // size 1: an invalid byte
    at += character.size;
  }
  return at;
}

}  // namespace

void append_lower_ascii(std::string_view text, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + text.size());
  std::transform(text.begin(), text.end(), out.data() + begin, lower_ascii);
}

void append_lower(char32_t code_point, std::string& out) {
  encode(unicode::lower_case(code_point), out);
  if (code_point == kCapitalDottedI) encode(kCombiningDotAbove, out);
}

bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) {
  bool after_letter = false;
  while (begin > 0 && !after_letter) {
    const Decoded before = decode_before(text, begin);
    begin -= before.size;
    if (unicode::is_case_ignorable(before.code_point)) continue;
    if (!unicode::is_cased(before.code_point)) return false;
    after_letter = true;
  }
  if (!after_letter) return false;
  while (end < text.size()) {
    const Decoded after = decode(text, end);
    end += after.size;
    if (!unicode::is_case_ignorable(after.code_point)) return !unicode::is_cased(after.code_point);
  }
  return true;
}

void to_lower(std::string_view text, std::string& out) {
  out.clear();
  append_lower_ascii(text, out);  // leaves bytes of other characters alone
  std::size_t at = ascii_prefix(text);
  if (at == text.size()) return;
  out.resize(at);
  while (at < text.size()) {
    const std::size_t end = easy_end(text, at);
    append_lower_ascii(text.substr(at, end - at), out);
    at = end;
    if (at == text.size()) break;
    const Decoded character = decode(text, at);
    if (character.code_point == kCapitalSigma && is_final_sigma(text, at, at + character.size)) {
      encode(kFinalSigma, out);
    } else {
      append_lower(character.code_point, out);
    }
    at += character.size;
  }
}

}  // namespace albert_fast::text
