#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace albert_fast::sentencepiece {

/// Prefix tree over byte strings as an XOR double array: the child of a node with base `b` over byte `c` sits
/// at `b ^ c`, one 8-byte load per step. Bases are unique, so the label alone proves the parent. Texts must
/// not contain the byte 0xFF (valid UTF-8 never does): it marks free units, hence no step needs a bounds
/// check.
class PieceTrie {
 public:
  struct Unit {
    std::uint32_t base = 0;
    std::uint32_t label_value = 0xFF;  // low byte: label; above it: value + 1, or 0 for "no key ends here"
  };
  struct Key {
    std::string_view text;  // not empty, without NUL and 0xFF
    std::int32_t value = 0;
  };

  /// `keys` sorted bytewise and unique. Throws corrupt_model when the tree would need more than `kMaxUnits`.
  static PieceTrie build(std::span<const Key> keys);

  [[nodiscard]] std::uint32_t root() const { return root_; }
  [[nodiscard]] const Unit* units() const { return units_.data(); }
  [[nodiscard]] std::size_t unit_count() const { return units_.size(); }

  /// The node that `text` leads to; without one, a unit without value or children.
  [[nodiscard]] Unit walk(std::string_view text) const;
  /// Value of exactly `text`, or -1. `text` may hold any bytes.
  [[nodiscard]] std::int32_t find(std::string_view text) const;

  /// Length of the longest key that is a prefix of `text` (0: none), looking at no more than `max_matches`
  /// keys.
  [[nodiscard]] std::size_t longest_prefix(std::string_view text, int max_matches) const;

  static constexpr std::size_t kMaxUnits = std::size_t{1} << 24;

 private:
  std::vector<Unit> units_ =
      std::vector<Unit>(256);  // block 0 stays free: where nodes without children point
  std::uint32_t root_ = 0;
};

}  // namespace albert_fast::sentencepiece
