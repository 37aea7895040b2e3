#include "sentencepiece/word_pieces.h"

#include <algorithm>

namespace albert_fast::sentencepiece {

bool WordPieces::pack(const WordKey& key, std::span<const Item> items, std::uint32_t flags, float safe_score,
                      std::int32_t mark_id) {
  const std::size_t count = items.size();
  if (count > kMaxPieces || key.size() > WordKey::kMaxBytes) return false;
  bool has_nodes = false, has_later_mark = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (items[i].nodes > 255) return false;
    has_nodes |= items[i].nodes != 1;
    has_later_mark |= i != 0 && items[i].id == mark_id;
  }
  const bool is_plain = flags == 0 && key.is_short() && count != 0 && count <= kMaxPlainPieces;
  if (has_nodes) flags |= kHasNodes;
  if (is_plain && !has_nodes && !has_later_mark) flags |= kIsPlain;
  const std::uint64_t safe_bits = std::bit_cast<std::uint32_t>(safe_score) >> 6;  // towards zero: stays safe
  words_ = {};
  words_[0] = std::uint64_t{key.size()} << 24 | std::uint64_t{count} << 30 | std::uint64_t{flags} << 34 |
              safe_bits << 38;
  if (used_words() > kWords) return false;
  std::ranges::copy(key.tail(), words_.begin() + 2);
  std::ranges::copy(key.head(), words_.begin() + kLineWords);
  char* const tail = reinterpret_cast<char*>(words_.data()) + tail_at();
  for (std::size_t i = 0; i < count; ++i) {
    if (i < kInLine) {
      words_[1] |= std::uint64_t{items[i].end} << (8 * i);
      words_[4 + i / 2] |= std::uint64_t{static_cast<std::uint32_t>(items[i].id)} << (32 * (i % 2));
    } else {
      std::memcpy(tail + 4 * (i - kInLine), &items[i].id, 4);
      tail[4 * extra(count) + (i - kInLine)] = static_cast<char>(items[i].end);
    }
    if (has_nodes) tail[5 * extra(count) + i] = static_cast<char>(items[i].nodes);
  }
  return true;
}

}  // namespace albert_fast::sentencepiece
