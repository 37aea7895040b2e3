#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/thread_team.h"
#include "encoder/cuda/captured_runs.h"
#include "encoder/cuda/card_memory.h"
#include "encoder/cuda/device_batch.h"
#include "encoder/cuda/device_graph.h"
#include "encoder/cuda/device_weights.h"
#include "encoder/cuda/pinned_memory.h"
#include "encoder/cuda/settings.h"
#include "encoder/model.h"

namespace albert_fast::encoder::cuda {

/// An ALBERT on an NVIDIA GPU. Nothing of a run but the copies happens on the CPU; what cannot be done on the
/// device is a `device` error.
class CudaModel final : public Model {
 public:
  CudaModel(TensorStore store, const Geometry& geometry, const Settings& settings);
  ~CudaModel() override {
    captured_.reset();
    team_.reset();
    drop_sessions();
  }

  [[nodiscard]] bool has_pooler() const override { return weights_.has("pooler.weight"); }
  [[nodiscard]] bool has_layers() const override { return true; }
  [[nodiscard]] std::optional<Pace> pace() const override;
  [[nodiscard]] AlignedBuffer<float> make_rows(std::size_t count) const override;
  [[nodiscard]] const DeviceMemory* device_memory() const override { return &memory_; }
  void prepare(const OutputChoice& choice) const override;
  [[nodiscard]] std::size_t prepared() const override { return captured_ ? captured_->count() : 0; }
  bool run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
           const PackedBatch& batch, const Destination& out) const override;

 private:
  [[nodiscard]] SharedSession make_session(const OutputChoice& choice, int threads) const override;
  [[nodiscard]] SharedSession make_session_on(const OutputChoice& choice, void* stream, bool keeps) const;
  void open_session(const ort::SessionOptionsHandle& options, const DeviceGraph& graph,
                    ort::SessionHandle& session) const;
  std::optional<bool> run_captured(const OutputChoice& choice, const PackedBatch& batch,
                                   const Destination& out) const;
  bool run_eagerly(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                   const PackedBatch& batch, const Destination& out) const;
  bool run_whole(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                 const PackedBatch& batch, const Destination& out) const;
  void run_on_device(ort::Session* session, const ort::RunOptionsHandle& options, const DeviceBatch& batch,
                     const Destination& out) const;
  bool run_to_host(ort::Session* session, const ort::RunOptionsHandle& options, const DeviceBatch& batch,
                   std::span<float> rows) const;
  bool run_halves(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                  const PackedBatch& batch, const Destination& out) const;
  [[nodiscard]] std::string device_name() const { return "cuda:" + std::to_string(settings_.device); }

  Settings settings_;
  DeviceWeights weights_;
  CardMemory memory_;
  mutable PinnedMemory pinned_;
  mutable std::atomic<std::uint32_t> most_tokens_;
  std::unique_ptr<CapturedRuns> captured_;  // null where CUDA graphs are not wanted
  // Whoever runs a session gets streams and cuBLAS handles of its own, which go when the thread does: none of
  // the threads that come and go with calls does it.
  mutable std::optional<ThreadTeam> team_;
};

}  // namespace albert_fast::encoder::cuda
