#include "encoder/cuda/rehearsal.h"

#include <cmath>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "encoder/kernels/op.h"

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

void compute(const OpCall& call) {
  const OpInput<float> qkv = call.input<float>(0);
  const OpInput<std::int32_t> offset = call.input<std::int32_t>(4);
  require(qkv.shape.size() == 4 && qkv.shape[2] == 3 && offset.shape.size() == 2, "wrong shapes");
  const Operands o{qkv.data,      call.input<float>(3).data,
                   offset.data,   call.input<std::int32_t>(5).data,
                   qkv.size(0),   qkv.size(1),
                   qkv.size(3),   offset.size(0),
                   offset.size(1)};
  check_layout(o);
  float* rows = call.output<float>(0, o.tokens, o.heads * o.dim);
  const auto place = [&](std::size_t sequence) { return static_cast<std::size_t>(o.cu_seqlens[sequence]); };
  for (std::size_t s = 0; s < o.sequences; ++s) {
    for (std::size_t head = 0; head < o.heads; ++head) attend(o, place(s), place(s + 1), head, rows);
  }
}

}  // namespace

void register_rehearsal_op() {
  static const Operator op(
      {.name = "PackedMultiHeadAttention",
       .inputs = {ort::kFloat, ort::kFloat, ort::kFloat, ort::kFloat, ort::kInt32, ort::kInt32},
       .outputs = {ort::kFloat},
       .compute = compute,
       .optional_inputs = {1, 2}});
  static std::once_flag once;
  std::call_once(once, [] { ort::Runtime::register_custom_op(&op); });
}

}  // namespace albert_fast::encoder::cuda
