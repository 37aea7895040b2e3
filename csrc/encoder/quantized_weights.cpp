#include "encoder/quantized_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "encoder/panels.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

// Rows of W whose bytes are written side by side: a cache line of each row of `values`.
constexpr std::size_t kBlock = 64;

/// How large each column of W is: the root of its mean square.
std::vector<float> size_of_columns(const float* w, std::size_t out, std::size_t in) {
  std::vector<float> size(in, 0.0F);
  for (std::size_t n = 0; n < out; ++n) {
    for (std::size_t k = 0; k < in; ++k) size[k] += w[n * in + k] * w[n * in + k];
  }
  for (float& s : size) s = std::sqrt(s / static_cast<float>(out));
  return size;
}

/// By what each column of W is multiplied, and each column of x divided: the root of the ratio of their
/// sizes.
std::vector<float> growth_of_columns(std::span<const float> size_of_x, const std::vector<float>& size_of_w) {
  const std::size_t in = size_of_w.size();
  std::vector<float> growth(in, 1.0F);
  if (size_of_x.empty()) return growth;
  // A column that is hardly there must not get an endless factor.
  const float least_x = 1e-3F * *std::max_element(size_of_x.begin(), size_of_x.end());
  const float least_w = 1e-3F * *std::max_element(size_of_w.begin(), size_of_w.end());
  for (std::size_t k = 0; k < in; ++k) {
    growth[k] = std::sqrt(std::max(size_of_x[k], least_x) / std::max(size_of_w[k], least_w));
    if (!(growth[k] > 0.0F) || !std::isfinite(growth[k])) growth[k] = 1.0F;  // weights of zero
  }
  return growth;
}

float round_to_whole(float x) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23 leaves no room for a fraction
  return (x + kShift) - kShift;
}

/// The lane of 16 bits in which the product of number `i` of a run is added.
constexpr std::size_t lane_of(std::size_t i) { return i / 2 % 2; }

/// What may be the most that a run's values add up to in one of its two lanes, upwards or downwards.
float highest_sum_of_run(const float* q, std::size_t count) {
  float sum[4] = {}, up[4] = {};  // by the place in a quad
  std::size_t i = 0;
  const auto add = [&](std::size_t place) {
    const float x = q[i + place];
    sum[place] += x;
    up[place] += x > 0.0F ? x : 0.0F;
  };
  for (; i + 4 <= count; i += 4) {
    for (std::size_t place = 0; place < 4; ++place) add(place);
  }
  for (std::size_t place = 0; i + place < count; ++place) add(place);
  const float up_0 = up[0] + up[1], up_1 = up[2] + up[3];
  const float down_0 = up_0 - (sum[0] + sum[1]), down_1 = up_1 - (sum[2] + sum[3]);
  return std::max(std::max(up_0, up_1), std::max(down_0, down_1));
}

/// Takes steps off the values of `sign` in a lane, each where the rounding went furthest up.
void cut_lane(const float* exact, std::size_t lane, float sign, float most, float* q, std::size_t count) {
  float excess = -most;
  for (std::size_t i = 0; i < count; ++i) {
    if (lane_of(i) == lane) excess += std::max(sign * q[i], 0.0F);
  }
  for (; excess > 0.0F; excess -= 1.0F) {
    std::size_t furthest = 0;
    float highest = -1e30F;
    for (std::size_t i = 0; i < count; ++i) {
      const float up = sign * (q[i] - exact[i]);
      if (lane_of(i) != lane || sign * q[i] < 1.0F || up <= highest) continue;
      highest = up;
      furthest = i;
    }
    q[furthest] -= sign;
  }
}

/// Sets q to the whole numbers in `range` near row / step; returns the sum of the squares of what they miss.
float fit(const std::vector<float>& row, float step, const QuantizedRange& range, std::vector<float>& q) {
  const std::size_t in = row.size();
  const auto most = static_cast<float>(range.value);
  const auto most_of_lane = static_cast<float>(range.sum);
  const float inverse = 1.0F / step;
  for (std::size_t k = 0; k < in; ++k) {
    q[k] = std::clamp(round_to_whole(row[k] * inverse), -most, most);
  }
  float exact[kMostOfRun];
  for (std::size_t k = 0; k < in; k += range.run) {
    const std::size_t count = std::min(range.run, in - k);
    float* run = q.data() + k;
    if (highest_sum_of_run(run, count) <= most_of_lane) continue;  // nearly always
    for (std::size_t i = 0; i < count; ++i) exact[i] = row[k + i] * inverse;
    for (std::size_t lane = 0; lane < 2; ++lane) {
      for (const float sign : {1.0F, -1.0F}) cut_lane(exact, lane, sign, most_of_lane, run, count);
    }
  }
  float missed = 0.0F;
  for (std::size_t k = 0; k < in; ++k) {
    const float miss = row[k] * inverse - q[k];
    missed += miss * miss;
  }
  return missed * step * step;
}

/// Sets q as `fit` does, with the step that misses least: a finer one cuts a few large weights and is nearer
/// to all others. Returns the step.
float fit_best(const std::vector<float>& row, const QuantizedRange& range, std::vector<float>& q,
               std::vector<float>& trial) {
  float highest = 0.0F;
  float highest_sum = 0.0F;
  for (const float w : row) highest = std::max(highest, std::abs(w));
  for (std::size_t k = 0; k < row.size(); k += range.run) {
    highest_sum =
        std::max(highest_sum, highest_sum_of_run(row.data() + k, std::min(range.run, row.size() - k)));
  }
  float step =
      std::max(highest / static_cast<float>(range.value), highest_sum / static_cast<float>(range.sum));
  if (!(step > 1e-30F)) step = 1.0F;
  float best = step;
  float least = fit(row, step, range, q);
  for (;;) {
    step *= 0.9F;
    const float missed = fit(row, step, range, trial);
    if (!(missed < least)) return best;
    least = missed;
    best = step;
    q.swap(trial);
  }
}

/// Some rows of W to where they stand in panels.
void write_panels(const PanelShape& panels, const std::int8_t* from, std::size_t first, std::size_t rows,
                  std::size_t in, std::int8_t* to) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < in; k += panels.quad) {
      std::copy_n(from + r * in + k, std::min(panels.quad, in - k), to + panels.at(first + r, k));
    }
  }
}

}  // namespace

std::vector<QuantizedMatrix> quantize_matrix(const Tensor& w, std::span<const float> size_of_x,
                                             const QuantizedProducts& products,
                                             std::span<const float> stretches) {
  const QuantizedRange& range = products.range;
  const auto out = static_cast<std::size_t>(w.shape.at(0));
  const auto in = static_cast<std::size_t>(w.shape.at(1));
  const std::vector<float> growth = growth_of_columns(size_of_x, size_of_columns(w.data, out, in));
  const PanelShape panels = products.panels(out, in);
  std::vector<QuantizedMatrix> copies;
  for (std::size_t copy = 0; copy < stretches.size(); ++copy) {
    QuantizedMatrix& q = copies.emplace_back(
        QuantizedMatrix{AlignedBuffer<std::int8_t>(products.in_panels() ? panels.size() : in * out),
                        AlignedBuffer<float>(out), AlignedBuffer<float>(out), AlignedBuffer<float>(in)});
    if (products.in_panels())
      std::ranges::fill(q.values.span(), std::int8_t{0});  // what panels are filled up with
    for (std::size_t k = 0; k < in; ++k) q.shrink.data()[k] = 1.0F / growth[k];
  }
  std::vector<float> row(in), best(in), trial(in);
  // Of each copy some rows, which are then written side by side.
  std::vector<std::int8_t> block(stretches.size() * kBlock * in);
  for (std::size_t first = 0; first < out; first += kBlock) {
    const std::size_t rows = std::min(kBlock, out - first);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* from = w.data + (first + r) * in;
      for (std::size_t k = 0; k < in; ++k) row[k] = from[k] * growth[k];
      const float best_step = fit_best(row, range, best, trial);
      for (std::size_t copy = 0; copy < copies.size(); ++copy) {
        const float step = best_step * stretches[copy];
        if (step != best_step) fit(row, step, range, trial);
        const std::vector<float>& values = step != best_step ? trial : best;
        std::int8_t* to = block.data() + (copy * kBlock + r) * in;
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < in; ++k) {
          to[k] = static_cast<std::int8_t>(values[k]);
          sum += to[k];
        }
        copies[copy].column_scales.data()[first + r] = step;
        copies[copy].column_sums.data()[first + r] = static_cast<float>(sum);
      }
    }
    for (std::size_t copy = 0; copy < copies.size(); ++copy) {
      const std::int8_t* from = block.data() + copy * kBlock * in;
      std::int8_t* to = copies[copy].values.data();
      if (products.in_panels()) {
        write_panels(panels, from, first, rows, in, to);
      } else {
        for (std::size_t k = 0; k < in; ++k) {
          for (std::size_t r = 0; r < rows; ++r) to[k * out + first + r] = from[r * in + k];
        }
      }
    }
  }
  return copies;
}

namespace {

/// LayerNorm gives numbers of spread |gain| around `shift`.
std::vector<float> size_of_normalized(const Tensor& gain, const Tensor& shift) {
  std::vector<float> size(gain.size());
  for (std::size_t k = 0; k < size.size(); ++k) {
    size[k] = std::sqrt(gain.data[k] * gain.data[k] + shift.data[k] * shift.data[k]);
  }
  return size;
}

// Sums of 255 * 127 stay below 2^31, those of pairs and runs as well.
constexpr std::int64_t kMostDepth = 65'536;

/// NaN and infinity would come out of bytes as something that looks like a number.
void require_finite(const std::string& name, const Tensor& tensor) {
  const auto is_finite = [](float x) { return std::isfinite(x); };
  if (!std::all_of(tensor.data, tensor.data + tensor.size(), is_finite)) {
    fail(ErrorCode::corrupt_model,
         "tensor " + name +
             " holds NaN or infinity, so it cannot be quantized. Use precision='fp32' "
             "to see what the model gives, or get an undamaged copy of it");
  }
}

template <class T>
Constant constant(int type, std::vector<std::int64_t> shape, const AlignedBuffer<T>& numbers) {
  return {type, std::move(shape), std::as_bytes(numbers.span())};
}

}  // namespace

QuantizedWeights::QuantizedWeights(const Weights& weights, const Geometry& geometry,
                                   const QuantizedProducts& products)
    : products_(products) {
  if (geometry.intermediate_size > kMostDepth || geometry.hidden_size > kMostDepth) {
    fail(ErrorCode::device, "precision='int8' adds up at most " + std::to_string(kMostDepth) +
                                " products in 32 bits, this model has intermediate_size " +
                                std::to_string(geometry.intermediate_size) + ". Use precision='fp32'");
  }
  constexpr float kStretches[] = {1.0F, 1.03F};
  const bool shared = geometry.num_hidden_layers > geometry.num_hidden_groups;
  const auto stretches = std::span(kStretches).first(shared ? 2 : 1);
  const auto add = [&](const std::string& name, std::span<const float> size_of_x) {
    matrices_.emplace(name, quantize_matrix(weights.at(name), size_of_x, products, stretches));
  };
  for (const auto& [name, tensor] : weights.all()) {
    if (name.starts_with("encoder.") || name.starts_with("embeddings.")) require_finite(name, tensor);
  }
  for (std::int64_t group = 0; group < geometry.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < geometry.inner_group_num; ++inner) {
      const std::string layer = layer_prefix(group, inner);
      const auto normalized = [&](const std::string& norm) {
        return size_of_normalized(weights.at(layer + norm + "weight"), weights.at(layer + norm + "bias"));
      };
      // Into a layer goes what the same layer gave before. (The very first takes kFirstProduct.)
      add(layer + "attention.qkv.weight", normalized("full_layer_layer_norm."));
      add(layer + "attention.dense.weight", {});
      add(layer + "ffn.weight", normalized("attention.LayerNorm."));
      add(layer + "ffn_output.weight", {});
    }
  }
}

void QuantizedWeights::add_to(Constants& constants) const {
  for (const auto& [name, copies] : matrices_) {
    const auto in = static_cast<std::int64_t>(copies.front().shrink.size());
    constants[name + ".shrink"] = constant(ort::kFloat, {in}, copies.front().shrink);
    for (std::size_t copy = 0; copy < copies.size(); ++copy) {
      const QuantizedMatrix& q = copies[copy];
      const std::string prefix = name + "." + std::to_string(copy) + ".";
      const auto out = static_cast<std::int64_t>(q.column_scales.size());
      const std::vector<std::int64_t> plain{in, out};
      constants[prefix + "values"] = constant(
          ort::kInt8,
          products_.in_panels() ? products_.panels(q.column_scales.size(), q.shrink.size()).shape() : plain,
          q.values);
      constants[prefix + "column_scales"] = constant(ort::kFloat, {out}, q.column_scales);
      constants[prefix + "column_sums"] = constant(ort::kFloat, {out}, q.column_sums);
    }
  }
}

}  // namespace albert_fast::encoder
