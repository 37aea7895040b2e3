#include "sentencepiece/charsmap.h"

#include <algorithm>

#include "sentencepiece/model_file.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr char kField[] = "normalizer_spec.precompiled_charsmap";
constexpr std::size_t kMaxKeyBytes = 512;
constexpr std::size_t kMaxReplacementBytes = 4096;
// The oracle looks at no more than this many keys that are prefixes of each other.
constexpr int kMaxNestedKeys = 32;

// A unit of the file format: bits 0-7 label, bit 8 "a leaf hangs below", bits 10-30 offset, shifted by 8 when
// bit 9 is set; bit 31 marks a leaf, whose lower bits are its value.
constexpr std::uint32_t kLeaf = 0x80000000U;
constexpr std::uint32_t label_of(std::uint32_t unit) { return unit & (kLeaf | 0xFFU); }
constexpr bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1U) != 0; }
constexpr std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.empty()) return;
  if (blob.size() < 8) fail_field(kField, "is shorter than 8 bytes");
  const std::size_t trie_bytes = read_u32(blob, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0)
    fail_field(kField, "has a trie size that is not a multiple of 4");
  if (trie_bytes >= blob.size() - 4) fail_field(kField, "has a trie that does not fit into it");
  const std::string_view texts = blob.substr(4 + trie_bytes);
  if (texts.back() != '\0') fail_field(kField, "does not end with NUL");
  read_units(blob.substr(4, trie_bytes));
  texts_ = texts;
  check_units();
  walk();
}

void Charsmap::read_units(std::string_view trie) {
  units_.resize(trie.size() / 4);
  for (std::size_t i = 0; i < units_.size(); ++i) units_[i] = read_u32(trie, i * 4);
}

void Charsmap::check_units() const {
  const std::uint32_t root = units_[0];
  if (label_of(root) != 0 || has_leaf(root) || offset_of(root) == 0)
    fail_field(kField, "has an invalid root unit");
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const std::uint32_t unit = units_[i];
    if ((unit & kLeaf) != 0) {
      if ((unit & ~kLeaf) >= texts_.size()) fail_field(kField, "has a value outside its replacement texts");
      continue;
    }
    const std::size_t base = i ^ offset_of(unit);
    if ((base | 0xFF) >= units_.size()) fail_field(kField, "has an offset outside the trie");
    if (has_leaf(unit) && (units_[base] & kLeaf) == 0) fail_field(kField, "has a key without a value");
  }
}

/// Lists of units by the base they belong to: turns "children of a node" from 256 probes into a short list.
struct Charsmap::Children {
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

  explicit Children(const std::vector<std::uint32_t>& units)
      : head(units.size(), kNone), next(units.size(), kNone) {
    for (std::size_t i = 0; i < units.size(); ++i) {
      if ((units[i] & kLeaf) != 0) continue;
      const std::size_t base = i ^ label_of(units[i]);
      if (base >= units.size()) continue;
      next[i] = head[base];
      head[base] = static_cast<std::uint32_t>(i);
    }
  }

  std::vector<std::uint32_t> head, next;
};

/// Visits every node that a lookup can reach. Nodes may share their ends (the file format allows it), so a
/// node is its base; a node below itself would make lookups as long as the text.
void Charsmap::walk() {
  constexpr std::uint16_t kUnseen = 0xFFFF, kOpen = 0xFFFE;
  struct Visit {
    std::uint32_t base, child;
    std::uint16_t height;
  };
  const Children children(units_);
  std::vector<std::uint16_t> heights(units_.size(), kUnseen);
  std::vector<bool> is_read(units_.size(), false);
  std::vector<Visit> path;
  const auto rise = [&path](std::uint16_t below) {
    if (below >= kMaxKeyBytes) fail_field(kField, "has a rule for more than 512 bytes");
    path.back().height = std::max(path.back().height, static_cast<std::uint16_t>(below + 1));
  };
  const auto enter = [&](std::uint32_t unit) {
    const std::uint32_t base = base_of(unit);
    if (has_leaf(units_[unit]) && !is_read[base]) {
      is_read[base] = true;
      units_[base] = kLeaf | add_replacement(units_[base] & ~kLeaf);
    }
    if (heights[base] == kOpen) fail_field(kField, "has a rule that never ends");
    if (heights[base] != kUnseen) return rise(heights[base]);
    heights[base] = kOpen;
    path.push_back({base, children.head[base], 0});
  };
  enter(0);
  while (true) {
    Visit& top = path.back();
    if (top.child != Children::kNone) {
      const std::uint32_t child = top.child;
      top.child = children.next[child];
      if (path.size() > 1) inside_long_.set(label_of(units_[child]));
      enter(child);
      continue;
    }
    const std::uint16_t height = top.height;
    heights[top.base] = height;
    path.pop_back();
    if (path.empty()) break;
    rise(height);
  }
  note_first_bytes(children);
}

void Charsmap::note_first_bytes(const Children& children) {
  for (std::uint32_t i = children.head[base_of(0)]; i != Children::kNone; i = children.next[i]) {
    const std::uint32_t first = label_of(units_[i]);
    first_.set(first);
    for (std::uint32_t j = children.head[base_of(i)]; j != Children::kNone; j = children.next[j]) {
      inside_long_.set(first);
      if (label_of(units_[j]) < 0x80) before_ascii_.set(first);
    }
  }
}

std::uint32_t Charsmap::base_of(std::uint32_t unit) const { return unit ^ offset_of(units_[unit]); }

std::uint32_t Charsmap::add_replacement(std::uint32_t begin) {
  // No search beyond the limit: a hostile file could make every rule point at the start of one huge text.
  const std::string_view window = std::string_view(texts_).substr(begin, kMaxReplacementBytes + 1);
  const std::size_t size = window.find('\0');
  if (size == std::string_view::npos) fail_field(kField, "has a replacement of more than 4096 bytes");
  if (!is_valid_utf8(window.substr(0, size))) {
    fail_field(kField, "has a replacement that is not valid UTF-8");
  }
  replacements_.push_back({begin, static_cast<std::uint32_t>(size)});
  return static_cast<std::uint32_t>(replacements_.size() - 1);
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
  Match match;
  if (units_.empty()) return match;
  std::size_t position = offset_of(units_[0]);
  std::uint32_t leaf = 0;
  int keys = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    position ^= byte;
    const std::uint32_t unit = units_[position];
    if (label_of(unit) != byte) break;
    position ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    match.size = i + 1;
    leaf = units_[position] & ~kLeaf;
    if (++keys == kMaxNestedKeys) break;
  }
  if (match.size != 0) {
    match.replacement = std::string_view(texts_).substr(replacements_[leaf].begin, replacements_[leaf].size);
  }
  return match;
}

}  // namespace albert_fast::sentencepiece
