#pragma once

#include <cstdint>
#include <span>

#include "encoder/graph.h"

namespace albert_fast::encoder {

/// What PackedGather does: out row r reduces the rows row_tokens[row_splits[r] : row_splits[r + 1]] of `x`
/// [n, hidden]; an empty list leaves row r as it is.
void gather_rows(const float* x, std::span<const std::int32_t> row_splits,
                 std::span<const std::int32_t> row_tokens, std::size_t hidden, Reduction reduction,
                 float* out);

/// Where the last PackedGather of this thread wrote its rows: how the engine proves that no copy lies
/// between.
const float* last_gather_destination() noexcept;

}  // namespace albert_fast::encoder
