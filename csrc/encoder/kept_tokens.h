#pragma once

#include <cstdint>
#include <vector>

#include "encoder/model.h"

namespace albert_fast::encoder {

/// The tokens of a micro-batch that its rows read. Behind the attention of the last layer no token sees
/// another, so what follows is computed for these alone.
struct KeptTokens {
  /// `batch` has a token at least, and its `row_tokens` are among its tokens.
  explicit KeptTokens(const PackedBatch& batch);

  std::vector<std::int32_t> tokens;      // ascending, each once; one at least
  std::vector<std::int32_t> cu_kept;     // [sequences + 1]: which of `tokens` are of each sequence
  std::vector<std::int32_t> row_places;  // PackedBatch::row_tokens, as places in `tokens`
};

}  // namespace albert_fast::encoder
