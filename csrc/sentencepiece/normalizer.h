#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sentencepiece/charsmap.h"
#include "sentencepiece/model_file.h"
#include "sentencepiece/piece_trie.h"

namespace albert_fast::sentencepiece {

/// A normalized text with the origin of each of its bytes. Kept between calls so that memory is reused.
class Normalized {
 public:
  bool skipped_leading_space = false;
  bool dropped_trailing_space = false;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  /// Where byte `i` comes from in the text; `i == size()` is allowed: the end of the last piece.
  [[nodiscard]] std::uint32_t origin(std::size_t i) const {
    if (!is_one_word_) return origins_[i];
    return i < kMarkBytes ? 0 : static_cast<std::uint32_t>(i - kMarkBytes);
  }
  static constexpr std::size_t kMostWordBytes = 64;
  /// A mark and up to kMostWordBytes of ASCII, a NUL behind them, each byte from one byte of the text.
  [[nodiscard]] bool is_one_word() const { return is_one_word_; }

  void clear();
  /// Room for a word of so many bytes behind its mark.
  char* begin_one_word(std::size_t size);
  void push(char byte, std::uint32_t origin) {
    if (size_ == capacity_) reserve(capacity_ * 2);
    bytes_[size_] = byte;
    origins_[size_++] = origin;
  }
  void shrink(std::size_t size) { size_ = size; }
  void finish(std::uint32_t end) { origins_[size_] = end; }
  void reserve(std::size_t bytes);
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  static constexpr std::size_t kMarkBytes = 3;

  // Not vectors: those would clear memory that is about to be overwritten.
  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<std::uint32_t[]> origins_ = std::make_unique<std::uint32_t[]>(1);
  std::size_t size_ = 0, capacity_ = 0;
  bool is_one_word_ = false;
};

/// Rewrites a text as the model wants it: rules, white space, `▁` marks. Immutable.
class Normalizer {
 public:
  /// The word boundary mark U+2581.
  static constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

  Normalizer() = default;
  explicit Normalizer(const ModelFile& file);

  /// Appends nothing to what `out` held before: it is overwritten. `text` must be below 2 GiB.
  void run(std::string_view text, Normalized& out) const;

  /// ASCII bytes that always become exactly one space, whatever stands around them.
  [[nodiscard]] const std::bitset<256>& separators() const { return separators_; }
  /// Whether a text may be cut at separators, its parts normalized alone, each with a dummy prefix.
  [[nodiscard]] bool separable() const { return separable_; }
  [[nodiscard]] bool removes_extra_spaces() const { return remove_extra_; }

 private:
  enum class Action : std::uint8_t { general, keep, space };
  struct Step {
    std::string_view out;
    std::size_t consumed;
  };
  class Run;

  [[nodiscard]] Step step(std::string_view rest) const;
  void classify_ascii();
  bool run_quickly(std::string_view text, Normalized& out) const;

  Charsmap charsmap_;
  PieceTrie user_defined_;
  std::bitset<256> user_defined_first_;
  std::bitset<256> user_defined_longer_, user_defined_bytes_;
  std::array<Action, 256> actions_{};
  std::array<char, 128> kept_{};
  std::array<char, 256> quick_{};  // what is kept of a byte in an ASCII word; 0: look closer
  std::bitset<256> separators_;
  bool separable_ = false;
  bool add_dummy_prefix_ = true, remove_extra_ = true, escape_ = true, suffix_ = false;
};

}  // namespace albert_fast::sentencepiece
