#include "encoder/cuda/rehearsal.h"

#include <cmath>
#include <exception>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "ort/tensor.h"

// PackedMultiHeadAttention(query [tokens, heads, 3, dim], -, -, bias [3 hidden], token_offset [sequences,
// longest], cu_seqlens [sequences + 1]) -> [tokens, hidden]: by the definition, slow, and strict about its
// inputs.

namespace albert_fast::encoder::cuda {
namespace {

struct Operands {
  const float* qkv;
  const float* bias;
  const std::int32_t* token_offset;
  const std::int32_t* cu_seqlens;
  std::size_t tokens, heads, dim, sequences, longest;
};

void require(bool ok, const char* what) {
  if (!ok) fail(ErrorCode::internal, std::string("PackedMultiHeadAttention: ") + what);
}

// What the CUDA kernels rely on without looking.
void check_layout(const Operands& o) {
  require(o.cu_seqlens[0] == 0, "cu_seqlens does not begin with 0");
  require(static_cast<std::size_t>(o.cu_seqlens[o.sequences]) == o.tokens, "cu_seqlens does not end with T");
  std::vector<bool> seen(o.sequences * o.longest, false);
  std::size_t at = 0;
  const auto place = [&](std::size_t wanted, bool exact) {
    const std::int32_t found = o.token_offset[at++];
    require(found >= 0 && static_cast<std::size_t>(found) < seen.size(), "token_offset leaves the layout");
    require(!exact || static_cast<std::size_t>(found) == wanted, "token_offset is not in order");
    require(!seen[static_cast<std::size_t>(found)], "token_offset names a place twice");
    seen[static_cast<std::size_t>(found)] = true;
  };
  for (std::size_t s = 0; s < o.sequences; ++s) {
    require(o.cu_seqlens[s] <= o.cu_seqlens[s + 1], "cu_seqlens falls");
    const auto length = static_cast<std::size_t>(o.cu_seqlens[s + 1] - o.cu_seqlens[s]);
    require(length <= o.longest, "a sequence is longer than token_offset is wide");
    for (std::size_t t = 0; t < length; ++t) place(s * o.longest + t, true);
  }
  while (at < seen.size()) place(0, false);
}

float entry(const Operands& o, std::size_t token, std::size_t head, std::size_t part, std::size_t d) {
  const std::size_t hidden = o.heads * o.dim;
  return o.qkv[((token * o.heads + head) * 3 + part) * o.dim + d] + o.bias[part * hidden + head * o.dim + d];
}

void attend(const Operands& o, std::size_t first, std::size_t last, std::size_t head, float* context) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(o.dim));
  std::vector<double> weights(last - first);
  for (std::size_t row = first; row < last; ++row) {
    double sum = 0.0;
    for (std::size_t other = first; other < last; ++other) {
      double score = 0.0;
      for (std::size_t d = 0; d < o.dim; ++d) {
        score +=
            static_cast<double>(entry(o, row, head, 0, d)) * static_cast<double>(entry(o, other, head, 1, d));
      }
      sum += weights[other - first] = std::exp(score * scale);
    }
    for (std::size_t d = 0; d < o.dim; ++d) {
      double value = 0.0;
      for (std::size_t other = first; other < last; ++other) {
        value += weights[other - first] / sum * static_cast<double>(entry(o, other, head, 2, d));
      }
      context[(row * o.heads + head) * o.dim + d] = static_cast<float>(value);
    }
  }
}

const ort::Value* value_of(const ort::KernelContext* context, std::size_t index) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Value* value = nullptr;
  runtime.check(runtime.api().KernelContext_GetInput(context, index, &value), "reading an operator's input");
  return value;
}

template <class T>
const T* data_of(const ort::Value* value) {
  void* data = nullptr;
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().GetTensorMutableData(const_cast<ort::Value*>(value), &data),
                "reading a tensor");
  return static_cast<const T*>(data);
}

void compute(ort::KernelContext* context) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Value* qkv = value_of(context, 0);
  const ort::Value* offset = value_of(context, 4);
  const auto qkv_shape = ort::shape_of(qkv);
  const auto offset_shape = ort::shape_of(offset);
  require(qkv_shape.size() == 4 && qkv_shape[2] == 3 && offset_shape.size() == 2, "wrong shapes");
  const auto size = [](std::int64_t dim) { return static_cast<std::size_t>(dim); };
  const Operands o{data_of<float>(qkv),
                   data_of<float>(value_of(context, 3)),
                   data_of<std::int32_t>(offset),
                   data_of<std::int32_t>(value_of(context, 5)),
                   size(qkv_shape[0]),
                   size(qkv_shape[1]),
                   size(qkv_shape[3]),
                   size(offset_shape[0]),
                   size(offset_shape[1])};
  check_layout(o);
  const std::int64_t shape[] = {qkv_shape[0], qkv_shape[1] * qkv_shape[3]};
  ort::Value* out = nullptr;
  runtime.check(runtime.api().KernelContext_GetOutput(context, 0, shape, 2, &out), "making an output");
  auto* rows = const_cast<float*>(data_of<float>(out));
  for (std::size_t s = 0; s < o.sequences; ++s) {
    for (std::size_t head = 0; head < o.heads; ++head) {
      attend(o, size(o.cu_seqlens[s]), size(o.cu_seqlens[s + 1]), head, rows);
    }
  }
}

constexpr std::size_t kInputs = 6;
constexpr bool is_left_out(std::size_t i) { return i == 1 || i == 2; }

ort::CustomOp make_op() {
  ort::CustomOp op{};
  op.version = ort::kCustomOpVersion;
  op.get_name = [](const ort::CustomOp*) { return "PackedMultiHeadAttention"; };
  op.get_execution_provider = [](const ort::CustomOp*) { return "CPUExecutionProvider"; };
  op.get_input_count = [](const ort::CustomOp*) { return kInputs; };
  op.get_input_type = [](const ort::CustomOp*, std::size_t i) { return i < 4 ? ort::kFloat : ort::kInt32; };
  op.get_output_count = [](const ort::CustomOp*) -> std::size_t { return 1; };
  op.get_output_type = [](const ort::CustomOp*, std::size_t) { return ort::kFloat; };
  op.get_input_characteristic = [](const ort::CustomOp*, std::size_t i) { return is_left_out(i) ? 1 : 0; };
  op.get_output_characteristic = [](const ort::CustomOp*, std::size_t) { return 0; };
  op.get_input_memory_type = [](const ort::CustomOp*, std::size_t) { return 0; };
  op.get_variadic_input_min_arity = [](const ort::CustomOp*) { return 1; };
  op.get_variadic_input_homogeneity = [](const ort::CustomOp*) { return 1; };
  op.get_variadic_output_min_arity = [](const ort::CustomOp*) { return 1; };
  op.get_variadic_output_homogeneity = [](const ort::CustomOp*) { return 1; };
  op.get_start_version = [](const ort::CustomOp*) { return 1; };
  op.get_end_version = [](const ort::CustomOp*) { return 0x7FFFFFFF; };
  op.create_kernel_v2 = [](const ort::CustomOp*, const void*, const ort::KernelInfo*,
                           void** kernel) -> ort::Status* {
    *kernel = nullptr;  // it keeps no state
    return nullptr;
  };
  op.compute_v2 = [](void*, ort::KernelContext* context) -> ort::Status* {
    constexpr int kFail = 1;
    try {
      compute(context);
      return nullptr;
    } catch (const std::exception& error) {
      return ort::Runtime::get().api().CreateStatus(kFail, error.what());
    }
  };
  op.destroy = [](void*) {};
  return op;
}

}  // namespace

void register_rehearsal_op() {
  static const ort::CustomOp op = make_op();
  static std::once_flag once;
  std::call_once(once, [] { ort::Runtime::register_custom_op(&op); });
}

}  // namespace albert_fast::encoder::cuda
