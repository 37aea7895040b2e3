#include "encoder/graph_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked.h"
#include "encoder/kernels/gather.h"
#include "ort/external_files.h"
#include "ort/tensor.h"

namespace albert_fast::encoder {
namespace {

// Sequences share a run while padding adds at most this share to their tokens.
constexpr double kMostPadding = 0.25;

std::size_t length_of(const PackedBatch& batch, std::size_t sequence) {
  return static_cast<std::size_t>(batch.cu_seqlens[sequence + 1] - batch.cu_seqlens[sequence]);
}

/// The end of the group of neighbours that begins with `first`.
std::size_t end_of_group(const PackedBatch& batch, std::size_t first) {
  const std::size_t sequences = batch.cu_seqlens.size() - 1;
  std::size_t longest = length_of(batch, first);
  std::size_t tokens = longest;
  std::size_t last = first + 1;
  for (; last < sequences; ++last) {
    const std::size_t length = length_of(batch, last);
    const std::size_t wider = std::max(longest, length);
    const auto area = static_cast<double>(wider * (last + 1 - first));
    if (area > (1.0 + kMostPadding) * static_cast<double>(tokens + length)) break;
    longest = wider;
    tokens += length;
  }
  return last;
}

/// One input of a run: [sequences, length] numbers of the width that the graph wants.
class PaddedInput {
 public:
  PaddedInput(bool is_int64, std::size_t count)
      : wide_(is_int64 ? count : 0, 0), narrow_(is_int64 ? 0 : count, 0), is_int64_(is_int64) {}
  void set(std::size_t at, std::int32_t value) { is_int64_ ? wide_[at] = value : narrow_[at] = value; }
  [[nodiscard]] ort::ValueHandle tensor(std::span<const std::int64_t> shape) {
    return is_int64_ ? ort::view_tensor(std::span<std::int64_t>(wide_), shape)
                     : ort::view_tensor(std::span<std::int32_t>(narrow_), shape);
  }

 private:
  std::vector<std::int64_t> wide_;
  std::vector<std::int32_t> narrow_;
  bool is_int64_;
};

const float* float_data(ort::Value* value, std::span<const std::int64_t> shape, const std::string& name) {
  if (ort::shape_of(value) != std::vector<std::int64_t>(shape.begin(), shape.end()) ||
      ort::element_type_of(value) != ort::kFloat) {
    fail(ErrorCode::corrupt_model, "the graph's output " + name +
                                       " has not the shape and type it must have: [batch, length, hidden] "
                                       "or, for the pooler, [batch, hidden], in float32");
  }
  void* data = nullptr;
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().GetTensorMutableData(value, &data), "reading an output");
  return static_cast<const float*>(data);
}

}  // namespace

GraphFile GraphFile::mapped(std::string name, const std::string& path, std::size_t begin, std::size_t end) {
  GraphFile file;
  file.name_ = std::move(name);
  file.file_ = std::make_unique<MappedFile>(path);
  if (begin > end || end > file.file_->bytes().size()) {
    fail(ErrorCode::corrupt_model, path + " is shorter than when it was read. Load the model again");
  }
  file.begin_ = begin;
  file.end_ = end;
  return file;
}

GraphFile GraphFile::copied(std::string name, std::string bytes) {
  GraphFile file;
  file.name_ = std::move(name);
  file.copy_ = std::move(bytes);
  return file;
}

std::span<const std::byte> GraphFile::bytes() const {
  if (file_ != nullptr) return file_->bytes().subspan(begin_, end_ - begin_);
  return std::as_bytes(std::span<const char>(copy_));
}

GraphModel::GraphModel(GraphFile graph, std::vector<GraphFile> files, GraphSignature signature,
                       const Geometry& g)
    : Model(g), graph_(std::move(graph)), files_(std::move(files)), signature_(std::move(signature)) {}

SharedSession GraphModel::make_session(const OutputChoice&, int threads) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Api& api = runtime.api();
  ort::SessionOptionsHandle options;
  const char* doing = "preparing a session";
  runtime.check(api.CreateSessionOptions(options.out()), doing);
  set_session_options(options, threads);
  runtime.check(api.SetSessionGraphOptimizationLevel(options.get(), ort::kOptimizeExtended), doing);
  ort::ExternalFiles files;
  for (const GraphFile& file : files_) files.add(file.name(), file.bytes());
  files.give_to(options);
  ort::SessionHandle session;
  const std::span<const std::byte> onnx = graph_.bytes();
  ort::Status* status =
      api.CreateSessionFromArray(runtime.env(), onnx.data(), onnx.size(), options.get(), session.out());
  try {
    runtime.check(status, "opening the ONNX graph");
  } catch (const Error& error) {  // what the runtime will not open is the file's fault
    fail(ErrorCode::corrupt_model, error.what());
  }
  return std::make_shared<const ort::SessionHandle>(std::move(session));
}

bool GraphModel::run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                     const PackedBatch& batch, const Destination& out) const {
  const auto hidden = static_cast<std::size_t>(geometry().hidden_size);
  const std::size_t sequences = batch.cu_seqlens.size() - 1;
  AlignedBuffer<float> rows(
      checked_multiply(batch.input_ids.size(), hidden, ErrorCode::out_of_memory, "a micro-batch"));
  for (std::size_t first = 0; first < sequences;) {
    const std::size_t last = end_of_group(batch, first);
    run_group(session, options, choice, batch, first, last, rows.span());
    first = last;
  }
  gather_rows(rows.data(), batch.row_splits, batch.row_tokens, hidden,
              static_cast<Reduction>(batch.reduction), out.rows.data());
  return false;
}

void GraphModel::run_group(ort::Session* session, const ort::RunOptionsHandle& options,
                           const OutputChoice& choice, const PackedBatch& batch, std::size_t first,
                           std::size_t last, std::span<float> rows) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const auto hidden = static_cast<std::size_t>(geometry().hidden_size);
  std::size_t width = 0;
  for (std::size_t s = first; s < last; ++s) width = std::max(width, length_of(batch, s));
  const std::int64_t shape[] = {static_cast<std::int64_t>(last - first), static_cast<std::int64_t>(width)};
  std::vector<PaddedInput> padded;  // padding is piece 0 under a mask of 0, all tokens are of type 0
  std::vector<ort::ValueHandle> inputs;
  std::vector<const ort::Value*> values;
  std::vector<const char*> names;
  padded.reserve(signature_.inputs.size());
  for (const GraphSignature::Input& input : signature_.inputs) {
    PaddedInput& numbers = padded.emplace_back(input.is_int64, (last - first) * width);
    for (std::size_t s = first; s < last && input.role != GraphSignature::Role::token_type_ids; ++s) {
      const auto begin = static_cast<std::size_t>(batch.cu_seqlens[s]);
      for (std::size_t t = 0; t < length_of(batch, s); ++t) {
        const bool ids = input.role == GraphSignature::Role::input_ids;
        numbers.set((s - first) * width + t, ids ? batch.input_ids[begin + t] : 1);
      }
    }
    inputs.push_back(numbers.tensor(shape));
    values.push_back(inputs.back().get());
    names.push_back(input.name.c_str());
  }
  const std::string& wanted = choice.pooler ? signature_.pooler_output : signature_.hidden_output;
  const char* output_name = wanted.c_str();
  ort::ValueHandle output;
  runtime.check(runtime.api().Run(session, options.get(), names.data(), values.data(), values.size(),
                                  &output_name, 1, output.out()),
                "running the ONNX graph");
  const auto columns = static_cast<std::int64_t>(hidden);
  if (choice.pooler) {
    // The pooler's row stands for its sequence's first token, the only one that is asked for.
    const float* pooled = float_data(output.get(), std::array{shape[0], columns}, wanted);
    for (std::size_t s = first; s < last; ++s, pooled += hidden) {
      std::copy_n(pooled, hidden, rows.data() + static_cast<std::size_t>(batch.cu_seqlens[s]) * hidden);
    }
    return;
  }
  const float* states = float_data(output.get(), std::array{shape[0], shape[1], columns}, wanted);
  for (std::size_t s = first; s < last; ++s, states += width * hidden) {
    std::copy_n(states, length_of(batch, s) * hidden,
                rows.data() + static_cast<std::size_t>(batch.cu_seqlens[s]) * hidden);
  }
}

}  // namespace albert_fast::encoder
