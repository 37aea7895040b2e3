#include "text/albert_preprocess.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/lower.h"
#include "unicode/unicode.h"

namespace albert_fast::text {
namespace {

constexpr bool is_ascii_blank(std::uint8_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r') || (byte >= 0x1C && byte <= 0x1F);
}

/// ASCII that is copied or lower-cased whatever stands around it.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::uint8_t byte = 0; byte < 0x80; ++byte)
    plain[byte] = !is_ascii_blank(byte) && byte != '`' && byte != '\'';
  return plain;
}();

class Preprocessor {
 public:
  Preprocessor(std::string_view text, const PreprocessOptions& options, Preprocessed& out)
      : text_(text), options_(options), out_(out) {}

  void run() {
    if (options_.remove_space) {
      at_ = blanks_end();
      if (at_ > 0) add_edit(0, 0);
    }
    // Here and after each step there is no blank before `at_`, so that a single one may be copied.
    while (at_ < text_.size()) {
      copy_plain();
      if (at_ < text_.size()) step();
    }
    for (const std::uint32_t sigma : out_.sigmas) {
      if (!is_final_sigma(out_.text, sigma, sigma + 2)) continue;
      out_.text[sigma + 1] = '\x82';  // U+03C3 and U+03C2 differ in the last byte only
    }
  }

 private:
  /// Size of the character if it is copied or ASCII lower-cased whatever stands around it, otherwise 0.
  [[nodiscard]] std::uint32_t plain_size(std::size_t at) const {
    const auto byte = static_cast<std::uint8_t>(text_[at]);
    if (byte < 0x80) return kPlain[byte] ? 1 : 0;
    const Decoded character = decode_multibyte(text_, at);
    if (character.size == 1) return 0;  // an invalid byte
    return unicode::is_plain(character.code_point) ? character.size : 0;
  }

  void copy_to(std::size_t end) {
    const std::string_view run = text_.substr(at_, end - at_);
    if (options_.lower_case) {
      append_lower_ascii(run, out_.text);
    } else {
      out_.text.append(run);
    }
    at_ = end;
  }

  /// Copies words and the single spaces between them.
  void copy_plain() {
    std::size_t end = at_;
    while (end < text_.size()) {
      std::uint32_t size = plain_size(end);
      if (size == 0 && text_[end] == ' ' && end + 1 < text_.size() && plain_size(end + 1) > 0) size = 1;
      if (size == 0) break;
      end += size;
    }
    copy_to(end);
  }

  void step() {
    const char byte = text_[at_];
    if (byte == '`' || byte == '\'') return quote(byte);
    const Decoded character = decode(text_, at_);
    if (options_.remove_space && unicode::is_space(character.code_point)) return blanks();
    if (character.size == 1 && character.code_point < 0x80) return copy_to(at_ + 1);
    rewrite(character);
  }

  void quote(char byte) {
    if (at_ + 1 == text_.size() || text_[at_ + 1] != byte) return copy_to(at_ + 1);
    const std::size_t from = at_, made = out_.text.size();
    out_.text.push_back('"');
    at_ += 2;
    add_edit(from, made);
  }

  void blanks() {
    const std::size_t from = at_, made = out_.text.size();
    at_ = blanks_end();
    if (at_ < text_.size()) out_.text.push_back(' ');
    if (at_ - from != out_.text.size() - made) add_edit(from, made);
  }

  [[nodiscard]] std::size_t blanks_end() const {
    std::size_t end = at_;
    while (end < text_.size()) {
      const Decoded character = decode(text_, end);
      if (!unicode::is_space(character.code_point)) break;
      end += character.size;
    }
    return end;
  }

  void rewrite(Decoded character) {
    const std::size_t from = at_, made = out_.text.size();
    if (options_.keep_accents) {
      append(character.code_point);
    } else {
      const unicode::Unaccented letters(character.code_point);
      for (const char32_t letter : letters.view()) append(letter);
    }
    at_ += character.size;
    const std::size_t size = out_.text.size() - made;
    if (size != character.size || decode(out_.text, made).size != size) add_edit(from, made);
  }

  void append(char32_t code_point) {
    if (!options_.lower_case) return encode(code_point, out_.text);
    if (code_point == kCapitalSigma) out_.sigmas.push_back(static_cast<std::uint32_t>(out_.text.size()));
    append_lower(code_point, out_.text);
  }

  void add_edit(std::size_t from, std::size_t made) {
    out_.edits.push_back({{static_cast<std::uint32_t>(made), static_cast<std::uint32_t>(out_.text.size())},
                          {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(at_)}});
  }

  std::string_view text_;
  PreprocessOptions options_;
  Preprocessed& out_;
  std::size_t at_ = 0;
};

}  // namespace

Span Preprocessed::original_of(std::uint32_t byte) const {
  const auto next = std::upper_bound(edits.begin(), edits.end(), byte,
                                     [](std::uint32_t at, const Edit& edit) { return at < edit.made.begin; });
  const Edit last = next == edits.begin() ? Edit{} : *std::prev(next);
  if (byte < last.made.end) return last.from;
  std::uint32_t begin = byte, end = byte + 1;
  while (begin > 0 && is_continuation(text[begin])) --begin;
  while (end < text.size() && is_continuation(text[end])) ++end;
  return {last.from.end + (begin - last.made.end), last.from.end + (end - last.made.end)};
}

Span Preprocessed::original(Span preprocessed) const {
  const auto size = static_cast<std::uint32_t>(text.size());
  if (size == 0) return {};
  if (preprocessed.begin >= size) {
    const std::uint32_t end = original_of(size - 1).end;
    return {end, end};
  }
  const std::uint32_t begin = original_of(preprocessed.begin).begin;
  if (preprocessed.size() == 0) return {begin, begin};
  return {begin, original_of(preprocessed.end - 1).end};
}

void albert_preprocess(std::string_view text, const PreprocessOptions& options, Preprocessed& out) {
  out.text.clear();
  out.edits.clear();
  out.sigmas.clear();
  out.text.reserve(text.size());
  Preprocessor(text, options, out).run();
}

}  // namespace albert_fast::text
