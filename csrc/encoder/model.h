#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "encoder/device_memory.h"
#include "encoder/geometry.h"
#include "encoder/graph.h"
#include "encoder/panels.h"
#include "encoder/quantized_weights.h"
#include "encoder/weights.h"
#include "ort/handles.h"

namespace albert_fast::encoder {

/// One micro-batch of packed sequences and the rows wanted of it. Borrowed. input_ids and position_ids are
/// [tokens], cu_seqlens [sequences + 1]; row r is made of the tokens row_tokens[row_splits[r] : row_splits[r
/// + 1]] by `reduction`.
struct PackedBatch {
  std::span<const std::int32_t> input_ids;
  std::span<const std::int32_t> position_ids;
  std::span<const std::int32_t> cu_seqlens;
  std::span<const std::int32_t> row_splits;
  std::span<const std::int32_t> row_tokens;
  std::int32_t reduction = 0;
};

/// Where a run writes its rows: memory of the process or, with `on_device`, of the model's device.
struct Destination {
  std::span<float> rows;
  bool on_device = false;
  [[nodiscard]] Destination part(std::size_t first, std::size_t count) const {
    return {rows.subspan(first, count), on_device};
  }
};

/// How a device wants to be fed, where that is not the processor's own way.
struct Pace {
  std::uint32_t most_tokens = 0;  // of a micro-batch
  std::uint64_t most_places = 0;  // the same if each sequence were as long as the longest
  int workers = 1;                // that run micro-batches at the same time
  double inline_flops = 0.0;      // a call of less work than this runs on the calling thread
};

/// A session with whoever uses it.
using SharedSession = std::shared_ptr<const ort::SessionHandle>;

/// A loaded model. Immutable to its users; any number of threads may run it.
class Model {
 public:
  explicit Model(const Geometry& geometry) : geometry_(geometry) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] virtual bool has_pooler() const = 0;
  /// Whether hidden states other than the last can be had.
  [[nodiscard]] virtual bool has_layers() const = 0;

  [[nodiscard]] virtual std::optional<Pace> pace() const { return std::nullopt; }
  /// Memory for a result of `count` numbers, of the kind that `run` writes best. Throws std::bad_alloc.
  [[nodiscard]] virtual AlignedBuffer<float> make_rows(std::size_t count) const {
    return AlignedBuffer<float>(count);
  }

  /// The memory of the device that the model computes on; null for the processor's own.
  [[nodiscard]] virtual const DeviceMemory* device_memory() const { return nullptr; }

  /// Does now what the first short calls of `choice` would otherwise do. Throws `device` with the reason
  /// where the device refuses what it is faster with; calls are right without.
  virtual void prepare(const OutputChoice&) const {}
  /// How many shapes of short calls were prepared.
  [[nodiscard]] virtual std::size_t prepared() const { return 0; }

  /// A session that computes `choice` with `threads` threads inside each operator. The model keeps the few
  /// that were used last; a caller keeps its own alive, but not beyond the model.
  [[nodiscard]] SharedSession session(const OutputChoice& choice, int threads) const;
  /// Runs `batch` and writes its rows to `out` [row_splits.size() - 1, hidden], which is on a device only
  /// where device_memory() is. Returns false when the engine did not write there directly (which then is a
  /// copy).
  virtual bool run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                   const PackedBatch& batch, const Destination& out) const = 0;
  /// Counts the calls that are under way, in all threads, for as long as the result lives.
  class Call {
   public:
    explicit Call(std::atomic<int>& calls) : calls_(calls), beside_(calls.fetch_add(1)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { calls_.fetch_sub(1); }
    /// How many others there were when this one began.
    [[nodiscard]] int beside() const { return beside_; }

   private:
    std::atomic<int>& calls_;
    int beside_;
  };
  [[nodiscard]] Call begin_call() const { return Call(calls_); }
  /// Throws `forked` in a child of the process that loaded the model.
  void require_same_process() const;

 protected:
  [[nodiscard]] virtual SharedSession make_session(const OutputChoice& choice, int threads) const = 0;
  /// Called when a session has been made, once its copies of the weights stand.
  virtual void session_made() const {}
  /// For destructors: a session goes before what it was made of.
  void drop_sessions() noexcept { sessions_.clear(); }

 private:
  struct CachedSession {
    OutputChoice choice;
    int threads = 0;
    SharedSession handle;
  };

  Geometry geometry_;
  std::uint64_t generation_ = ort::fork_generation();
  mutable std::atomic<int> calls_{0};
  mutable std::mutex mutex_;
  mutable std::vector<CachedSession> sessions_;
};

/// What every session of ours is set to.
void set_session_options(const ort::SessionOptionsHandle& options, int threads);

/// An ALBERT whose weights we hold and whose graph we write: sequences stand end to end, and sessions share
/// the weights packed for the processor's matrix products. Of a layer's matrices only that form is kept.
class PackedModel final : public Model {
 public:
  PackedModel(TensorStore store, const Geometry& geometry, Precision precision);
  ~PackedModel() override { drop_sessions(); }

  [[nodiscard]] bool has_pooler() const override { return weights_.has("pooler.weight"); }
  [[nodiscard]] bool has_layers() const override { return true; }
  bool run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
           const PackedBatch& batch, const Destination& out) const override;

 private:
  [[nodiscard]] SharedSession make_session(const OutputChoice& choice, int threads) const override;
  void session_made() const override;

  GraphPrecision precision_;
  Weights weights_;
  std::optional<PanelWeights> panels_;
  std::optional<QuantizedWeights> quantized_;
  Constants constants_;
  std::map<std::string, ort::ValueHandle> tensors_;  // of the constants
  ort::PrepackedWeightsHandle prepacked_;
};

}  // namespace albert_fast::encoder
