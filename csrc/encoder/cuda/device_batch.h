#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "encoder/model.h"

namespace albert_fast::encoder::cuda {

/// A micro-batch as the CUDA graph takes it. Reused between micro-batches.
struct DeviceBatch {
  std::vector<std::int32_t> input_ids;
  std::vector<std::int32_t> position_ids;
  std::vector<std::int32_t> cu_seqlens;
  std::vector<std::int32_t> token_offset;  // [sequences, longest]
  std::int64_t longest = 0;
  std::vector<std::int32_t> kept_tokens;  // the tokens that row_index counts in; empty: all
  std::vector<std::int32_t> row_index;    // [rows], or [rows, width] with means
  std::vector<float> row_mask;            // [rows, 1, width]
  std::vector<float> row_share;           // [rows, 1]
  std::int64_t rows = 0;
  std::int64_t width = 1;
  bool means = false;  // the graph makes the means
  /// Where the graph's rows are not the caller's: which of them make each row of the caller's (see
  /// gather_rows). Empty: they are.
  std::vector<std::int32_t> host_splits;
  std::vector<std::int32_t> host_tokens;
};

/// Tokens that a run of `tokens` is padded to: an eighth of an octave at most, so that a device sees few
/// shapes and its allocator reuses its blocks.
std::int64_t padded_tokens(std::int64_t tokens);

/// Lays out a micro-batch for the device: adds sequences of dummy tokens up to padded_tokens, builds
/// token_offset, and says which tokens are kept behind the last attention (KeptTokens, filled up likewise)
/// and which rows the graph gathers of them. Means are left to the graph where that costs little
/// memory; maxima, and means over a few very long rows, are made of the token rows on the host.
void lay_out(const PackedBatch& batch, DeviceBatch& out);

/// Fixed sizes that a short micro-batch is filled up to.
struct Bucket {
  std::int64_t tokens = 0;
  std::int64_t sequences = 0;
  std::int64_t longest = 0;
};
inline constexpr Bucket kBuckets[] = {{64, 16, 64}, {128, 32, 128}, {256, 64, 128}, {512, 128, 128}};

/// The number of the smallest bucket that holds a micro-batch with its dummies, if one does.
std::optional<std::size_t> bucket_of(const PackedBatch& batch);

/// Lays out a micro-batch that fits in `bucket` in its sizes: sequences that are missing have no tokens,
/// row_index has a place for every token of the bucket and names token 0 in those that are free. Means and
/// maxima are left to the host.
void lay_out(const PackedBatch& batch, const Bucket& bucket, DeviceBatch& out);

/// A micro-batch that owns its numbers.
struct OwnedBatch {
  std::vector<std::int32_t> input_ids;
  std::vector<std::int32_t> position_ids;
  std::vector<std::int32_t> cu_seqlens;
  std::vector<std::int32_t> row_splits;
  std::vector<std::int32_t> row_tokens;
  std::int32_t reduction = 0;
  [[nodiscard]] PackedBatch view() const {
    return {input_ids, position_ids, cu_seqlens, row_splits, row_tokens, reduction};
  }
  [[nodiscard]] std::size_t rows() const { return row_splits.size() - 1; }
};

/// The sequences [first, last) of a batch with their rows. A batch of n sequences is the halves [0, n / 2)
/// and [n / 2, n) one after the other.
OwnedBatch part_of(const PackedBatch& batch, std::size_t first, std::size_t last);

}  // namespace albert_fast::encoder::cuda
