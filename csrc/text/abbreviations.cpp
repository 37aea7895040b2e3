// The abbreviation rules: which dots belong to a word and do not end a sentence.

#include <algorithm>
#include <array>
#include <string_view>

#include "base/utf8.h"
#include "text/sentence_rules.h"
#include "unicode/unicode.h"

namespace albert_fast::text {
namespace {

constexpr std::size_t kNone = MarkedText::kNone;

enum Kind : unsigned { kKnown = 1, kTitle = 2, kBeforeNumber = 4 };

// Sorted. The dotted ones (e.g, i.e, u.s) are looked up apart, since their inner dot matches any character.
constexpr std::string_view kKnownWords[] = {
    "adj", "aug", "bros", "btw", "co",  "col", "corp", "cpl",  "dec", "del", "dept", "dist",
    "dr",  "etc", "exp",  "feb", "fy",  "hr",  "id",   "inc",  "jan", "jr",  "jul",  "jun",
    "lt",  "ltd", "mar",  "may", "min", "mr",  "mrs",  "ms",   "no",  "nov", "oct",  "ok",
    "p",   "plz", "prof", "px",  "rep", "sec", "sep",  "sept", "sr",  "st",  "ver",  "vs",
};
constexpr std::string_view kTitles[] = {"dr", "mr", "ms", "mt", "prof", "st"};
constexpr std::string_view kNumbered[] = {"no", "p", "px"};
static_assert(std::ranges::is_sorted(kKnownWords));
constexpr std::size_t kLongest = 4;

bool is_letter_or_digit_in_bmp(Decoded c) { return c.size < 4 && unicode::is_letter_or_digit(c.code_point); }

// Java 17's \b takes a mark for a part of the word if it sits on a letter or digit. That search goes by
// UTF-16 units, so it never sees a base, or a mark, beyond the BMP.
bool is_word_before(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  Decoded c = decode_before(text, at);
  if (c.code_point < 0x80) return is_word(static_cast<char>(c.code_point));
  if (unicode::is_letter_or_digit(c.code_point)) return true;
  while (c.size < 4 && unicode::is_nonspacing_mark(c.code_point)) {
    at -= c.size;
    if (at == 0) return false;
    c = decode_before(text, at);
    if (is_letter_or_digit_in_bmp(c)) return true;
  }
  return false;
}

// \b[a-zA-Z](?:\.[a-zA-Z])+(?:\.(?!\s[A-Z]))*
void protect_dotted_letters(MarkedText& text) {
  std::size_t done = 0;
  for (std::size_t dot = text.find('.', 0); dot != kNone;) {
    const std::size_t begin = dot - 1;
    if (!text.letter(begin) || begin < done || !text.letter(dot + 1) || is_word_before(text.view(), begin)) {
      dot = text.find('.', dot + 1);
      continue;
    }
    done = dot + 2;
    while (text.is(done, '.') && text.letter(done + 1)) done += 2;
    while (text.is(done, '.') && !(text.space(done + 1) && text.upper(done + 2))) ++done;
    text.protect(begin, done);
    dot = text.find('.', done);
  }
  text.apply();
}

// (?i)p\.m\.* ; (?i)a\.m\.*
void protect_day_halves(MarkedText& text) {
  for (std::size_t dot = text.find('.', 1); dot != kNone; dot = text.find('.', dot + 1)) {
    const char before = lower_letter(text.byte(dot - 1));
    if ((before != 'p' && before != 'a') || !(text.is(dot + 1, 'm') || text.is(dot + 1, 'M'))) continue;
    const std::size_t begin = dot - 1;
    dot += 2;
    while (text.is(dot, '.')) ++dot;
    text.protect(begin, dot);
    --dot;
  }
  text.apply();
}

// \.(?='s\s)|\.(?='s\$)|\.(?='s\z)
bool is_genitive(const MarkedText& text, std::size_t dot) {
  if (!text.is(dot + 1, '\'') || !text.is(dot + 2, 's')) return false;
  return dot + 3 == text.size() || text.space(dot + 3) || text.is(dot + 3, '$');
}

// (?<=Co)\.(?=\sKG)
bool is_company(const MarkedText& text, std::size_t dot) {
  return dot >= 2 && text.is(dot - 1, 'o') && text.is(dot - 2, 'C') && text.space(dot + 1) &&
         text.is(dot + 2, 'K') && text.is(dot + 3, 'G');
}

// (?<=^[A-Z])\.(?=\s) ; (?<=\s[A-Z])\.(?=\s)
bool is_initial(const MarkedText& text, std::size_t dot) {
  return text.upper(dot - 1) && text.space(dot + 1) && (dot == 1 || text.space(dot - 2));
}

unsigned kinds_of(std::string_view word) {
  unsigned kinds = 0;
  if (std::ranges::binary_search(kKnownWords, word)) kinds |= kKnown;
  if (std::ranges::find(kTitles, word) != std::end(kTitles)) kinds |= kTitle;
  if (std::ranges::find(kNumbered, word) != std::end(kNumbered)) kinds |= kBeforeNumber;
  return kinds;
}

struct Found {
  unsigned kinds = 0;
  bool at_start = false;
};

bool starts_word(const MarkedText& text, std::size_t at) { return at == 0 || text.space(at - 1); }

// e.g, i.e and u.s as regular expressions: any character but a line terminator stands for the dot.
Found find_dotted(const MarkedText& text, std::size_t dot) {
  if (dot < 3) return {};
  const Decoded middle = decode_before(text.view(), dot - 1);
  const std::size_t begin = dot - 1 - middle.size - 1;  // wraps when there is no character before the middle
  if (begin >= dot || !starts_word(text, begin)) return {};
  const char32_t c = middle.code_point;
  if (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029) return {};
  const char first = lower_letter(text.byte(begin));
  const char last = lower_letter(text.byte(dot - 1));
  const bool known =
      (first == 'e' && last == 'g') || (first == 'i' && last == 'e') || (first == 'u' && last == 's');
  return known ? Found{kKnown, begin == 0} : Found{};
}

Found find_abbreviation(const MarkedText& text, std::size_t dot) {
  std::array<char, kLongest> letters{};
  std::size_t begin = dot;
  while (begin > 0 && dot - begin < kLongest && text.letter(begin - 1)) --begin;
  if (begin < dot && starts_word(text, begin)) {
    const std::size_t size = dot - begin;
    for (std::size_t i = 0; i < size; ++i) letters[i] = lower_letter(text.byte(begin + i));
    const std::string_view word(letters.data(), size);
    if (const unsigned kinds = kinds_of(word)) return {kinds, begin == 0};
  }
  return text.letter(dot - 1) ? find_dotted(text, dot) : Found{};
}

// [a-z]|I\s|I'm|I'll|\d
bool sentence_goes_on(const MarkedText& text, std::size_t at) {
  if (text.lower(at) || text.digit(at)) return true;
  if (!text.is(at, 'I')) return false;
  if (!text.is(at + 1, '\'')) return text.space(at + 1);
  return text.is(at + 2, 'm') || (text.is(at + 2, 'l') && text.is(at + 3, 'l'));
}

// The six rules (?<=\s(?i)WORDS)\.(?=…)|(?<=^(?i)WORDS)\.(?=…)
bool is_abbreviation_dot(const MarkedText& text, std::size_t dot) {
  const Found found = find_abbreviation(text, dot);
  if (found.kinds == 0) return false;
  const bool blank = text.space(dot + 1);
  if ((found.kinds & kTitle) != 0 && (blank || (text.is(dot + 1, ':') && text.digit(dot + 2)))) return true;
  if ((found.kinds & kBeforeNumber) != 0 && blank) {
    if (text.digit(dot + 2) || text.is(text.skip_spaces(dot + 1), '(')) return true;
  }
  if ((found.kinds & kKnown) == 0 || dot + 1 >= text.size()) return false;
  if (blank) return sentence_goes_on(text, dot + 2);
  const char next = text.byte(dot + 1);
  return next == '.' || next == ':' || next == '?' || next == ',' || (next == '-' && !found.at_start);
}

template <class Claims>
void claim_dots(MarkedText& text, Claims claims) {
  for (std::size_t dot = text.find('.', 0); dot != kNone; dot = text.find('.', dot + 1)) {
    if (claims(text, dot)) text.claim_dot(dot);
  }
}

}  // namespace

void mark_abbreviations(MarkedText& text, bool use_table) {
  protect_dotted_letters(text);
  protect_day_halves(text);
  claim_dots(text, [](const MarkedText& t, std::size_t dot) {
    return is_genitive(t, dot) || is_company(t, dot) || is_initial(t, dot);
  });
  if (use_table) claim_dots(text, is_abbreviation_dot);
}

}  // namespace albert_fast::text
