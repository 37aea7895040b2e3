#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "text/ascii.h"

namespace albert_fast::text {

/// A document under rewriting. Spark NLP replaces and inserts private characters; here they are bytes that no
/// UTF-8 text holds, so a document that contains those characters is a text like any other. Every question
/// about a place outside the text is answered with no, as a look-around would.
class MarkedText {
 public:
  static constexpr char kBreak = '\xF8';
  static constexpr char kOpen = '\xF9';
  static constexpr char kClose = '\xFA';
  static constexpr char kDot =
      '\xFB';  // a dot that a rule has claimed: it ends no sentence and is no dot to other rules
  static constexpr char kCut = '\xFC';  // a break that stands for a stretch of the document
  static constexpr std::size_t kNone = std::string::npos;

  /// Which characters the rules look for are in the document at all.
  struct Contains {
    bool dot = false;
    bool shout = false;  // ! or ?
    bool semicolon = false;
    bool single_quote = false;
    bool double_quote = false;
    bool bracket = false;
    bool open_paren = false;
    bool close_paren = false;
  };

  void assign(std::string_view document) { assign(document, {}); }
  /// With breaks of the caller's: where a cut's stretch is not empty, the mark stands in its place.
  void assign(std::string_view document, std::span<const Span> cuts);
  [[nodiscard]] const Contains& contains() const { return contains_; }
  /// Gives large buffers back, so that one long document does not stay in memory.
  void trim();

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::string_view view() const { return bytes_; }
  [[nodiscard]] char byte(std::size_t at) const { return bytes_[at]; }

  [[nodiscard]] bool is(std::size_t at, char c) const { return at < bytes_.size() && bytes_[at] == c; }
  [[nodiscard]] bool space(std::size_t at) const { return has(at, kSpaceBit); }
  [[nodiscard]] bool digit(std::size_t at) const { return has(at, kDigitBit); }
  [[nodiscard]] bool lower(std::size_t at) const { return has(at, kLowerBit); }
  [[nodiscard]] bool upper(std::size_t at) const { return has(at, kUpperBit); }
  [[nodiscard]] bool letter(std::size_t at) const { return has(at, kLowerBit | kUpperBit); }
  [[nodiscard]] bool word(std::size_t at) const {
    return has(at, kDigitBit | kLowerBit | kUpperBit | kUnderscoreBit);
  }
  /// \S
  [[nodiscard]] bool solid(std::size_t at) const { return at < bytes_.size() && !is_space(bytes_[at]); }

  [[nodiscard]] std::size_t find(char c, std::size_t from) const { return bytes_.find(c, from); }
  [[nodiscard]] std::size_t skip_spaces(std::size_t at) const {
    while (space(at)) ++at;
    return at;
  }

  void claim_dot(std::size_t at) { bytes_[at] = kDot; }

  // Marks are noted in ascending order during a rule and put in by apply() at its end: within a rule, places
  // and look-arounds are those of the text before it.
  void break_after(std::size_t end) { marks_.push_back({end, kBreak}); }
  void protect(std::size_t begin, std::size_t end) {
    marks_.push_back({begin, kOpen});
    marks_.push_back({end, kClose});
  }
  void break_and_protect(std::size_t begin, std::size_t end) {
    break_after(begin);
    protect(begin, end);
  }
  void apply();

 private:
  struct Mark {
    std::size_t at;
    char mark;
  };

  void append(std::string_view stretch);
  [[nodiscard]] bool has(std::size_t at, unsigned bits) const {
    return at < bytes_.size() && has_class(bytes_[at], bits);
  }

  std::string bytes_;
  std::vector<Mark> marks_;
  Contains contains_;
};

}  // namespace albert_fast::text
