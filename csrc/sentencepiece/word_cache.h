#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sentencepiece/word_key.h"
#include "sentencepiece/word_pieces.h"

namespace albert_fast::sentencepiece {

/// A lossy table from words to their pieces: fixed memory, mostly one cache line per look, no locks. Readers
/// never write entries. A writer claims an entry by making its version odd; whoever sees a version change
/// while reading, or finds an entry claimed, treats it as a miss. So any number of threads may share it.
class WordCache {
 public:
  /// Uses at most `bytes` (0: no cache, every look is a miss); memory is only touched as it is used.
  explicit WordCache(std::size_t bytes);

  /// Whether the word came before (rarely wrong): only then its entry is worth a look. Starts bringing that
  /// into the processor's cache, so that a look soon after does not wait for memory.
  [[nodiscard]] bool was_seen(std::uint64_t hash) const {
    if (table_ == nullptr) return false;
    const std::atomic_ref<std::uint8_t> byte(seen_[seen_byte(hash)]);
    const bool seen = (byte.load(std::memory_order_relaxed) & seen_bit(hash)) != 0;
    __builtin_prefetch(seen ? entry(hash, 0) : table_);
    return seen;
  }
  /// Notes that the word has come. Most words of a new text never come again; only what comes twice is worth
  /// an entry.
  void note(std::uint64_t hash);

  /// The quick way for most words: a plain word in the first place of its hash. Its few instructions are the
  /// same for every word, with one question at the end.
  [[nodiscard]] bool look_plain(const WordKey& key, std::uint64_t hash, PlainPieces& out) const {
    std::uint64_t* const words = entry(hash, 0);
    const std::uint64_t header = read(words[0]);
    const auto [low, high] = key.tail();
    const std::uint64_t other_word = (read(words[2]) ^ low) | (read(words[3]) ^ high);
    out.pairs = {read(words[4]), read(words[5])};
    out.ends = read(words[1]);
    out.count = WordPieces::count_of(header);
    out.safe_score = WordPieces::safe_score_of(header);
    const std::uint64_t other_version = header ^ std::atomic_ref(words[0]).load(std::memory_order_relaxed);
    return (other_word | other_version | WordPieces::plain_difference(header, key.size())) == 0;
  }
  [[nodiscard]] bool look(const WordKey& key, std::uint64_t hash, WordPieces& out) const;
  void keep(std::uint64_t hash, const WordPieces& pieces);

 private:
  struct Free {
    void operator()(void* memory) const;
  };

  // Acquire on every load keeps the second look at the version behind them; on x86 it costs nothing.
  static std::uint64_t read(std::uint64_t& word) {
    return std::atomic_ref(word).load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t* entry(std::uint64_t hash, std::size_t way) const {
    return table_ + ((hash & mask_) ^ way) * WordPieces::kWords;
  }
  [[nodiscard]] std::size_t seen_byte(std::uint64_t hash) const { return hash >> 40 & mask_; }
  static std::uint8_t seen_bit(std::uint64_t hash) {
    return static_cast<std::uint8_t>(1U << (hash >> 37 & 7));
  }

  std::unique_ptr<void, Free> memory_;
  std::unique_ptr<std::uint8_t[]> seen_;  // 8 bits per entry
  std::uint64_t* table_ = nullptr;
  std::size_t mask_ = 0;
};

}  // namespace albert_fast::sentencepiece
