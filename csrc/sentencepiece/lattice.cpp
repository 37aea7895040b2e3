#include "sentencepiece/lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "sentencepiece/utf8_step.h"

namespace albert_fast::sentencepiece {
namespace {

// The oracle starts again from zero when a sum of scores leaves +-100000, which keeps long texts exact.
constexpr float kRebaseAt = 100000.0F;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Takes a candidate if it beats the best path so far, without a branch: which one wins is a coin toss for
/// the processor. An unreached node has the score -infinity, and a trie step that completes no piece offers
/// just that.
template <bool kWithGap>
inline void offer(Lattice::Node& node, float score, std::uint32_t value, std::uint32_t start) {
  const float old = node.score;
  const bool is_better = score > old;
  // Masks, because compilers make a branch of a choice that is stored.
  const std::uint32_t mask = 0U - static_cast<std::uint32_t>(is_better);
  node.score = std::max(old, score);
  node.value ^= (node.value ^ value) & mask;
  node.start ^= (node.start ^ start) & mask;
  if constexpr (kWithGap) {
    const float gap = std::fabs(score - old);  // NaN when neither exists: then the old gap stays
    const float smaller = gap < node.gap ? gap : node.gap;
    node.gap = is_better ? gap : smaller;
  }
}

}  // namespace

/// Searches from all starts below `limit`; returns the first start that was left out.
template <bool kWithGap>
std::uint32_t Lattice::search(const LatticeTables& tables, std::string_view text, std::uint32_t limit) {
  const auto size = static_cast<std::uint32_t>(text.size());
  const char* const bytes = text.data();
  Node* const nodes = nodes_.data();
  const PieceTrie::Unit* const units = tables.trie->units();
  const float* const scores = tables.scores;
  const std::uint32_t root = tables.trie->root();
  chars_ = 0;
  std::uint32_t at = 0;
  for (; at < limit; ++chars_) {
    float here = nodes[at].score;
    if (here < -kRebaseAt || here > kRebaseAt) [[unlikely]] {
      const std::size_t last = std::min<std::size_t>(size, at + tables.longest_piece);
      for (std::size_t i = at + 1; i <= last; ++i) nodes[i].score -= here;
      here = 0.0F;
    }
    if constexpr (kWithGap) largest_score_ = std::max(largest_score_, std::fabs(here));
    const std::uint32_t one_char = std::min(static_cast<std::uint32_t>(char_size(bytes[at])), size - at);
    std::uint32_t base = root, single = 0;
    for (std::uint32_t end = at; end < size;) {
      const auto byte = static_cast<std::uint8_t>(bytes[end]);
      const PieceTrie::Unit unit = units[base ^ byte];
      if ((unit.label_value & 0xFF) != byte) break;
      base = unit.base;
      ++end;
      const std::uint32_t value = unit.label_value >> 8;
      offer<kWithGap>(nodes[end], scores[value] + here, value, at);
      single |= end - at == one_char ? value : 0;
    }
    if (single == 0)
      offer<kWithGap>(nodes[at + one_char], tables.unknown_score + here, tables.unknown_value, at);
    at += one_char;
  }
  return at;
}

std::size_t Lattice::solve(const LatticeTables& tables, std::string_view text, float start_score,
                           bool with_gap) {
  // What lies behind the window plus the longest piece cannot be reached from it.
  for (std::size_t window = kWindow;; window *= 2) {
    const std::size_t limit = std::min(window, text.size());
    const std::string_view seen = text.substr(0, limit + tables.longest_piece);
    if (nodes_.size() < seen.size() + 1) nodes_.resize(seen.size() + 1);
    std::fill_n(nodes_.begin(), seen.size() + 1, Node{-kInfinity, kInfinity, 0, 0});
    nodes_[0].score = start_score;
    largest_score_ = 0.0F;
    const auto starts = static_cast<std::uint32_t>(limit);
    const std::uint32_t next =
        with_gap ? search<true>(tables, seen, starts) : search<false>(tables, seen, starts);
    const std::uint32_t border = limit == text.size() ? next : common_border(next, seen.size());
    if (border == 0) continue;
    trace_back(border);
    return border;
  }
}

/// The last place that the best paths to all ends at or behind `next` go through.
std::uint32_t Lattice::common_border(std::uint32_t next, std::size_t size) {
  std::vector<std::uint32_t> heads;
  for (std::size_t end = next; end <= size; ++end) {
    if (nodes_[end].score > -kInfinity) heads.push_back(static_cast<std::uint32_t>(end));
  }
  // The path that is furthest on steps back until all stand at one place.
  std::make_heap(heads.begin(), heads.end());
  while (heads.size() > 1) {
    std::pop_heap(heads.begin(), heads.end());
    const std::uint32_t furthest = heads.back();
    heads.pop_back();
    if (heads.front() == furthest) continue;
    heads.push_back(nodes_[furthest].start);
    std::push_heap(heads.begin(), heads.end());
  }
  return heads.front();
}

void Lattice::trace_back(std::uint32_t end) {
  end_score_ = nodes_[end].score;
  largest_score_ = std::max(largest_score_, std::fabs(end_score_));
  path_gap_ = kInfinity;
  path_.clear();
  while (end > 0) {
    const Node& node = nodes_[end];
    if (node.start >= end)
      fail(ErrorCode::internal, "SentencePiece search left a gap; please report the model");
    path_.push_back({static_cast<std::int32_t>(node.value) - 1, node.start, end});
    path_gap_ = std::min(path_gap_, node.gap);
    end = node.start;
  }
}

float Lattice::safe_start_score() const {
  // Each of at most chars_ additions on a path rounds by at most half an ulp of the largest sum, 2^-24 of it.
  // Two paths compared, here and elsewhere: a decision can only turn when its gap is below 2 * chars_ * 2^-24
  // * (|start| + 2 * largest). Half of that bound is used, to stay on the safe side.
  const double chars = chars_, largest = largest_score_, gap = path_gap_;
  const double by_rounding = gap * 4194304.0 / chars - 2.0 * largest - 1.0;
  const double by_rebase = static_cast<double>(kRebaseAt) - largest - 10.0;
  const double safe = std::min(by_rounding, by_rebase);
  return safe > 0.0 ? static_cast<float>(safe * 0.999) : -1.0F;
}

void Lattice::trim(std::size_t max_nodes) {
  if (nodes_.capacity() <= max_nodes) return;
  nodes_ = {};
  path_ = {};
}

}  // namespace albert_fast::sentencepiece
