#pragma once

#include <cstdint>
#include <vector>

#include "encoder/model.h"
#include "encoder/rows.h"

namespace albert_fast::encoder {

/// Consecutive windows that go through the model together, and the rows they write.
struct MicroBatch {
  std::uint32_t window_begin = 0;
  std::uint32_t window_end = 0;
  std::uint32_t tokens = 0;  // of the windows that are computed
};

/// source[w] is the first window with the same pieces and the same rows; w itself if it is new.
std::vector<std::uint32_t> find_repeats(const Encoding& encoding, const std::vector<Window>& windows,
                                        const RowPlan& rows);

/// Cuts the windows into micro-batches of at most `token_budget` tokens, and of at most `place_budget` if
/// each sequence were as long as the longest of its batch (one window at least).
std::vector<MicroBatch> cut_batches(const std::vector<Window>& windows,
                                    const std::vector<std::uint32_t>& source, std::uint32_t token_budget,
                                    std::uint64_t place_budget);

/// Cuts the windows into at most `count` micro-batches of nearly equal size: a border lies where the window
/// nearest to an equal share ends.
std::vector<MicroBatch> cut_evenly(const std::vector<Window>& windows,
                                   const std::vector<std::uint32_t>& source, std::uint64_t tokens,
                                   std::uint32_t count);

/// Lays the sequences of a micro-batch end to end. Reused between micro-batches by one worker.
class Packer {
 public:
  Packer(const Encoding& encoding, const std::vector<Window>& windows, const RowPlan& rows,
         SpecialIds special)
      : encoding_(encoding), windows_(windows), rows_(rows), special_(special) {}

  /// The result borrows from the packer until the next call.
  PackedBatch pack(const MicroBatch& batch, const std::vector<std::uint32_t>& source);

 private:
  void add_sequence(const Window& window);
  void add_rows(std::uint32_t window, std::int32_t first_token, bool computed);

  const Encoding& encoding_;
  const std::vector<Window>& windows_;
  const RowPlan& rows_;
  SpecialIds special_;
  std::vector<std::int32_t> input_ids_;
  std::vector<std::int32_t> position_ids_;
  std::vector<std::int32_t> cu_seqlens_;
  std::vector<std::int32_t> row_splits_;
  std::vector<std::int32_t> row_tokens_;
};

}  // namespace albert_fast::encoder
