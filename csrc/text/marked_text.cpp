#include "text/marked_text.h"

#include <algorithm>
#include <cstring>

namespace albert_fast::text {
namespace {

constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

}  // namespace

void MarkedText::assign(std::string_view document, std::span<const Span> cuts) {
  bytes_.clear();
  bytes_.reserve(document.size() + cuts.size());
  marks_.clear();
  contains_ = {};
  std::uint32_t at = 0;
  for (const Span cut : cuts) {
    append(document.substr(at, cut.begin - at));
    bytes_.push_back(cut.size() == 0 ? kBreak : kCut);
    at = cut.end;
  }
  append(document.substr(at));
}

// One loop without branches, for the vectoriser. Bytes beyond F7 (never UTF-8) would read as marks.
void MarkedText::append(std::string_view stretch) {
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + stretch.size());
  const char* from = stretch.data();
  char* to = bytes_.data() + begin;
  std::uint8_t dot = 0, shout = 0, semicolon = 0, single = 0, twofold = 0, bracket = 0, open = 0, close = 0;
  for (std::size_t i = 0; i < stretch.size(); ++i) {
    const auto c = static_cast<std::uint8_t>(from[i]);
    to[i] = static_cast<char>(std::min<std::uint8_t>(c, 0xF7));
    const auto seen = [c](char wanted) {
      return static_cast<std::uint8_t>(c == static_cast<std::uint8_t>(wanted));
    };
    dot |= seen('.');
    shout |= static_cast<std::uint8_t>(seen('!') | seen('?'));
    semicolon |= seen(';');
    single |= seen('\'');
    twofold |= seen('"');
    bracket |= seen('[');
    open |= seen('(');
    close |= seen(')');
  }
  contains_.dot |= dot != 0;
  contains_.shout |= shout != 0;
  contains_.semicolon |= semicolon != 0;
  contains_.single_quote |= single != 0;
  contains_.double_quote |= twofold != 0;
  contains_.bracket |= bracket != 0;
  contains_.open_paren |= open != 0;
  contains_.close_paren |= close != 0;
}

void MarkedText::trim() {
  if (bytes_.capacity() > kKeptBytes) bytes_ = {};
  if (marks_.capacity() * sizeof(Mark) > kKeptBytes) marks_ = {};
}

// From the back, so that every byte moves once and in place.
void MarkedText::apply() {
  if (marks_.empty()) return;
  std::size_t end = bytes_.size();
  bytes_.resize(end + marks_.size());
  char* data = bytes_.data();
  for (std::size_t shift = marks_.size(); shift > 0; --shift) {
    const Mark mark = marks_[shift - 1];
    std::memmove(data + mark.at + shift, data + mark.at, end - mark.at);
    data[mark.at + shift - 1] = mark.mark;
    end = mark.at;
  }
  marks_.clear();
}

}  // namespace albert_fast::text
