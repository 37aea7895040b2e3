#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace albert_fast::sentencepiece {

/// The compiled normalization rules of a model: a double array of keys whose leaves point at replacements.
/// Everything reachable is walked once at load; a lookup cannot leave the array afterwards.
class Charsmap {
 public:
  struct Match {
    std::size_t size = 0;  // bytes of the longest key that is a prefix; 0: no rule
    std::string_view replacement;
  };

  Charsmap() = default;
  /// Throws Error(corrupt_model). An empty blob means: no rules.
  explicit Charsmap(std::string_view blob);

  [[nodiscard]] bool empty() const { return units_.empty(); }
  [[nodiscard]] Match longest(std::string_view text) const;

  /// First bytes of all rules.
  [[nodiscard]] const std::bitset<256>& first_bytes() const { return first_; }
  /// First bytes of rules whose second byte is ASCII.
  [[nodiscard]] const std::bitset<256>& before_ascii() const { return before_ascii_; }
  /// Bytes that occur in a rule of two or more bytes, at any place.
  [[nodiscard]] const std::bitset<256>& inside_long_rules() const { return inside_long_; }

 private:
  struct Replacement {
    std::uint32_t begin = 0, size = 0;
  };
  struct Children;

  void read_units(std::string_view trie);
  void check_units() const;
  void walk();
  void note_first_bytes(const Children& children);
  [[nodiscard]] std::uint32_t base_of(std::uint32_t unit) const;
  std::uint32_t add_replacement(std::uint32_t begin);

  std::vector<std::uint32_t> units_;
  std::string texts_;
  std::vector<Replacement> replacements_;
  std::bitset<256> first_, before_ascii_, inside_long_;
};

}  // namespace albert_fast::sentencepiece
