#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "encoder/geometry.h"
#include "encoder/weights.h"
#include "ort/handles.h"

namespace albert_fast::encoder {

/// One micro-batch of packed sequences and the rows wanted of it. Borrowed; see kGraphInputs for the fields'
/// meaning.
struct PackedBatch {
  std::span<const std::int32_t> input_ids;
  std::span<const std::int32_t> position_ids;
  std::span<const std::int32_t> cu_seqlens;
  std::span<const std::int32_t> row_splits;
  std::span<const std::int32_t> row_tokens;
  std::int32_t reduction = 0;
};

/// A loaded ALBERT: weights, and sessions made on first use that share the weights packed for the processor's
/// matrix products. Immutable to its users; any number of threads may run it.
class Model {
 public:
  Model(const std::string& weights_path, const std::vector<TensorEntry>& entries, const Geometry& geometry);

  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] bool has_pooler() const { return weights_.has("pooler.weight"); }

  /// A session that computes `choice` with `threads` threads inside each operator. The model keeps the few
  /// that were used last; a caller keeps its own alive, but not beyond the model.
  [[nodiscard]] std::shared_ptr<const ort::SessionHandle> session(const OutputChoice& choice,
                                                                  int threads) const;
  /// Throws `forked` in a child of the process that loaded the model.
  void require_same_process() const;

 private:
  struct CachedSession {
    OutputChoice choice;
    int threads = 0;
    std::shared_ptr<const ort::SessionHandle> handle;
  };
  ort::SessionHandle make_session(const OutputChoice& choice, int threads) const;

  Geometry geometry_;
  std::uint64_t generation_ = ort::fork_generation();
  Weights weights_;
  std::vector<std::pair<std::string, ort::ValueHandle>> tensors_;
  ort::PrepackedWeightsHandle prepacked_;
  mutable std::mutex mutex_;
  mutable std::vector<CachedSession> sessions_;
};

/// Runs `batch` and writes its rows to `out` [row_splits.size() - 1, hidden]. Returns false when the engine
/// did not write there directly (which then is a copy that ONNX Runtime made).
bool run_batch(ort::Session* session, const ort::RunOptionsHandle& options, const PackedBatch& batch,
               std::span<float> out, std::int64_t hidden);

}  // namespace albert_fast::encoder
