#pragma once

#include <cstdint>
#include <vector>

#include "encoder/graph.h"
#include "encoder/options.h"
#include "encoder/windows.h"

namespace albert_fast::encoder {

/// Which tokens of which window make which row. Rows stand in the order of the windows, so the rows of
/// consecutive windows are consecutive in memory and one run of the model writes them where they belong.
struct RowPlan {
  std::vector<std::uint32_t> window_rows;  // [windows + 1]: the rows of each window
  std::vector<std::uint32_t> row_splits;   // [rows + 1]: the tokens of each row
  std::vector<std::int32_t> row_tokens;    // token numbers counted from the window's [CLS], which is 0
  Reduction reduction = Reduction::mean;
  /// Sentence and document vectors of which some span several windows (or none): the rows above are then one
  /// part per window, and `parts` says into which of the `targets` final rows they are folded.
  bool folded = false;
  std::vector<std::uint32_t> part_target;  // [windows]
  std::uint32_t targets = 0;

  [[nodiscard]] std::uint32_t rows() const { return window_rows.back(); }
};

RowPlan plan_rows(const Encoding& encoding, const std::vector<Window>& windows, const EmbedOptions& options);

/// final[target] = mean or max over its parts; a target without parts stays zero. `parts` is [windows,
/// hidden].
void fold_parts(const RowPlan& plan, std::span<const float> parts, std::span<float> final_rows,
                std::size_t hidden);

}  // namespace albert_fast::encoder
