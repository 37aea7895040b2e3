#include "sentencepiece/word_cache.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <new>

namespace albert_fast::sentencepiece {
namespace {

constexpr std::size_t kEntryBytes = 8 * WordPieces::kWords;
constexpr std::uint64_t kVersion = 0xFFFFFF;
constexpr std::size_t kWays = 4;  // places where a word may stand

std::uint64_t load64(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, 8);
  return value;
}
std::uint64_t load32(const char* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}

/// The last 1 to 7 bytes of a word, `whole` words of 8 before them, without reading outside the word.
std::uint64_t load_rest(const char* bytes, std::size_t rest, std::size_t whole) {
  if (whole != 0) return load64(bytes + rest - 8) >> (8 * (8 - rest));
  if (rest >= 4) return load32(bytes) | load32(bytes + rest - 4) << (8 * (rest - 4));
  const auto byte = [bytes](std::size_t i) {
    return std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  };
  return byte(0) | byte(rest / 2) | byte(rest - 1);
}

std::uint64_t mix(std::uint64_t a) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * 0xD6E8FEB86659FD93U;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Acquire on every load keeps the second look at the version behind them; on x86 it costs nothing.
std::uint64_t read(std::uint64_t& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
void write(std::uint64_t& word, std::uint64_t value) {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

}  // namespace

WordKey::WordKey(std::string_view word, const char* readable_end) : size_(word.size()) {
  const char* bytes = word.data();
  const std::size_t whole = size_ / 8, rest = size_ % 8;
  hash_ = 0x9E3779B97F4A7C15U ^ size_;
  for (std::size_t i = 0; i < whole; ++i, bytes += 8) {
    words_[i] = load64(bytes);
    hash_ = mix(hash_ ^ words_[i]);
  }
  if (rest == 0) return;
  // One load and a mask instead of a choice by size, wherever the text goes on behind the word.
  const bool goes_on = readable_end - bytes >= 8;
  words_[whole] =
      goes_on ? load64(bytes) & ~(~std::uint64_t{0} << (8 * rest)) : load_rest(bytes, rest, whole);
  hash_ = mix(hash_ ^ words_[whole]);
}

bool WordPieces::pack(const WordKey& key, std::span<const Item> items, std::uint32_t flags,
                      float safe_score) {
  bool has_nodes = false;
  for (const Item& item : items) {
    if (item.nodes > 255) return false;
    has_nodes |= item.nodes != 1;
  }
  if (has_nodes) flags |= kHasNodes;
  const std::size_t bytes = (has_nodes ? 6 : 5) * items.size(), key_words = key.words().size();
  if (items.size() > kMaxPieces || bytes > 8 * (kWords - 1 - key_words)) return false;
  const std::uint64_t safe_bits = std::bit_cast<std::uint32_t>(safe_score) >> 6;  // towards zero: stays safe
  words_ = {};
  words_[0] = std::uint64_t{key.size()} << 24 | std::uint64_t{items.size()} << 30 |
              std::uint64_t{flags} << 34 | safe_bits << 38;
  for (std::size_t i = 0; i < key_words; ++i) words_[1 + i] = key.words()[i];
  // In a buffer of its own size first: what a piece's place may be is plain to see there.
  std::array<std::uint8_t, 6 * kMaxPieces + 6> payload{};
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::memcpy(payload.data() + 4 * i, &items[i].id, 4);
    payload[4 * items.size() + i] = static_cast<std::uint8_t>(items[i].end);
    if (has_nodes) payload[5 * items.size() + i] = static_cast<std::uint8_t>(items[i].nodes);
  }
  std::memcpy(words_.data() + 1 + key_words, payload.data(), bytes);
  return true;
}

void WordCache::Free::operator()(void* memory) const { std::free(memory); }

WordCache::WordCache(std::size_t bytes) {
  if (bytes < kWays * kEntryBytes) return;
  const std::size_t entries = std::bit_floor(bytes / kEntryBytes);
  // calloc, so that memory that is never used is never touched; one entry more to align the first.
  memory_.reset(std::calloc(entries + 1, kEntryBytes));
  if (memory_ == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
  char* const first = static_cast<char*>(memory_.get()) + (kEntryBytes - address % kEntryBytes) % kEntryBytes;
#ifdef __linux__
  // Looks go all over the table; large pages save most of the page faults and address translations.
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  const std::size_t skip = (kLargePage - reinterpret_cast<std::uintptr_t>(first) % kLargePage) % kLargePage;
  if (entries * kEntryBytes >= 2 * kLargePage)
    (void)madvise(first + skip, entries * kEntryBytes - skip, MADV_HUGEPAGE);
#endif
  table_ = reinterpret_cast<std::uint64_t*>(first);
  mask_ = entries - 1;
  seen_ = std::make_unique<std::uint8_t[]>(entries);
}

bool WordCache::was_seen(const WordKey& key) {
  if (table_ == nullptr) return false;
  const std::atomic_ref<std::uint8_t> byte(seen_[seen_byte(key)]);
  const std::uint8_t seen = byte.load(std::memory_order_relaxed);
  if ((seen & seen_bit(key)) != 0) return true;
  // Two threads may lose one bit to each other: then a word has to come once more.
  byte.store(static_cast<std::uint8_t>(seen | seen_bit(key)), std::memory_order_relaxed);
  return false;
}

bool WordCache::look(const WordKey& key, WordPieces& out) const {
  if (table_ == nullptr) return false;
  constexpr std::size_t kWords = WordPieces::kWords;
  const std::span<const std::uint64_t> words = key.words();
  for (std::size_t way = 0; way < kWays; ++way) {
    std::uint64_t* const entry = table_ + ((key.hash() & mask_) ^ way) * kWords;
    out.words_[0] = read(entry[0]);
    if (out.word_size() != key.size()) continue;
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < words.size(); ++i) difference |= read(entry[1 + i]) ^ words[i];
    if (difference != 0 || (out.words_[0] & 1) != 0) continue;
    const std::size_t used = std::min(out.used_words(), kWords);
    for (std::size_t i = 1; i < used; ++i) out.words_[i] = read(entry[i]);
    if (std::atomic_ref(entry[0]).load(std::memory_order_relaxed) == out.words_[0]) return true;
  }
  return false;
}

void WordCache::keep(const WordKey& key, const WordPieces& pieces) {
  if (table_ == nullptr) return;
  // The first free place, or one that the hash picks.
  std::uint64_t* entry = nullptr;
  std::uint64_t header = 1;
  for (std::size_t way = 0; way <= kWays && header != 0; ++way) {
    const std::size_t place = way < kWays ? way : key.hash() >> 62;
    entry = table_ + ((key.hash() & mask_) ^ place) * WordPieces::kWords;
    header = read(entry[0]);
  }
  // Someone else writes here: the word will come again.
  if ((header & 1) != 0 || !std::atomic_ref(entry[0]).compare_exchange_strong(header, header | 1)) return;
  for (std::size_t i = 1; i < pieces.used_words(); ++i) write(entry[i], pieces.words_[i]);
  write(entry[0], (pieces.words_[0] & ~kVersion) | ((header + 2) & kVersion));
}

}  // namespace albert_fast::sentencepiece
