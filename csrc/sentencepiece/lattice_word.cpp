#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sentencepiece/lattice.h"
#include "sentencepiece/normalizer.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr std::uint32_t kMarkBytes = 3;
constexpr std::size_t kEnds = Normalized::kMostWordBytes + kMarkBytes + 1;
constexpr float kSafeScore = 90000.0F;  // far enough from where the oracle starts again from zero

/// One best path per end, as in Lattice, in less memory and with less to do for an edge.
class WordSearch {
 public:
  WordSearch(const LatticeTables& tables, std::string_view text) : tables_(tables), text_(text) {
    std::fill_n(scores_.begin(), text.size() + 1, -std::numeric_limits<float>::infinity());
  }

  void run(float start_score) {
    const auto size = static_cast<std::uint32_t>(text_.size());
    scores_[0] = start_score;
    const std::uint32_t mark = tables_.mark.label_value >> 8;
    offer(kMarkBytes, mark, tables_.scores[mark] + start_score, 0);
    follow(0, tables_.mark.base, kMarkBytes);
    for (std::uint32_t start = kMarkBytes + 1; start < size; start += 2) {
      follow(start, first_char(start), start + 1);
    }
  }

  [[nodiscard]] float score() const { return scores_[text_.size()]; }
  [[nodiscard]] Lattice::Step step(std::uint32_t end) const {
    const std::uint32_t choice = choices_[1][end];
    return {static_cast<std::int32_t>(choice & 0xFFFFFF) - 1, choice >> 24, end};
  }

 private:
  /// The piece of the character at `start`, or an unknown one; returns the base of its node.
  std::uint32_t first_char(std::uint32_t start) {
    const auto byte = static_cast<std::uint8_t>(text_[start]);
    const PieceTrie::Unit unit = tables_.trie->units()[tables_.trie->root() ^ byte];
    const bool is_there = (unit.label_value & 0xFF) == byte;
    const std::uint32_t value = is_there ? unit.label_value >> 8 : 0;
    if (value == 0) {
      offer(start + 1, tables_.unknown_value, tables_.unknown_score + scores_[start], start);
    } else {
      offer(start + 1, value, tables_.scores[value] + scores_[start], start);
    }
    return is_there ? unit.base : 0;
  }

  /// All pieces from two starts in step: from `first` on behind the node with this base, which ends where
  /// `second` starts. The processor guesses the end of the loop wrong nearly every time, so one end for two
  /// starts is worth the steps that the shorter one takes for nothing. The NUL behind the text is in no
  /// piece.
  void follow(std::uint32_t first, std::uint32_t base, std::uint32_t second) {
    const PieceTrie::Unit* const units = tables_.trie->units();
    const char* const bytes = text_.data();
    const float first_score = scores_[first], second_score = scores_[second];
    std::uint32_t second_base = tables_.trie->root();
    for (std::uint32_t end = second;;) {
      const auto byte = static_cast<std::uint8_t>(bytes[end]);
      const PieceTrie::Unit a = units[base ^ byte], b = units[second_base ^ byte];
      const std::uint32_t in_a = 0U - ((a.label_value & 0xFF) == byte);
      const std::uint32_t in_b = 0U - ((b.label_value & 0xFF) == byte);
      if ((in_a | in_b) == 0) break;
      base = a.base & in_a;  // no node has the base 0, nor children there
      second_base = b.base & in_b;
      const std::uint32_t value_a = a.label_value >> 8 & in_a, value_b = b.label_value >> 8 & in_b;
      ++end;
      offer(end, value_a, tables_.scores[value_a] + first_score, first);
      offer(end, value_b, tables_.scores[value_b] + second_score, second);
    }
    if (second < text_.size() && !is_piece(bytes[second])) {
      offer(second + 1, tables_.unknown_value, tables_.unknown_score + second_score, second);
    }
  }

  [[nodiscard]] bool is_piece(char c) const {
    const auto byte = static_cast<std::uint8_t>(c);
    const std::uint32_t label_value = tables_.trie->units()[tables_.trie->root() ^ byte].label_value;
    return (label_value & 0xFF) == byte && label_value >> 8 != 0;
  }

  /// Without a branch: which path wins is a coin toss for the processor. A choice that loses goes to a row
  /// that nobody reads.
  void offer(std::uint32_t end, std::uint32_t value, float score, std::uint32_t start) {
    const float old = scores_[end];
    scores_[end] = std::max(old, score);
    choices_[score > old ? 1 : 0][end] = start << 24 | value;
  }

  const LatticeTables& tables_;
  std::string_view text_;
  std::array<float, kEnds> scores_;
  std::array<std::array<std::uint32_t, 128>, 2> choices_;  // start and value; in the second row
};

}  // namespace

bool Lattice::solve_word(const LatticeTables& tables, std::string_view text, float start_score) {
  const float reach = tables.largest_score * static_cast<float>(kEnds);
  if (!(std::fabs(start_score) + reach < kSafeScore) || tables.mark.label_value >> 8 == 0) return false;
  WordSearch search(tables, text);
  search.run(start_score);
  end_score_ = search.score();
  path_.clear();
  for (auto end = static_cast<std::uint32_t>(text.size()); end > 0; end = path_.back().begin) {
    path_.push_back(search.step(end));
  }
  return true;
}

}  // namespace albert_fast::sentencepiece
