#include "text/sentence_rules.h"

#include <array>

#include "base/utf8.h"

namespace albert_fast::text {
namespace {

constexpr std::size_t kNone = MarkedText::kNone;

bool is_line_terminator(char32_t c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

// (\()[a-z]+\)|^[a-z]+\)
void mark_letter_items(MarkedText& text) {
  const auto mark = [&text](std::size_t begin, std::size_t letters) {
    std::size_t end = letters;
    while (text.lower(end)) ++end;
    const bool found = end > letters && text.is(end, ')');
    if (found) text.break_and_protect(begin, end + 1);
    return end;
  };
  std::size_t at = mark(0, 0);
  while ((at = text.find('(', at)) != kNone) at = mark(at, at + 1);
  text.apply();
}

// ^\-\d{1,2}\.\s|^\-\d{1,2}(.\)) ; the dot is any character. Returns the end of the match, or 0.
std::size_t mark_negative_at_start(MarkedText& text) {
  if (!text.is(0, '-')) return 0;
  std::size_t digits = 0;
  while (digits < 2 && text.digit(1 + digits)) ++digits;
  std::size_t end = 0;
  if (digits > 0 && text.is(1 + digits, '.') && text.space(2 + digits)) end = 3 + digits;
  for (; end == 0 && digits > 0; --digits) {
    const std::size_t any = 1 + digits;
    if (any >= text.size()) continue;
    const Decoded character = decode(text.view(), any);
    if (!is_line_terminator(character.code_point) && text.is(any + character.size, ')'))
      end = any + character.size + 1;
  }
  if (end > 0) text.break_and_protect(0, end);
  return end;
}

// \s\d{1,2}\.\s|^\d{1,2}\.\s|\s\d{1,2}\.\)|^\d{1,2}\.\)|\s\-\d{1,2}\.\s|s\-\d{1,2}\.\) ; the s is the
// original's slip.
void mark_number_items(MarkedText& text) {
  std::size_t done = mark_negative_at_start(text);
  for (std::size_t dot = text.find('.', done); dot != kNone; dot = text.find('.', dot + 1)) {
    std::size_t first = dot;
    while (first > 0 && dot - first < 3 && text.digit(first - 1)) --first;
    if (first == dot || dot - first == 3) continue;
    const bool blank_follows = text.space(dot + 1);
    const bool paren_follows = text.is(dot + 1, ')');
    if (!blank_follows && !paren_follows) continue;
    std::size_t begin = kNone;
    if (first == 0) {
      begin = 0;
    } else if (text.space(first - 1)) {
      begin = first - 1;
    } else if (text.byte(first - 1) == '-' &&
               (blank_follows ? text.space(first - 2) : text.is(first - 2, 's'))) {
      begin = first - 2;
    }
    if (begin == kNone || begin < done) continue;
    done = dot + 2;
    text.break_and_protect(begin, done);
  }
  text.apply();
}

// (?<=\S)[!\?]+(?=\s|\z|\$), for the run that starts at `begin`
std::size_t mark_shout(MarkedText& text, std::size_t begin) {
  std::size_t end = begin;
  while (text.is(end, '!') || text.is(end, '?')) ++end;
  const bool ends = end == text.size() || text.space(end) || text.byte(end) == '$';
  // A run after a blank counts from its second sign on, which the first one precedes.
  if (ends && (text.solid(begin - 1) || end - begin > 1)) text.break_after(end);
  return end;
}

constexpr std::array<bool, 256> kQuotable = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = kByteClass[c] != 0;
  for (const char c : {'?', '!', '.', ','}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_quotable(char c) { return kQuotable[static_cast<std::uint8_t>(c)]; }

bool is_single_quotable(char c) { return is_quotable(c) || c == '\'' || c == '|'; }

bool closes_single_quote(const MarkedText& text, std::size_t at) {
  return text.byte(at) == '\'' && at + 1 < text.size() && !text.word(at + 1);
}

// (?<=\s|^)'[\w\s?!\.,|'\w]+'(?:\W) ; the class holds the quote itself, so the match ends at the last quote
// of a run of such characters that a non-word character follows, and takes that character in.
void protect_single_quotes(MarkedText& text) {
  std::size_t run_end = 0;
  std::size_t last_close = 0;  // of the run; where there is none, no opening quote lies before it
  std::size_t at = 0;
  while ((at = text.find('\'', at)) != kNone) {
    if (at > 0 && !text.space(at - 1)) {
      ++at;
      continue;
    }
    if (at >= run_end) {
      run_end = at + 1;
      while (run_end < text.size() && is_single_quotable(text.byte(run_end))) ++run_end;
      last_close = run_end - 1;
      while (last_close > at && !closes_single_quote(text, last_close)) --last_close;
    }
    if (last_close >= at + 2) {
      const std::size_t end = last_close + 1 + decode(text.view(), last_close + 1).size;
      text.protect(at, end);
      at = end;
    } else {
      ++at;
    }
  }
  text.apply();
}

// "[\w\s?!\.,]+" and the same in [] and ()
void protect_between(MarkedText& text, char open, char close) {
  std::size_t at = 0;
  while ((at = text.find(open, at)) != kNone) {
    std::size_t end = at + 1;
    while (end < text.size() && is_quotable(text.byte(end))) ++end;
    if (end > at + 1 && text.is(end, close)) text.protect(at, ++end);
    at = end;
  }
  text.apply();
}

// (?<=[a-zA-z]°)\.(?=\s*\d+)
bool is_degree_dot(const MarkedText& text, std::size_t dot) {
  if (!text.is(dot - 1, '\xB0') || !text.is(dot - 2, '\xC2') || dot < 3) return false;
  const char c = text.byte(dot - 3);
  return (c >= 'A' && c <= 'z') && text.digit(text.skip_spaces(dot + 1));
}

// \.\.\.(?=\s+[A-Z]). The original's next rule, (?<=\S)\.{3}(?=\.\s[A-Z]), finds nothing after this one.
bool is_ellipsis(const MarkedText& text, std::size_t dot) {
  if (!text.is(dot + 1, '.') || !text.is(dot + 2, '.') || !text.space(dot + 3)) return false;
  return text.upper(text.skip_spaces(dot + 3));
}

}  // namespace

void mark_lists(MarkedText& text) {
  if (text.contains().close_paren) mark_letter_items(text);
  if (text.contains().dot || text.is(0, '-')) mark_number_items(text);
}

// (?<=\d)\.(?=\d) ; \.(?=\d) ; (?<=\d)\.(?=\S) ; (?<=^\d)\.(?=(\s\S)|\)) ; (?<=^\d\d)\.(?=(\s\S)|\))
void claim_number_dots(MarkedText& text) {
  for (std::size_t dot = text.find('.', 0); dot != kNone; dot = text.find('.', dot + 1)) {
    const bool starts_text = (dot == 1 && text.digit(0)) || (dot == 2 && text.digit(0) && text.digit(1));
    const bool claimed = text.digit(dot + 1) || (text.digit(dot - 1) && text.solid(dot + 1)) ||
                         (starts_text && text.space(dot + 1) && text.solid(dot + 2));
    if (claimed) text.claim_dot(dot);
  }
}

void mark_shouts(MarkedText& text) {
  if (!text.contains().shout) return;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text.byte(i);
    i = c == '!' || c == '?' ? mark_shout(text, i) : i + 1;
  }
  text.apply();
}

void mark_inner_dots(MarkedText& text) {
  for (std::size_t dot = text.find('.', 0); dot != kNone; dot = text.find('.', dot + 1)) {
    if ((text.word(dot - 1) && text.word(dot + 1)) || is_degree_dot(text, dot)) {
      text.claim_dot(dot);
    } else if (is_ellipsis(text, dot)) {
      for (int i = 0; i < 3; ++i) text.claim_dot(dot + static_cast<std::size_t>(i));
      text.break_after(dot + 3);
      dot += 2;
    }
  }
  text.apply();
}

void protect_enclosed(MarkedText& text) {
  if (text.contains().single_quote) protect_single_quotes(text);
  if (text.contains().double_quote) protect_between(text, '"', '"');
  if (text.contains().bracket) protect_between(text, '[', ']');
  if (text.contains().open_paren) protect_between(text, '(', ')');
}

}  // namespace albert_fast::text
