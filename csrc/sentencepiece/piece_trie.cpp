#include "sentencepiece/piece_trie.h"

#include <deque>

#include "base/error.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr std::uint32_t kBlock = 256;
// Trying more free units than this for one node costs more time than the space it saves.
constexpr int kMaxTries = 64;
constexpr std::size_t kBreadthFirstDepth = 5;

/// Free units as a circular doubly linked list, so that a place for a node is found without scanning full
/// blocks.
class Builder {
 public:
  explicit Builder(std::vector<PieceTrie::Unit>& units) : units_(units) { reserve_first_block(); }

  /// Puts one node's children somewhere; returns its base.
  std::uint32_t place(std::span<const std::uint8_t> labels) {
    std::uint32_t slot = head_;
    for (int tries = 0; tries < kMaxTries && slot != kNone; ++tries) {
      const std::uint32_t base = slot ^ labels[0];
      if (!base_used_[base] && fits(base, labels)) return take(base, labels);
      slot = next_[slot] == head_ ? kNone : next_[slot];
    }
    return take(add_block(), labels);
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void reserve_first_block() {
    next_.assign(kBlock, kNone);
    previous_.assign(kBlock, kNone);
    base_used_.assign(kBlock, true);
    free_.assign(kBlock, false);
  }

  [[nodiscard]] bool fits(std::uint32_t base, std::span<const std::uint8_t> labels) const {
    for (std::size_t i = 1; i < labels.size(); ++i) {
      if (!free_[base ^ labels[i]]) return false;
    }
    return true;
  }

  std::uint32_t take(std::uint32_t base, std::span<const std::uint8_t> labels) {
    base_used_[base] = true;
    for (const std::uint8_t label : labels) {
      unlink(base ^ label);
      units_[base ^ label].label_value = label;
    }
    return base;
  }

  void unlink(std::uint32_t slot) {
    free_[slot] = false;
    if (next_[slot] == slot) {
      head_ = kNone;
      return;
    }
    next_[previous_[slot]] = next_[slot];
    previous_[next_[slot]] = previous_[slot];
    if (head_ == slot) head_ = next_[slot];
  }

  std::uint32_t add_block() {
    const auto start = static_cast<std::uint32_t>(units_.size());
    const std::size_t size = units_.size() + kBlock;
    if (size > PieceTrie::kMaxUnits) {
      fail(ErrorCode::corrupt_model,
           "SentencePiece model: field `pieces` needs a prefix tree beyond the limit; "
           "the file is damaged or not a vocabulary. Take the original file");
    }
    units_.resize(size);
    next_.resize(size);
    previous_.resize(size);
    base_used_.resize(size, false);
    free_.resize(size, true);
    for (std::uint32_t i = start; i < start + kBlock; ++i) {
      next_[i] = i + 1;
      previous_[i] = i - 1;
    }
    const std::uint32_t last = start + kBlock - 1;
    if (head_ == kNone) {
      head_ = start;
      next_[last] = start;
      previous_[start] = last;
    } else {
      const std::uint32_t tail = previous_[head_];
      next_[tail] = start;
      previous_[start] = tail;
      next_[last] = head_;
      previous_[head_] = last;
    }
    return start;
  }

  std::vector<PieceTrie::Unit>& units_;
  std::vector<std::uint32_t> next_, previous_;
  std::vector<bool> base_used_, free_;
  std::uint32_t head_ = kNone;
};

struct Pending {  // keys[begin, end) share their first `depth` bytes, which lead to `slot`
  std::size_t begin, end, depth;
  std::uint32_t slot;
};

}  // namespace

PieceTrie PieceTrie::build(std::span<const Key> keys) {
  PieceTrie trie;
  if (keys.empty()) return trie;
  Builder builder(trie.units_);
  constexpr std::uint32_t kRootSlot = 0;  // block 0 is never looked at as a child, so the root may park here
  // Level by level near the root: nodes that every search visits then share cache lines. Deeper down a key at
  // a time.
  std::deque<Pending> queue{{0, keys.size(), 0, kRootSlot}};
  std::vector<std::uint8_t> labels;
  std::vector<std::size_t> starts;
  while (!queue.empty()) {
    Pending node = queue.front();
    queue.pop_front();
    if (keys[node.begin].text.size() == node.depth) {
      trie.units_[node.slot].label_value |= static_cast<std::uint32_t>(keys[node.begin].value + 1) << 8;
      if (++node.begin == node.end) continue;
    }
    labels.clear();
    starts.clear();
    for (std::size_t i = node.begin; i < node.end; ++i) {
      const auto label = static_cast<std::uint8_t>(keys[i].text[node.depth]);
      if (!labels.empty() && labels.back() == label) continue;
      labels.push_back(label);
      starts.push_back(i);
    }
    const std::uint32_t base = builder.place(labels);
    (node.depth == 0 ? trie.root_ : trie.units_[node.slot].base) = base;
    const bool is_near_root = node.depth < kBreadthFirstDepth;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t at = is_near_root ? i : labels.size() - 1 - i;
      const std::size_t end = at + 1 < starts.size() ? starts[at + 1] : node.end;
      const Pending child{starts[at], end, node.depth + 1, base ^ labels[at]};
      if (is_near_root) {
        queue.push_back(child);
      } else {
        queue.push_front(child);
      }
    }
  }
  return trie;
}

PieceTrie::Unit PieceTrie::walk(std::string_view text) const {
  Unit unit{root_, 0};
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    unit = units_[unit.base ^ byte];
    if ((unit.label_value & 0xFF) != byte || byte == 0xFF) return {0, 0};
  }
  return unit;
}

std::int32_t PieceTrie::find(std::string_view text) const {
  return static_cast<std::int32_t>(walk(text).label_value >> 8) - 1;
}

std::size_t PieceTrie::longest_prefix(std::string_view text, int max_matches) const {
  std::uint32_t base = root_;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const Unit unit = units_[base ^ byte];
    if ((unit.label_value & 0xFF) != byte || byte == 0xFF) break;
    base = unit.base;
    if ((unit.label_value >> 8) == 0) continue;
    longest = i + 1;
    if (--max_matches == 0) break;
  }
  return longest;
}

}  // namespace albert_fast::sentencepiece
