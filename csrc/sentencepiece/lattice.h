#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sentencepiece/piece_trie.h"

namespace albert_fast::sentencepiece {

/// What the search needs to know about a vocabulary.
struct LatticeTables {
  const PieceTrie* trie = nullptr;
  const float* scores =
      nullptr;  // by trie value, which is id + 1; -infinity at 0: a node that completes no piece
  float unknown_score = 0.0F;
  std::uint32_t unknown_value = 0;
  std::size_t longest_piece = 0;  // in bytes
  float largest_score = 0.0F;     // signs aside
  PieceTrie::Unit mark;           // where the space mark leads; without value when it is no piece
};

/// Best segmentation of normalized bytes: one best path per end position, as the oracle's optimized search
/// does it, with the same order of comparisons and the same float32 sums, so that ties and near-ties fall the
/// same way.
class Lattice {
 public:
  struct Node {
    float score;          // of the best path that ends here
    float gap;            // by how much it beats the second best
    std::uint32_t value;  // of the last piece on it: id + 1
    std::uint32_t start;  // where that piece begins
  };
  struct Step {
    std::int32_t id;
    std::uint32_t begin, end;
  };

  /// Starts searched before a long text is settled up to a place that no best path can avoid any more. Keeps
  /// the memory of a search independent of the text, and in the processor's cache.
  static constexpr std::size_t kWindow = 8192;

  /// Segments the beginning of `text` (valid UTF-8, not empty); `start_score` is the sum of all pieces before
  /// it. Returns where it stopped: at the end if the text fits into the window. The rest is then to be solved
  /// with `end_score()`, which gives the same as one search.
  std::size_t solve(const LatticeTables& tables, std::string_view text, float start_score, bool with_gap);

  /// The same for what Normalized calls one word, without a gap: nearly every word that no cache knows. False
  /// when it takes `solve`.
  bool solve_word(const LatticeTables& tables, std::string_view text, float start_score);

  /// The best path, last step first.
  [[nodiscard]] std::span<const Step> reversed_path() const { return path_; }
  [[nodiscard]] float end_score() const { return end_score_; }
  /// The result holds for every |start_score| below this. Only after `solve` with_gap.
  [[nodiscard]] float safe_start_score() const;

  void trim(std::size_t max_nodes);

 private:
  template <bool kWithGap>
  std::uint32_t search(const LatticeTables& tables, std::string_view text, std::uint32_t limit);
  [[nodiscard]] std::uint32_t common_border(std::uint32_t next, std::size_t size);
  void trace_back(std::uint32_t end);

  std::vector<Node> nodes_;
  std::vector<Step> path_;
  float end_score_ = 0.0F, path_gap_ = 0.0F, largest_score_ = 0.0F;
  std::uint32_t chars_ = 0;
};

}  // namespace albert_fast::sentencepiece
