#include "encoder/kernels/gather.h"

#include <algorithm>
#include <cstring>

#include "encoder/kernels/custom_ops.h"
#include "encoder/kernels/op.h"

namespace albert_fast::encoder {
namespace {

thread_local const float* gather_destination = nullptr;

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

// (x [kept, hidden], row_splits [rows + 1], row_places [n], reduction [1]) -> [rows, hidden]
void compute(const OpCall& call) {
  const OpInput<float> x = call.input<float>(0);
  const OpInput<std::int32_t> splits = call.input<std::int32_t>(1);
  const OpInput<std::int32_t> tokens = call.input<std::int32_t>(2);
  const auto reduction = static_cast<Reduction>(call.input<std::int32_t>(3).data[0]);
  const std::size_t rows = splits.size(0) - 1;
  float* out = call.output<float>(0, rows, x.size(1));
  gather_destination = out;
  gather_rows(x.data, {splits.data, rows + 1}, {tokens.data, static_cast<std::size_t>(splits.data[rows])},
              x.size(1), reduction, out);
}

}  // namespace

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

void register_gather_operator() {
  static const Operator op({.name = "PackedGather",
                            .inputs = {ort::kFloat, ort::kInt32, ort::kInt32, ort::kInt32},
                            .outputs = {ort::kFloat},
                            .compute = compute});
  ort::Runtime::register_custom_op(&op);
}

}  // namespace albert_fast::encoder
