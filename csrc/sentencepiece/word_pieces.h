#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "sentencepiece/word_key.h"

namespace albert_fast::sentencepiece {

/// What a word becomes, as it lies in the cache. 64-bit words, for most entries in the first cache line only:
/// - 0: version (24 bits, odd while written), word size (6), pieces (4), flags (4), safe score (26)
/// - 1: where the first eight pieces end in the word, a byte each
/// - 2, 3: the word's last 16 bytes, zeros before a shorter one
/// - 4 to 7: ids of the first eight pieces
/// - from 8 on: what stands before the last 16 bytes, zero-padded; of the pieces behind the eighth the ids,
///   then the ends; with kHasNodes of every piece the number of lattice nodes it stands for, a byte each
///   (otherwise one)
class WordPieces {
 public:
  static constexpr std::size_t kWords = 16, kLineWords = 8, kMaxPieces = 15;
  static constexpr std::uint32_t kSkippedLeadingSpace = 1, kDroppedTrailingSpace = 2, kHasNodes = 4,
                                 kIsPlain = 8;
  static constexpr std::size_t kMaxPlainPieces = 4;
  struct Item {
    std::int32_t id;
    std::uint32_t end, nodes;
  };

  WordPieces() { words_[0] = 0; }  // the rest is only read as far as the first word says

  [[nodiscard]] std::size_t count() const { return count_of(words_[0]); }
  [[nodiscard]] std::uint32_t flags() const { return static_cast<std::uint32_t>(words_[0] >> 34 & 15); }
  /// See Lattice::safe_start_score.
  [[nodiscard]] float safe_score() const { return safe_score_of(words_[0]); }
  [[nodiscard]] std::int32_t id(std::size_t i) const {
    if (i >= kInLine) return load<std::int32_t>(tail_at() + 4 * (i - kInLine));
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(words_[4 + i / 2] >> (32 * (i % 2))));
  }
  [[nodiscard]] std::uint32_t end(std::size_t i) const {
    if (i >= kInLine) return load<std::uint8_t>(tail_at() + 4 * extra(count()) + (i - kInLine));
    return static_cast<std::uint32_t>(words_[1] >> (8 * i) & 0xFF);
  }
  [[nodiscard]] std::uint32_t nodes(std::size_t i) const {
    return (flags() & kHasNodes) == 0 ? 1 : load<std::uint8_t>(tail_at() + 5 * extra(count()) + i);
  }

  /// False when it does not fit. Flags that the items decide are added. `mark_id` is the bare space mark's: a
  /// word is plain when it is short, becomes few pieces of one node each, none but the first of them a bare
  /// mark, and its white space does not depend on its neighbours.
  bool pack(const WordKey& key, std::span<const Item> items, std::uint32_t flags, float safe_score,
            std::int32_t mark_id);

 private:
  friend class WordCache;
  static constexpr std::size_t kInLine = 8;
  static constexpr std::size_t count_of(std::uint64_t header) { return header >> 30 & 15; }
  static float safe_score_of(std::uint64_t header) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(header >> 38 << 6));
  }
  /// 0 for the header of a plain word of this size that nobody is writing.
  static constexpr std::uint64_t plain_difference(std::uint64_t header, std::size_t word_size) {
    constexpr std::uint64_t kPlain = std::uint64_t{kIsPlain} << 34, kSize = std::uint64_t{63} << 24;
    return (header & (kPlain | kSize | 1)) ^ (kPlain | word_size << 24);
  }
  static constexpr std::size_t extra(std::size_t count) { return count > kInLine ? count - kInLine : 0; }
  static constexpr std::size_t head_words(std::size_t word_size) {
    return word_size > WordKey::kShortBytes ? (word_size - WordKey::kShortBytes + 7) / 8 : 0;
  }

  template <class T>
  [[nodiscard]] T load(std::size_t at) const {
    T value{};
    std::memcpy(&value, reinterpret_cast<const char*>(words_.data()) + at, sizeof value);
    return value;
  }
  [[nodiscard]] std::size_t word_size() const { return words_[0] >> 24 & 63; }
  [[nodiscard]] std::size_t tail_at() const { return 8 * (kLineWords + head_words(word_size())); }
  [[nodiscard]] std::size_t used_words() const {
    const std::size_t nodes = (flags() & kHasNodes) == 0 ? 0 : count();
    return (tail_at() + 5 * extra(count()) + nodes + 7) / 8;
  }

  std::array<std::uint64_t, kWords> words_;
};

/// A plain word's entry as it was read: all that such a word needs.
struct PlainPieces {
  std::array<std::uint64_t, 2> pairs;  // of ids, the first in the lower half
  std::uint64_t ends;                  // a byte each, the first lowest
  std::size_t count;
  float safe_score;

  [[nodiscard]] std::int32_t id(std::size_t i) const {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(pairs[i / 2] >> (32 * (i % 2))));
  }
  [[nodiscard]] std::uint32_t end(std::size_t i) const {
    return static_cast<std::uint32_t>(ends >> (8 * i) & 0xFF);
  }
  /// Leaves the first id out if it is this one; without a branch. The ends stay.
  void drop_first_id(std::int32_t unwanted) {
    const bool drops = id(0) == unwanted;
    pairs[0] = drops ? pairs[0] >> 32 | pairs[1] << 32 : pairs[0];
    pairs[1] >>= drops ? 32 : 0;
    count -= drops ? 1 : 0;
  }
};

}  // namespace albert_fast::sentencepiece
