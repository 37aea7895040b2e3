#include "encoder/kernels/custom_ops.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>

#include "base/error.h"
#include "encoder/graph.h"
#include "encoder/kernels/attention.h"
#include "ort/tensor.h"

namespace albert_fast::encoder {
namespace {

thread_local const float* gather_destination = nullptr;

/// Runs `body` in a C callback: no exception may pass through ONNX Runtime.
template <class Body>
ort::Status* guarded(Body body) noexcept {
  constexpr int kFail = 1;
  const ort::Api& api = ort::Runtime::get().api();
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    return api.CreateStatus(kFail, error.what());
  } catch (...) {
    return api.CreateStatus(kFail, "unknown exception in an albert_fast operator");
  }
}

template <class T>
struct Input {
  const T* data;
  std::vector<std::int64_t> shape;
};

template <class T>
Input<T> input(const ort::KernelContext* context, std::size_t index) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Value* value = nullptr;
  runtime.check(runtime.api().KernelContext_GetInput(context, index, &value), "reading an operator's input");
  void* data = nullptr;
  runtime.check(runtime.api().GetTensorMutableData(const_cast<ort::Value*>(value), &data),
                "reading an input's data");
  return {static_cast<const T*>(data), ort::shape_of(value)};
}

float* output(ort::KernelContext* context, std::int64_t rows, std::int64_t columns) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const std::int64_t shape[] = {rows, columns};
  ort::Value* value = nullptr;
  runtime.check(runtime.api().KernelContext_GetOutput(context, 0, shape, 2, &value),
                "making an operator's output");
  void* data = nullptr;
  runtime.check(runtime.api().GetTensorMutableData(value, &data), "reading an output's data");
  return static_cast<float*>(data);
}

// -- PackedSelfAttention(qkv [tokens, 3 hidden], bias [3 hidden], cu_seqlens [sequences + 1]) -> [tokens,
// hidden]

struct AttentionKernelState {
  std::int64_t num_heads = 0;
  AttentionChoice choice = choose_attention();
};

struct AttentionTask {
  AttentionProblem problem;
  AttentionKernel kernel;
};

void compute_attention(const AttentionKernelState& state, ort::KernelContext* context) {
  const Input<float> qkv = input<float>(context, 0);
  const Input<float> bias = input<float>(context, 1);
  const Input<std::int32_t> cu_seqlens = input<std::int32_t>(context, 2);
  const std::int64_t hidden = qkv.shape.at(1) / 3;
  AttentionTask task;
  task.kernel = state.choice.kernel;
  task.problem.qkv = qkv.data;
  task.problem.bias = bias.data;
  task.problem.cu_seqlens = cu_seqlens.data;
  task.problem.heads = static_cast<std::size_t>(state.num_heads);
  task.problem.head_dim = static_cast<std::size_t>(hidden / state.num_heads);
  task.problem.context = output(context, qkv.shape.at(0), hidden);
  const std::size_t tasks = static_cast<std::size_t>(cu_seqlens.shape.at(0) - 1) * task.problem.heads;
  const auto run = [](void* data, std::size_t index) {
    const auto& t = *static_cast<const AttentionTask*>(data);
    t.kernel(t.problem, index / t.problem.heads, index % t.problem.heads);
  };
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().KernelContext_ParallelFor(context, run, tasks, 0, &task), "running attention");
}

ort::Status* create_attention(const ort::CustomOp*, const void*, const ort::KernelInfo* info, void** kernel) {
  return guarded([&] {
    auto state = std::make_unique<AttentionKernelState>();
    const ort::Runtime& runtime = ort::Runtime::get();
    runtime.check(runtime.api().KernelInfoGetAttribute_int64(info, "num_heads", &state->num_heads),
                  "reading num_heads");
    *kernel = state.release();
  });
}

// -- PackedGather(x [tokens, hidden], row_splits [rows + 1], row_tokens [n], reduction [1]) -> [rows, hidden]
// Row r reduces the token rows row_tokens[row_splits[r] : row_splits[r + 1]]; an empty list leaves row r as
// it is.

void reduce_row(const float* x, std::span<const std::int32_t> tokens, std::size_t hidden, Reduction reduction,
                float* out) {
  const auto row = [&](std::size_t i) { return x + static_cast<std::size_t>(tokens[i]) * hidden; };
  std::memcpy(out, row(0), hidden * sizeof(float));
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const float* other = row(i);
    if (reduction == Reduction::max) {
      for (std::size_t d = 0; d < hidden; ++d) out[d] = std::max(out[d], other[d]);
    } else {
      for (std::size_t d = 0; d < hidden; ++d) out[d] += other[d];
    }
  }
  if (reduction == Reduction::mean && tokens.size() > 1) {
    const auto count = static_cast<float>(tokens.size());
    for (std::size_t d = 0; d < hidden; ++d) out[d] /= count;
  }
}

void compute_gather(ort::KernelContext* context) {
  const Input<float> x = input<float>(context, 0);
  const Input<std::int32_t> splits = input<std::int32_t>(context, 1);
  const Input<std::int32_t> tokens = input<std::int32_t>(context, 2);
  const auto reduction = static_cast<Reduction>(input<std::int32_t>(context, 3).data[0]);
  const std::int64_t rows = splits.shape.at(0) - 1;
  const auto hidden = static_cast<std::size_t>(x.shape.at(1));
  float* out = output(context, rows, x.shape.at(1));
  gather_destination = out;
  gather_rows(x.data, {splits.data, static_cast<std::size_t>(rows + 1)},
              {tokens.data, static_cast<std::size_t>(splits.data[rows])}, hidden, reduction, out);
}

// -- The operator descriptions

const char* cpu_provider(const ort::CustomOp*) { return "CPUExecutionProvider"; }
int zero(const ort::CustomOp*, std::size_t) { return 0; }
int one(const ort::CustomOp*) { return 1; }
int newest(const ort::CustomOp*) { return 0x7FFFFFFF; }
ort::ElementType float_output(const ort::CustomOp*, std::size_t) { return ort::kFloat; }
std::size_t one_output(const ort::CustomOp*) { return 1; }

ort::CustomOp common_op() {
  ort::CustomOp op{};
  op.version = ort::kCustomOpVersion;
  op.get_execution_provider = cpu_provider;
  op.get_output_type = float_output;
  op.get_output_count = one_output;
  op.get_input_characteristic = zero;  // required, not optional
  op.get_output_characteristic = zero;
  op.get_input_memory_type = zero;  // default memory
  op.get_variadic_input_min_arity = one;
  op.get_variadic_input_homogeneity = one;
  op.get_variadic_output_min_arity = one;
  op.get_variadic_output_homogeneity = one;
  op.get_start_version = one;
  op.get_end_version = newest;
  return op;
}

const ort::CustomOp* attention_op() {
  static const ort::CustomOp op = [] {
    ort::CustomOp o = common_op();
    o.get_name = [](const ort::CustomOp*) { return "PackedSelfAttention"; };
    o.get_input_count = [](const ort::CustomOp*) -> std::size_t { return 3; };
    o.get_input_type = [](const ort::CustomOp*, std::size_t i) { return i == 2 ? ort::kInt32 : ort::kFloat; };
    o.create_kernel_v2 = create_attention;
    o.compute_v2 = [](void* kernel, ort::KernelContext* context) {
      return guarded([&] { compute_attention(*static_cast<const AttentionKernelState*>(kernel), context); });
    };
    o.destroy = [](void* kernel) { delete static_cast<AttentionKernelState*>(kernel); };
    return o;
  }();
  return &op;
}

const ort::CustomOp* gather_op() {
  static const ort::CustomOp op = [] {
    ort::CustomOp o = common_op();
    o.get_name = [](const ort::CustomOp*) { return "PackedGather"; };
    o.get_input_count = [](const ort::CustomOp*) -> std::size_t { return 4; };
    o.get_input_type = [](const ort::CustomOp*, std::size_t i) { return i == 0 ? ort::kFloat : ort::kInt32; };
    o.create_kernel_v2 = [](const ort::CustomOp*, const void*, const ort::KernelInfo*,
                            void** kernel) -> ort::Status* {
      *kernel = nullptr;  // it keeps no state
      return nullptr;
    };
    o.compute_v2 = [](void*, ort::KernelContext* context) {
      return guarded([&] { compute_gather(context); });
    };
    o.destroy = [](void*) {};
    return o;
  }();
  return &op;
}

}  // namespace

void register_custom_ops() {
  static std::once_flag once;
  std::call_once(once, [] {
    ort::Runtime::register_custom_op(attention_op());
    ort::Runtime::register_custom_op(gather_op());
  });
}

void gather_rows(const float* x, std::span<const std::int32_t> row_splits,
                 std::span<const std::int32_t> row_tokens, std::size_t hidden, Reduction reduction,
                 float* out) {
  for (std::size_t r = 0; r + 1 < row_splits.size(); ++r, out += hidden) {
    const auto begin = static_cast<std::size_t>(row_splits[r]);
    const auto end = static_cast<std::size_t>(row_splits[r + 1]);
    if (begin < end) reduce_row(x, row_tokens.subspan(begin, end - begin), hidden, reduction, out);
  }
}

const float* last_gather_destination() noexcept { return gather_destination; }

}  // namespace albert_fast::encoder
