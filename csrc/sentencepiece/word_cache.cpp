#include "sentencepiece/word_cache.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <new>

#include "base/large_pages.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr std::size_t kEntryBytes = 8 * WordPieces::kWords;
constexpr std::uint64_t kVersion = 0xFFFFFF;
constexpr std::size_t kWays = 4;  // places where a word may stand

void write(std::uint64_t& word, std::uint64_t value) {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

}  // namespace

void WordCache::Free::operator()(void* memory) const { std::free(memory); }

WordCache::WordCache(std::size_t bytes) {
  if (bytes < kWays * kEntryBytes) return;
  const std::size_t entries = std::bit_floor(bytes / kEntryBytes);
  // calloc, so that memory that is never used is never touched; one entry more to align the first.
  memory_.reset(std::calloc(entries + 1, kEntryBytes));
  if (memory_ == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
  char* const first = static_cast<char*>(memory_.get()) + (kEntryBytes - address % kEntryBytes) % kEntryBytes;
  prefer_large_pages(first, entries * kEntryBytes);  // looks go all over the table
  table_ = reinterpret_cast<std::uint64_t*>(first);
  mask_ = entries - 1;
  seen_ = std::make_unique<std::uint8_t[]>(entries);
}

void WordCache::note(std::uint64_t hash) {
  if (table_ == nullptr) return;
  // Two threads may lose one bit to each other: then a word has to come once more.
  const std::atomic_ref<std::uint8_t> byte(seen_[seen_byte(hash)]);
  const std::uint8_t seen = byte.load(std::memory_order_relaxed);
  byte.store(static_cast<std::uint8_t>(seen | seen_bit(hash)), std::memory_order_relaxed);
}

bool WordCache::look(const WordKey& key, std::uint64_t hash, WordPieces& out) const {
  if (table_ == nullptr) return false;
  const auto [low, high] = key.tail();
  const auto head = key.head();
  const std::size_t head_words = WordPieces::head_words(key.size());
  for (std::size_t way = 0; way < kWays; ++way) {
    std::uint64_t* const words = entry(hash, way);
    out.words_[0] = read(words[0]);
    if (out.word_size() != key.size() || (out.words_[0] & 1) != 0) continue;
    std::uint64_t difference = (read(words[2]) ^ low) | (read(words[3]) ^ high);
    for (std::size_t i = 0; i < head_words; ++i) {
      difference |= read(words[WordPieces::kLineWords + i]) ^ head[i];
    }
    if (difference != 0) continue;
    const std::size_t used = std::min(out.used_words(), WordPieces::kWords);
    for (std::size_t i = 1; i < used; ++i) out.words_[i] = read(words[i]);
    if (std::atomic_ref(words[0]).load(std::memory_order_relaxed) == out.words_[0]) return true;
  }
  return false;
}

void WordCache::keep(std::uint64_t hash, const WordPieces& pieces) {
  if (table_ == nullptr) return;
  // The first free place, or one that the hash picks.
  std::uint64_t* words = nullptr;
  std::uint64_t header = 1;
  for (std::size_t way = 0; way <= kWays && header != 0; ++way) {
    words = entry(hash, way < kWays ? way : hash >> 62);
    header = read(words[0]);
  }
  // Someone else writes here: the word will come again.
  if ((header & 1) != 0 || !std::atomic_ref(words[0]).compare_exchange_strong(header, header | 1)) return;
  for (std::size_t i = 1; i < pieces.used_words(); ++i) write(words[i], pieces.words_[i]);
  write(words[0], (pieces.words_[0] & ~kVersion) | ((header + 2) & kVersion));
}

}  // namespace albert_fast::sentencepiece
