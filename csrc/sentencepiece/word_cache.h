#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace albert_fast::sentencepiece {

/// A short word as zero-padded 64-bit words, and its hash.
class WordKey {
 public:
  static constexpr std::size_t kMaxBytes = 48;

  WordKey() = default;
  /// `word` has 1 to kMaxBytes bytes; memory from `word` up to `readable_end` may be read.
  WordKey(std::string_view word, const char* readable_end);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint64_t> words() const { return {words_.data(), (size_ + 7) / 8}; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  std::array<std::uint64_t, kMaxBytes / 8> words_;
  std::size_t size_ = 0;
  std::uint64_t hash_ = 0;
};

/// What a short word becomes, for most words in one cache line. 64-bit words:
///   0     version (24 bits, odd while written) | word size (6) | pieces (4) | flags (4) | safe score (26,
///   truncated) 1...  the word, zero-padded; then per piece its id (4 bytes), then per piece its end in the
///   word (1 byte), then,
///         with kHasNodes, per piece the number of lattice nodes behind it (1 byte; otherwise each has one)
class WordPieces {
 public:
  static constexpr std::size_t kWords = 16, kMaxPieces = 15;
  static constexpr std::uint32_t kSkippedLeadingSpace = 1, kDroppedTrailingSpace = 2, kHasNodes = 4;
  struct Item {
    std::int32_t id;
    std::uint32_t end, nodes;
  };

  [[nodiscard]] std::size_t count() const { return words_[0] >> 30 & 15; }
  [[nodiscard]] std::uint32_t flags() const { return static_cast<std::uint32_t>(words_[0] >> 34 & 15); }
  WordPieces() { words_[0] = 0; }  // the rest is only read as far as the first word says

  /// See Lattice::safe_start_score.
  [[nodiscard]] float safe_score() const {
    const auto bits = static_cast<std::uint32_t>(words_[0] >> 38 << 6);
    float score = 0.0F;
    std::memcpy(&score, &bits, sizeof score);
    return score;
  }
  [[nodiscard]] std::int32_t id(std::size_t i) const {
    std::int32_t id = 0;
    std::memcpy(&id, payload() + 4 * i, sizeof id);
    return id;
  }
  [[nodiscard]] std::uint32_t end(std::size_t i) const { return payload()[4 * count() + i]; }
  [[nodiscard]] std::uint32_t nodes(std::size_t i) const {
    return (flags() & kHasNodes) == 0 ? 1 : payload()[5 * count() + i];
  }

  /// False when it does not fit.
  bool pack(const WordKey& key, std::span<const Item> items, std::uint32_t flags, float safe_score);

 private:
  friend class WordCache;
  [[nodiscard]] std::size_t used_words() const {
    return 1 + (word_size() + 7) / 8 + (((flags() & kHasNodes) == 0 ? 5 : 6) * count() + 7) / 8;
  }
  [[nodiscard]] std::size_t word_size() const { return words_[0] >> 24 & 63; }
  [[nodiscard]] const std::uint8_t* payload() const {
    return reinterpret_cast<const std::uint8_t*>(words_.data() + 1 + (word_size() + 7) / 8);
  }

  std::array<std::uint64_t, kWords> words_;
};

/// A lossy table from words to their pieces: fixed memory, mostly one cache line per look, no locks. Readers
/// never write entries. A writer claims an entry by making its version odd; whoever sees a version change
/// while reading, or finds an entry claimed, treats it as a miss. So any number of threads may share it.
class WordCache {
 public:
  /// Uses at most `bytes` (0: no cache, every look is a miss); memory is only touched as it is used.
  explicit WordCache(std::size_t bytes);

  /// Starts bringing an entry into the processor's cache; a look soon after does not wait for memory.
  void prefetch(const WordKey& key) const {
    if (table_ == nullptr || !is_seen(key)) return;
    __builtin_prefetch(table_ + (key.hash() & mask_) * WordPieces::kWords);
  }
  /// Whether the word came before (rarely wrong), and notes that it has come now. Most words of a new text
  /// never come again; only what comes twice is worth an entry.
  bool was_seen(const WordKey& key);
  [[nodiscard]] bool look(const WordKey& key, WordPieces& out) const;
  void keep(const WordKey& key, const WordPieces& pieces);

 private:
  struct Free {
    void operator()(void* memory) const;
  };

  [[nodiscard]] std::size_t seen_byte(const WordKey& key) const { return key.hash() >> 40 & mask_; }
  [[nodiscard]] bool is_seen(const WordKey& key) const {
    const std::atomic_ref<std::uint8_t> byte(seen_[seen_byte(key)]);
    return (byte.load(std::memory_order_relaxed) & seen_bit(key)) != 0;
  }
  static std::uint8_t seen_bit(const WordKey& key) {
    return static_cast<std::uint8_t>(1U << (key.hash() >> 37 & 7));
  }

  std::unique_ptr<void, Free> memory_;
  std::unique_ptr<std::uint8_t[]> seen_;  // 8 bits per entry
  std::uint64_t* table_ = nullptr;
  std::size_t mask_ = 0;
};

}  // namespace albert_fast::sentencepiece
