#include "sentencepiece/normalizer.h"

#include <algorithm>

#include "sentencepiece/utf8_step.h"

namespace albert_fast::sentencepiece {
namespace {

// The oracle looks at no more than this many user-defined symbols that are prefixes of each other.
constexpr int kMaxNestedSymbols = 64;
constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

std::vector<PieceTrie::Key> user_defined_keys(const ModelFile& file) {
  std::vector<PieceTrie::Key> keys;
  for (const PieceRecord& piece : file.pieces) {
    if (piece.type == PieceType::user_defined) keys.push_back({piece.text, 0});
  }
  std::ranges::sort(keys, {}, &PieceTrie::Key::text);
  const auto repeated = std::ranges::unique(keys, {}, &PieceTrie::Key::text);
  keys.erase(repeated.begin(), repeated.end());
  return keys;
}

}  // namespace

void Normalized::clear() {
  size_ = 0;
  skipped_leading_space = false;
  dropped_trailing_space = false;
  is_one_word_ = false;
}

char* Normalized::begin_one_word(std::size_t size) {
  clear();
  reserve(size + kMarkBytes + 1);
  is_one_word_ = true;
  size_ = size + kMarkBytes;
  bytes_[size_] = '\0';
  std::copy_n(Normalizer::kSpaceMark.data(), kMarkBytes, bytes_.get());
  return bytes_.get() + kMarkBytes;
}

void Normalized::reserve(std::size_t bytes) {
  if (bytes <= capacity_) return;
  auto more_bytes = std::make_unique_for_overwrite<char[]>(bytes);
  auto more_origins = std::make_unique_for_overwrite<std::uint32_t[]>(bytes + 1);
  std::copy_n(bytes_.get(), size_, more_bytes.get());
  std::copy_n(origins_.get(), size_, more_origins.get());
  bytes_ = std::move(more_bytes);
  origins_ = std::move(more_origins);
  capacity_ = bytes;
}

Normalizer::Normalizer(const ModelFile& file)
    : charsmap_(file.charsmap),
      add_dummy_prefix_(file.add_dummy_prefix),
      remove_extra_(file.remove_extra_whitespaces),
      escape_(file.escape_whitespaces),
      suffix_(file.whitespace_as_suffix) {
  const std::vector<PieceTrie::Key> keys = user_defined_keys(file);
  user_defined_ = PieceTrie::build(keys);
  for (const PieceTrie::Key& key : keys) {
    user_defined_first_.set(static_cast<std::uint8_t>(key.text[0]));
    if (key.text.size() > 1) user_defined_longer_.set(static_cast<std::uint8_t>(key.text[0]));
    for (const char c : key.text) user_defined_bytes_.set(static_cast<std::uint8_t>(c));
  }
  classify_ascii();
}

void Normalizer::classify_ascii() {
  for (std::size_t i = 0; i < 128; ++i) {
    const char c = static_cast<char>(i);
    if (user_defined_first_[i]) {
      // Symbols go before rules; one of a single byte, with no longer one to prefer, just stays.
      if (user_defined_longer_[i] || c == ' ') continue;
      actions_[i] = Action::keep;
      kept_[i] = c;
      continue;
    }
    if (charsmap_.before_ascii()[i]) continue;
    const Charsmap::Match match = charsmap_.longest({&c, 1});
    const std::string_view out = match.size == 0 ? std::string_view(&c, 1) : match.replacement;
    if (out == " ") {
      actions_[i] = Action::space;
      const bool is_inside = charsmap_.inside_long_rules()[i] || user_defined_bytes_[i];
      if (!is_inside) separators_.set(i);
    } else if (out.size() == 1) {
      actions_[i] = Action::keep;
      kept_[i] = out[0];
    }
  }
  separable_ = add_dummy_prefix_ && escape_ && !suffix_;
  for (std::size_t i = 0; separable_ && i < 128; ++i) {
    if (actions_[i] == Action::keep) quick_[i] = kept_[i];
  }
}

Normalizer::Step Normalizer::step(std::string_view rest) const {
  const auto lead = static_cast<std::uint8_t>(rest[0]);
  if (user_defined_first_[lead]) {
    const std::size_t size = user_defined_.longest_prefix(rest, kMaxNestedSymbols);
    if (size != 0) return {rest.substr(0, size), size};
  }
  if (charsmap_.first_bytes()[lead]) {
    const Charsmap::Match match = charsmap_.longest(rest);
    if (match.size != 0) return {match.replacement, match.size};
  }
  const std::size_t size = valid_char_size(rest.data(), rest.size());
  if (size == 0) return {kReplacementCharacter, 1};
  return {rest.substr(0, size), size};
}

/// One pass over one text. Raw pointers into buffers that are always big enough for the next step.
class Normalizer::Run {
 public:
  Run(const Normalizer& rules, std::string_view text, Normalized& out)
      : rules_(rules), text_(text), out_(out), mark_(rules.escape_ ? kSpaceMark : std::string_view(" ")) {
    out_.clear();
    out_.reserve(text.size() + text.size() / 2 + 64);
  }

  void all() {
    if (rules_.remove_extra_) skip_leading_space();
    if (at_ < text_.size()) {
      if (rules_.add_dummy_prefix_ && !rules_.suffix_) put_mark();
      body();
      if (rules_.remove_extra_) drop_trailing_space();
      if (rules_.add_dummy_prefix_ && rules_.suffix_) put_mark();
    }
    out_.finish(at_);
  }

 private:
  void skip_leading_space() {
    while (at_ < text_.size()) {
      if (action() == Action::keep) return;
      const Step step = rules_.step(text_.substr(at_));
      if (step.out != " ") return;
      at_ += static_cast<std::uint32_t>(step.consumed);
      out_.skipped_leading_space = true;
    }
  }

  /// What happens to the byte at `at_` when nothing but itself has a say: no rule goes from ASCII on to
  /// ASCII.
  [[nodiscard]] Action action() const {
    const bool before_ascii = at_ + 1 == text_.size() || static_cast<std::uint8_t>(text_[at_ + 1]) < 0x80;
    return before_ascii ? rules_.actions_[static_cast<std::uint8_t>(text_[at_])] : Action::general;
  }

  void body() {
    bool after_space = rules_.remove_extra_;
    while (at_ < text_.size()) {
      const Action next = action();
      if (next == Action::keep) {
        out_.push(rules_.kept_[static_cast<std::uint8_t>(text_[at_])], at_);
        ++at_;
        after_space = false;
      } else if (next == Action::space) {
        if (!after_space) put_mark();
        after_space = rules_.remove_extra_;
        ++at_;
      } else {
        general(after_space);
      }
    }
  }

  void general(bool& after_space) {
    Step step = rules_.step(text_.substr(at_));
    while (after_space && step.out.starts_with(' ')) step.out.remove_prefix(1);
    if (!step.out.empty()) {
      for (const char c : step.out) {
        if (c == ' ') {
          put_mark();
        } else {
          out_.push(c, at_);
        }
      }
      after_space = step.out.ends_with(' ');
    }
    if (!rules_.remove_extra_) after_space = false;
    at_ += static_cast<std::uint32_t>(step.consumed);
  }

  void put_mark() {
    for (const char c : mark_) out_.push(c, at_);
  }

  void drop_trailing_space() {
    while (out_.view().ends_with(mark_)) {
      out_.shrink(out_.size() - mark_.size());
      at_ = out_.origin(out_.size());
      out_.dropped_trailing_space = true;
    }
  }

  const Normalizer& rules_;
  std::string_view text_;
  Normalized& out_;
  std::string_view mark_;
  std::uint32_t at_ = 0;
};

/// Most words are ASCII that is kept. All bytes are copied first; whether that was right is asked once, at
/// the end.
bool Normalizer::run_quickly(std::string_view text, Normalized& out) const {
  if (text.size() > Normalized::kMostWordBytes) return false;
  char* const to = out.begin_one_word(text.size());
  bool is_right = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    to[i] = quick_[static_cast<std::uint8_t>(text[i])];
    is_right &= to[i] != 0;
  }
  return is_right;
}

void Normalizer::run(std::string_view text, Normalized& out) const {
  if (text.empty()) {
    out.clear();
    out.finish(0);
    return;
  }
  if (!run_quickly(text, out)) Run(*this, text, out).all();
}

}  // namespace albert_fast::sentencepiece
