#include "encoder/cuda/cuda_model.h"

#include <algorithm>

#include "base/checked.h"
#include "encoder/cuda/capture_gate.h"
#include "encoder/cuda/cuda_runtime.h"
#include "encoder/cuda/provider.h"
#include "encoder/cuda/rehearsal.h"
#include "encoder/kernels/gather.h"
#include "ort/external_files.h"
#include "ort/tensor.h"

namespace albert_fast::encoder::cuda {
namespace {

// A call of less work than this ends before anybody could press Ctrl-C, so it needs no thread of its own.
constexpr double kInlineFlops = 1e12;
constexpr std::uint32_t kFewestTokens = 512;
// ONNX Runtime's attention asks for work space as if every sequence were as long as the longest.
constexpr std::uint64_t kPlacesPerToken = 8;

/// A run for which there was no device memory; a smaller one may succeed.
class OutOfDeviceMemory : public Error {
 public:
  explicit OutOfDeviceMemory(const std::string& message) : Error(ErrorCode::device, message) {}
};

template <class T>
std::span<const T> view(const std::vector<T>& values) {
  return values;
}

}  // namespace

CudaModel::CudaModel(TensorStore store, const Geometry& g, const Settings& settings)
    : Model(g),
      settings_(settings),
      weights_(Weights(std::move(store), g), g, settings.precision),
      memory_(settings.device, settings.rehearsal),
      pinned_(settings.device),
      most_tokens_(settings.most_tokens),
      team_(std::in_place, static_cast<std::size_t>(std::max(settings.workers, 1))) {
  if (settings.graphs) {
    captured_ = std::make_unique<CapturedRuns>(
        memory_, static_cast<std::size_t>(g.hidden_size),
        [this](const OutputChoice& choice, void* stream) { return make_session_on(choice, stream, false); });
  }
  if (settings.rehearsal && settings.precision != Precision::fp32) {
    fail(ErrorCode::device, "a rehearsal on the CPU is in fp32");
  }
}

std::optional<Pace> CudaModel::pace() const {
  const std::uint32_t most = most_tokens_.load();
  return Pace{most, most * kPlacesPerToken, std::max(settings_.workers, 1), kInlineFlops};
}

AlignedBuffer<float> CudaModel::make_rows(std::size_t count) const {
  if (settings_.rehearsal) return Model::make_rows(count);
  AlignedBuffer<float> rows = pinned_.take(count);
  return rows.data() != nullptr ? std::move(rows) : Model::make_rows(count);
}

void CudaModel::prepare(const OutputChoice& choice) const {
  require_same_process();
  (void)session(choice, 1);  // for what is no short call
  if (!captured_) return;
  try {
    captured_->prepare(choice);
  } catch (const Error& error) {
    fail(ErrorCode::device, readable(error.what()));
  }
}

SharedSession CudaModel::make_session(const OutputChoice& choice, int) const {
  return make_session_on(choice, nullptr, true);
}

// Not in captured graphs (`keeps`): products of so few rows wait for weights, and a gather is one more node.
SharedSession CudaModel::make_session_on(const OutputChoice& choice, void* stream, bool keeps) const {
  const CaptureGate::Work work;
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::SessionOptionsHandle options;
  runtime.check(runtime.api().CreateSessionOptions(options.out()), "preparing a session");
  set_session_options(options, 1);  // no operator computes on the CPU
  // What fails is thrown; that a micro-batch was too large for the device is not worth a line.
  runtime.check(runtime.api().SetSessionLogSeverityLevel(options.get(), ort::kLogFatal),
                "preparing a session");
  ort::SessionHandle session;
  std::optional<CurrentDevice> current;
  if (settings_.rehearsal) {
    runtime.check(runtime.api().AddCustomOpDomain(options.get(), runtime.custom_ops()),
                  "preparing a session");
    open_session(
        options,
        write_device_graph(geometry(), weights_, choice, settings_.precision, keeps, kRehearsalDomain),
        session);
  } else {
    append_cuda(options, settings_, stream);
    current.emplace(settings_.device);
    open_session(options, write_device_graph(geometry(), weights_, choice, settings_.precision, keeps),
                 session);
  }
  // Its end frees device memory, which must not fall into a capture, and changes the current device.
  return {new ort::SessionHandle(std::move(session)),
          [device = settings_.device, generation = ort::fork_generation()](const ort::SessionHandle* ended) {
            std::optional<CaptureGate::Work> freeing;
            std::optional<CurrentDevice> of_session;
            if (generation == ort::fork_generation()) {
              freeing.emplace();
              of_session.emplace(device);
            }
            delete ended;
          }};
}

// The weights go from our memory to the device; AddInitializer would have them used where they stand.
void CudaModel::open_session(const ort::SessionOptionsHandle& options, const DeviceGraph& graph,
                             ort::SessionHandle& session) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::ExternalFiles files;
  for (const std::string& name : graph.weights) files.add(name, weights_.at(name).bytes.span());
  files.give_to(options);
  ort::Status* status = runtime.api().CreateSessionFromArray(runtime.env(), graph.onnx.data(),
                                                             graph.onnx.size(), options.get(), session.out());
  try {
    runtime.check(status, "creating a session");
  } catch (const Error& error) {
    const bool full = is_out_of_memory(error.what());
    fail(ErrorCode::device,
         "the model cannot be put on " + device_name() + ": " + readable(error.what()) +
             (full ? ". Free memory of the device (nvidia-smi shows who has it), or use device='cpu'"
                   : ". `albert-fast doctor` shows the driver and its libraries; device='cpu' needs none"));
  }
}

bool CudaModel::run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                    const PackedBatch& batch, const Destination& out) const {
  if (const std::optional<bool> in_place = run_captured(choice, batch, out)) return *in_place;
  bool in_place = false;
  team_->run([&] { in_place = run_eagerly(session, options, choice, batch, out); });
  return in_place;
}

bool CudaModel::run_eagerly(ort::Session* session, const ort::RunOptionsHandle& options,
                            const OutputChoice& choice, const PackedBatch& batch,
                            const Destination& out) const {
  try {
    return run_whole(session, options, choice, batch, out);
  } catch (const OutOfDeviceMemory& error) {
    const std::size_t sequences = batch.cu_seqlens.size() - 1;
    if (sequences > 1) return run_halves(session, options, choice, batch, out);
    fail(ErrorCode::device, device_name() + " has no memory for one sequence of " +
                                std::to_string(batch.input_ids.size()) + " pieces (" + error.what() +
                                "). Free memory of the device (nvidia-smi shows who has it), lower "
                                "max_sentence_length, or use device='cpu'");
  }
}

std::optional<bool> CudaModel::run_captured(const OutputChoice& choice, const PackedBatch& batch,
                                            const Destination& out) const {
  if (!captured_) return std::nullopt;
  try {
    return captured_->run(choice, batch, out);
  } catch (const Error& error) {
    fail(error.code(), device_name() + ": " + readable(error.what()));
  }
}

// Calls that come later try no more than what fits.
bool CudaModel::run_halves(ort::Session* session, const ort::RunOptionsHandle& options,
                           const OutputChoice& choice, const PackedBatch& batch,
                           const Destination& out) const {
  const auto half = static_cast<std::uint32_t>(batch.input_ids.size() / 2);
  std::uint32_t most = most_tokens_.load();
  while (half < most &&
         !most_tokens_.compare_exchange_weak(most, std::max(half, std::min(most, kFewestTokens)))) {
    if (most <= kFewestTokens) break;
  }
  const std::size_t sequences = batch.cu_seqlens.size() - 1;
  const OwnedBatch first = part_of(batch, 0, sequences / 2);
  const OwnedBatch second = part_of(batch, sequences / 2, sequences);
  const std::size_t numbers = first.rows() * static_cast<std::size_t>(geometry().hidden_size);
  const bool in_place = run_eagerly(session, options, choice, first.view(), out.part(0, numbers));
  const Destination rest = out.part(numbers, out.rows.size() - numbers);
  return run_eagerly(session, options, choice, second.view(), rest) && in_place;
}

bool CudaModel::run_whole(ort::Session* given, const ort::RunOptionsHandle& options,
                          const OutputChoice& choice, const PackedBatch& batch,
                          const Destination& out) const {
  thread_local DeviceBatch on_device;
  lay_out(batch, on_device);
  if (on_device.rows == 0) return true;
  SharedSession with_means;
  if (on_device.means) {
    OutputChoice means = choice;
    means.means = true;
    with_means = session(means, 1);
  }
  ort::Session* graph = with_means ? with_means->get() : given;
  if (on_device.host_splits.empty()) {
    if (!out.on_device) return run_to_host(graph, options, on_device, out.rows);
    run_on_device(graph, options, on_device, out);
    return true;
  }
  const auto hidden = static_cast<std::size_t>(geometry().hidden_size);
  AlignedBuffer<float> rows(checked_multiply(static_cast<std::size_t>(on_device.rows), hidden,
                                             ErrorCode::out_of_memory, "a batch"));
  run_on_device(graph, options, on_device, {rows.span()});
  std::vector<float> made(out.on_device ? out.rows.size() : 0);
  gather_rows(rows.data(), on_device.host_splits, on_device.host_tokens, hidden,
              static_cast<Reduction>(batch.reduction), out.on_device ? made.data() : out.rows.data());
  if (out.on_device) memory_.upload(made, out.rows.data());
  return false;
}

// A card copies slowly into memory that is not pinned: rows for such a result go through a pinned slot.
bool CudaModel::run_to_host(ort::Session* session, const ort::RunOptionsHandle& options,
                            const DeviceBatch& batch, std::span<float> rows) const {
  AlignedBuffer<float> slot;
  if (!settings_.rehearsal && !pinned_.contains(rows.data())) slot = pinned_.take_slot(rows.size());
  if (slot.data() == nullptr) {
    run_on_device(session, options, batch, {rows});
    return true;
  }
  run_on_device(session, options, batch, {slot.span()});
  std::copy(slot.data(), slot.data() + rows.size(), rows.data());
  return false;
}

void CudaModel::run_on_device(ort::Session* session, const ort::RunOptionsHandle& options,
                              const DeviceBatch& batch, const Destination& out) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  if (settings_.rehearsal && settings_.memory_limit > 0 &&
      batch.input_ids.size() * static_cast<std::size_t>(geometry().hidden_size) * sizeof(float) >
          settings_.memory_limit) {
    throw OutOfDeviceMemory("out of memory in a rehearsal");
  }
  const auto length = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  const std::int64_t tokens[] = {length(batch.input_ids)};
  const std::int64_t splits[] = {length(batch.cu_seqlens)};
  const std::int64_t places[] = {splits[0] - 1, batch.longest};
  const std::int64_t index[] = {batch.rows, batch.width};
  const std::int64_t kept[] = {length(batch.kept_tokens)};
  const std::int64_t mask[] = {batch.rows, 1, batch.width};
  const std::int64_t share[] = {batch.rows, 1};
  const std::int64_t shape[] = {batch.rows, geometry().hidden_size};
  std::vector<ort::ValueHandle> inputs;
  inputs.push_back(ort::view_tensor(view(batch.input_ids), tokens));
  inputs.push_back(ort::view_tensor(view(batch.position_ids), tokens));
  inputs.push_back(ort::view_tensor(view(batch.cu_seqlens), splits));
  inputs.push_back(ort::view_tensor(view(batch.token_offset), places));
  inputs.push_back(ort::view_tensor(view(batch.row_index), std::span(index).first(batch.means ? 2U : 1U)));
  inputs.push_back(ort::view_tensor(view(batch.kept_tokens), kept));
  if (batch.means) {
    inputs.push_back(ort::view_tensor(view(batch.row_mask), mask));
    inputs.push_back(ort::view_tensor(view(batch.row_share), share));
  }
  std::vector<const ort::Value*> values;
  for (const ort::ValueHandle& input : inputs) values.push_back(input.get());
  const ort::MemoryInfoHandle card = memory_.describe();
  const ort::ValueHandle output =
      out.on_device ? ort::view_tensor(card.get(), out.rows.data(), out.rows.size_bytes(), ort::kFloat, shape)
                    : ort::view_tensor(out.rows, shape);
  ort::Value* result = output.get();
  const CaptureGate::Work work;
  std::optional<CurrentDevice> current;
  if (!settings_.rehearsal) current.emplace(settings_.device);
  // The runtime copies the inputs to the device and the rows from it, and returns when both are done.
  ort::Status* status =
      runtime.api().Run(session, options.get(), kInputs, values.data(), values.size(), &kOutput, 1, &result);
  try {
    runtime.check(status, settings_.rehearsal ? "rehearsing the model" : "running the model on the GPU");
  } catch (const Error& error) {
    if (is_out_of_memory(error.what())) throw OutOfDeviceMemory(readable(error.what()));
    fail(ErrorCode::device, device_name() + ": " + readable(error.what()));
  }
}

}  // namespace albert_fast::encoder::cuda
