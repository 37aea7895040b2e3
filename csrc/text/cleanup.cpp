#include "text/cleanup.h"

#include "text/ascii.h"

namespace albert_fast::text {
namespace {

// Java's String.trim
std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<std::uint8_t>(text.front()) <= 0x20) text.remove_prefix(1);
  while (!text.empty() && static_cast<std::uint8_t>(text.back()) <= 0x20) text.remove_suffix(1);
  return text;
}

bool is_written_out(std::string_view text, std::size_t at, char letter) {
  return at + 1 < text.size() && text[at] == '\\' && text[at + 1] == letter;
}

std::size_t skip_written_out(std::string_view text, std::size_t at, char letter) {
  while (is_written_out(text, at, letter)) at += 2;
  return at;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// (?:\\r)?(?:\\n)|(?:\\t) : end of the match at `at`, or `at`
std::size_t match_written_out(std::string_view text, std::size_t at) {
  if (is_written_out(text, at, 't')) return at + 2;
  const std::size_t newline = is_written_out(text, at, 'r') ? at + 2 : at;
  return is_written_out(text, newline, 'n') ? newline + 2 : at;
}

// (?:\\r)*(?:\\n)+|(?:\\t)+
std::size_t match_written_out_run(std::string_view text, std::size_t at) {
  if (is_written_out(text, at, 't')) return skip_written_out(text, at, 't');
  const std::size_t newline = skip_written_out(text, at, 'r');
  const std::size_t end = skip_written_out(text, newline, 'n');
  return end > newline ? end : at;
}

/// End of what is replaced at `at`; `at` itself where nothing is.
std::size_t match(std::string_view text, std::size_t at, Cleanup mode) {
  const bool space = is_space(text[at]);
  const bool line_or_tab_follows =
      space && at + 1 < text.size() && (text[at + 1] == '\n' || text[at + 1] == '\t');
  switch (mode) {
    case Cleanup::disabled:
      return at;
    case Cleanup::inplace:
      return space ? at + 1 : at;
    case Cleanup::inplace_full:
      return space ? at + 1 : match_written_out(text, at);
    case Cleanup::shrink:
      return skip_spaces(text, at);
    case Cleanup::shrink_full:
      return space ? skip_spaces(text, at) : match_written_out_run(text, at);
    case Cleanup::each:
      return line_or_tab_follows ? at + 2 : at;
    case Cleanup::each_full: {
      if (!space || line_or_tab_follows) return space ? at + 2 : at;
      const std::size_t end = match_written_out(text, at + 1);
      return end > at + 1 ? end : at;
    }
    case Cleanup::delete_full:
      return match_written_out(text, at);
  }
  return at;
}

}  // namespace

void append_clean(std::string_view text, Cleanup mode, std::string& out) {
  if (mode == Cleanup::disabled) {
    out += text;
    return;
  }
  if (mode == Cleanup::shrink || mode == Cleanup::shrink_full || mode == Cleanup::delete_full)
    text = trim(text);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = match(text, at, mode);
    if (end == at) {
      // A run of carriage returns without a newline behind it matches nowhere; looked through once, not from
      // each.
      const std::size_t run = mode == Cleanup::shrink_full ? skip_written_out(text, at, 'r') : at;
      const std::size_t kept = run > at ? run : at + 1;
      out += text.substr(at, kept - at);
      at = kept;
      continue;
    }
    if (mode != Cleanup::delete_full) out += ' ';
    at = end;
  }
}

}  // namespace albert_fast::text
