#include "encoder/cuda/captured_runs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "encoder/cuda/capture_gate.h"
#include "encoder/cuda/cuda_runtime.h"
#include "encoder/cuda/device_graph.h"
#include "encoder/graph.h"
#include "encoder/kernels/gather.h"
#include "ort/tensor.h"

namespace albert_fast::encoder::cuda {
namespace {

// Another library of the process that asks for memory meanwhile spoils a capture.
constexpr int kAttempts = 3;
// ONNX Runtime captures in the third run of a shape at the latest.
constexpr int kRunsUntilCaptured = 3;
// A replay runs the same kernels; they may differ where a library chooses another algorithm.
constexpr float kReplayTolerance = 2e-2F;

void set(const ort::RunOptionsHandle& options, const char* key, const std::string& value) {
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().AddRunConfigEntry(options.get(), key, value.c_str()), "preparing a run");
}

ort::RunOptionsHandle make_options(const std::string& graph) {
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::RunOptionsHandle options;
  runtime.check(runtime.api().CreateRunOptions(options.out()), "preparing a run");
  set(options, "gpu_graph_id", graph);
  set(options, "disable_synchronize_execution_providers", "1");  // our stream is waited for, once
  return options;
}

// Each input begins at a multiple of 256 bytes, as CUDA's own allocations do.
std::size_t padded(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

// Sequences that fill a bucket, of tokens that every vocabulary has; `first` makes them others.
OwnedBatch sample(const Bucket& bucket, std::int32_t first) {
  OwnedBatch batch;
  const auto tokens = static_cast<std::int32_t>(bucket.tokens);
  const auto length = static_cast<std::int32_t>((bucket.tokens + bucket.sequences - 1) / bucket.sequences);
  for (std::int32_t token = 0; token < tokens; ++token) {
    if (token % length == 0) batch.cu_seqlens.push_back(token);
    batch.input_ids.push_back((token + token / 3 + first) % 2);
    batch.position_ids.push_back(token % length);
    batch.row_splits.push_back(token);
    batch.row_tokens.push_back(token);
  }
  batch.cu_seqlens.push_back(tokens);
  batch.row_splits.push_back(tokens);
  return batch;
}

}  // namespace

/// What is fixed for one shape: where its inputs and rows lie, on the host and on the card.
struct CapturedRuns::Shape {
  Bucket bucket;
  DeviceBatch batch;
  std::size_t input_bytes = 0;
  std::shared_ptr<std::byte> host;         // pinned: the inputs, one after the other
  std::shared_ptr<std::byte> inputs;       // the same on the card
  std::shared_ptr<std::byte> rows;         // on the card: float [tokens, hidden]
  std::shared_ptr<std::byte> pinned_rows;  // for rows that the host makes others of
  ort::IoBindingHandle binding;
  ort::RunOptionsHandle eager = make_options("-1");
  ort::RunOptionsHandle graph;

  [[nodiscard]] float* device_rows() const { return reinterpret_cast<float*>(rows.get()); }
  [[nodiscard]] float* host_rows() const { return reinterpret_cast<float*>(pinned_rows.get()); }
};

/// The shapes of one choice of outputs, from the largest on. Used by the one thread only.
class CapturedRuns::Shapes {
 public:
  Shapes(const CardMemory& memory, std::size_t hidden, OutputChoice choice, const MakeSession& make_session)
      : choice_(std::move(choice)),
        hidden_(hidden),
        stream_(memory),
        session_(make_session(choice_, stream_.handle())) {
    // From the largest on: for a larger one ONNX Runtime would free and replace buffers that graphs of
    // smaller ones hold (the ones that Gemm's bias is multiplied by, before 1.31).
    for (std::size_t left = std::size(kBuckets); left > 0; --left) {
      shapes_.push_back(make_shape(memory, left - 1));
      capture(shapes_.back());
    }
    for (Shape& shape : shapes_) verify(shape);
  }

  [[nodiscard]] const OutputChoice& choice() const { return choice_; }
  [[nodiscard]] std::size_t size() const { return shapes_.size(); }
  bool run(std::size_t number, const PackedBatch& batch, const Destination& out);

 private:
  Shape make_shape(const CardMemory& memory, std::size_t number) const;
  void capture(Shape& shape) const;
  void verify(Shape& shape) const;
  void send(Shape& shape, const PackedBatch& batch) const;
  void replay(const Shape& shape, const ort::RunOptionsHandle& options) const;

  OutputChoice choice_;
  std::size_t hidden_;
  Stream stream_;
  SharedSession session_;  // goes before its stream, after the bindings
  std::vector<Shape> shapes_;
};

CapturedRuns::Shape CapturedRuns::Shapes::make_shape(const CardMemory& memory, std::size_t number) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Api& api = runtime.api();
  Shape shape;
  shape.bucket = kBuckets[number];
  const Bucket& b = shape.bucket;
  const std::int64_t tokens[] = {b.tokens};
  const std::int64_t splits[] = {b.sequences + 1};
  const std::int64_t places[] = {b.sequences, b.longest};
  const std::span<const std::int64_t> inputs[] = {tokens, tokens, splits, places, tokens};  // as in kInputs
  const auto bytes_of = [](std::span<const std::int64_t> dims) {
    std::size_t bytes = sizeof(std::int32_t);
    for (const std::int64_t dim : dims) bytes *= static_cast<std::size_t>(dim);
    return bytes;
  };
  for (const auto& dims : inputs) shape.input_bytes += padded(bytes_of(dims));
  const std::size_t row_bytes = static_cast<std::size_t>(b.tokens) * hidden_ * sizeof(float);
  shape.host = memory.allocate_pinned(shape.input_bytes);
  shape.inputs = memory.allocate(shape.input_bytes);
  shape.rows = memory.allocate(row_bytes);
  shape.pinned_rows = memory.allocate_pinned(row_bytes);
  runtime.check(api.CreateIoBinding(session_->get(), shape.binding.out()), "binding a graph");
  const ort::MemoryInfoHandle place = memory.describe();
  std::byte* at = shape.inputs.get();
  for (std::size_t i = 0; i < std::size(inputs); ++i) {
    const ort::ValueHandle input =
        ort::view_tensor(place.get(), at, bytes_of(inputs[i]), ort::kInt32, inputs[i]);
    runtime.check(api.BindInput(shape.binding.get(), kInputs[i], input.get()), "binding a graph");
    at += padded(bytes_of(inputs[i]));
  }
  const std::int64_t row_shape[] = {b.tokens, static_cast<std::int64_t>(hidden_)};
  const ort::ValueHandle rows =
      ort::view_tensor(place.get(), shape.rows.get(), row_bytes, ort::kFloat, row_shape);
  runtime.check(api.BindOutput(shape.binding.get(), kOutput, rows.get()), "binding a graph");
  shape.graph = make_options(std::to_string(number + 1));
  return shape;
}

void CapturedRuns::Shapes::send(Shape& shape, const PackedBatch& batch) const {
  lay_out(batch, shape.bucket, shape.batch);
  std::byte* to = shape.host.get();
  for (const auto* values : {&shape.batch.input_ids, &shape.batch.position_ids, &shape.batch.cu_seqlens,
                             &shape.batch.token_offset, &shape.batch.row_index}) {
    const std::size_t bytes = values->size() * sizeof(std::int32_t);
    std::memcpy(to, values->data(), bytes);
    to += padded(bytes);
  }
  stream_.copy(shape.inputs.get(), shape.host.get(), shape.input_bytes);
}

void CapturedRuns::Shapes::replay(const Shape& shape, const ort::RunOptionsHandle& options) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().RunWithBinding(session_->get(), options.get(), shape.binding.get()),
                "running the model on the GPU");
}

void CapturedRuns::Shapes::capture(Shape& shape) const {
  {
    const CaptureGate::Work work;
    send(shape, sample(shape.bucket, 0).view());
    replay(shape, shape.eager);  // asks for the memory that a run takes
    stream_.wait();
  }
  const CaptureGate::Capture alone;
  try {
    for (int run = 0; run < kRunsUntilCaptured; ++run) {
      replay(shape, shape.graph);
      stream_.wait();
    }
  } catch (...) {
    // A session that goes while its stream is captured ends the process.
    stream_.abandon_capture();
    throw;
  }
}

// By other tokens than it was captured with: the graph must read what is sent now.
void CapturedRuns::Shapes::verify(Shape& shape) const {
  const OwnedBatch batch = sample(shape.bucket, 1);
  const std::size_t numbers = batch.row_tokens.size() * hidden_;
  const auto rows_after = [&](const ort::RunOptionsHandle& options) {
    std::fill_n(shape.host_rows(), numbers, 0.0F);  // what a replay of nothing would leave
    stream_.copy(shape.device_rows(), shape.host_rows(), numbers * sizeof(float));
    replay(shape, options);
    stream_.copy(shape.host_rows(), shape.device_rows(), numbers * sizeof(float));
    stream_.wait();
    return std::vector<float>(shape.host_rows(), shape.host_rows() + numbers);
  };
  const CaptureGate::Work work;
  send(shape, batch.view());
  const std::vector<float> expected = rows_after(shape.eager);
  const std::vector<float> replayed = rows_after(shape.graph);
  float highest = 1.0F;
  for (const float value : expected) highest = std::max(highest, std::abs(value));
  for (std::size_t i = 0; i < numbers; ++i) {
    if (std::abs(expected[i] - replayed[i]) <= kReplayTolerance * highest) continue;
    fail(ErrorCode::device, "the CUDA graph for " + std::to_string(shape.bucket.tokens) +
                                " pieces gives other numbers than a run without it");
  }
}

bool CapturedRuns::Shapes::run(std::size_t number, const PackedBatch& batch, const Destination& out) {
  const CaptureGate::Work work;
  Shape& shape = shapes_[shapes_.size() - 1 - number];
  send(shape, batch);
  replay(shape, shape.graph);
  const std::size_t made = static_cast<std::size_t>(shape.batch.rows) * hidden_ * sizeof(float);
  if (shape.batch.host_splits.empty()) {
    stream_.copy(out.rows.data(), shape.device_rows(), made);
    stream_.wait();
    return !out.on_device;
  }
  stream_.copy(shape.host_rows(), shape.device_rows(), made);
  stream_.wait();
  std::vector<float> uploaded(out.on_device ? out.rows.size() : 0);
  gather_rows(shape.host_rows(), shape.batch.host_splits, shape.batch.host_tokens, hidden_,
              static_cast<Reduction>(batch.reduction), out.on_device ? uploaded.data() : out.rows.data());
  if (out.on_device) {
    stream_.copy(out.rows.data(), uploaded.data(), out.rows.size_bytes());
    stream_.wait();
  }
  return false;
}

CapturedRuns::CapturedRuns(const CardMemory& memory, std::size_t hidden, MakeSession make_session)
    : memory_(memory), hidden_(hidden), make_session_(std::move(make_session)) {}

CapturedRuns::~CapturedRuns() {
  try {
    on_the_card([this] { prepared_.clear(); });
  } catch (...) {  // in a forked child; the handles let go of what belongs to the parent
  }
}

void CapturedRuns::on_the_card(const std::function<void()>& work) {
  thread_.run([&] {
    const CurrentDevice current(memory_.device());
    work();
  });
}

std::size_t CapturedRuns::count() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& shapes : prepared_) count += shapes->size();
  return count;
}

std::shared_ptr<CapturedRuns::Shapes> CapturedRuns::find(const OutputChoice& choice) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(prepared_.begin(), prepared_.end(),
                                  [&](const auto& shapes) { return shapes->choice() == choice; });
  return found == prepared_.end() ? nullptr : *found;
}

void CapturedRuns::prepare(const OutputChoice& choice) {
  on_the_card([&] {
    if (find(choice) != nullptr) return;
    std::shared_ptr<Shapes> shapes;
    for (int attempt = 1; shapes == nullptr; ++attempt) {
      try {
        shapes = std::make_shared<Shapes>(memory_, hidden_, choice, make_session_);
      } catch (const Error&) {
        if (attempt == kAttempts) throw;
      }
    }
    const std::lock_guard lock(mutex_);
    prepared_.push_back(std::move(shapes));
  });
}

std::optional<bool> CapturedRuns::run(const OutputChoice& choice, const PackedBatch& batch,
                                      const Destination& out) {
  const std::shared_ptr<Shapes> shapes = find(choice);
  const std::optional<std::size_t> number = bucket_of(batch);
  if (shapes == nullptr || !number) return std::nullopt;
  bool in_place = false;
  on_the_card([&] { in_place = shapes->run(*number, batch, out); });
  return in_place;
}

}  // namespace albert_fast::encoder::cuda
