#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/thread_team.h"
#include "encoder/cuda/card_memory.h"
#include "encoder/cuda/device_batch.h"
#include "ort/handles.h"

namespace albert_fast::encoder::cuda {

/// Short micro-batches as CUDA graphs: for a few shapes of fixed sizes (kBuckets) the hundred launches of a
/// run are captured once and then replayed as one. ONNX Runtime keeps captured graphs with the thread that
/// captured them, so one thread does all that is here. In a rehearsal the same shapes run without capture.
class CapturedRuns {
 public:
  /// A session whose work goes to `stream`, and that captures graphs.
  using MakeSession = std::function<SharedSession(const OutputChoice& choice, void* stream)>;

  CapturedRuns(const CardMemory& memory, std::size_t hidden, MakeSession make_session);
  CapturedRuns(const CapturedRuns&) = delete;
  CapturedRuns& operator=(const CapturedRuns&) = delete;
  ~CapturedRuns();

  /// Captures all shapes of `choice`, unless that was done, and compares a replay of each with a run that is
  /// not captured. Throws `device` with the reason when that fails; nothing is kept of it then.
  void prepare(const OutputChoice& choice);

  /// Runs `batch` in the smallest shape that holds it. Nothing when `choice` was not prepared or there is no
  /// such shape; otherwise whether the rows were written to `out` without a detour.
  std::optional<bool> run(const OutputChoice& choice, const PackedBatch& batch, const Destination& out);

  /// Shapes that were captured, for all choices.
  [[nodiscard]] std::size_t count() const;

 private:
  struct Shape;
  class Shapes;

  /// Has the one thread do `work` with the card as its device, which ONNX Runtime need not see to where the
  /// stream is ours.
  void on_the_card(const std::function<void()>& work);
  [[nodiscard]] std::shared_ptr<Shapes> find(const OutputChoice& choice) const;

  const CardMemory& memory_;
  std::size_t hidden_;
  MakeSession make_session_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Shapes>> prepared_;  // guarded by mutex_
  ThreadTeam thread_{1};
};

}  // namespace albert_fast::encoder::cuda
