#pragma once

// The kernels that go over a product row by row: normalisation, activation, quantization. A row fits the
// first cache, so each reads its row from memory once.
#include <cmath>
#include <limits>

#include "encoder/kernels/product_rows.h"
#include "encoder/kernels/workspace.h"

namespace albert_fast::encoder {
namespace {

/// A row at hand, for what needs it more than once. One per thread and instruction set.
inline float* scratch_row(std::size_t columns) {
  thread_local Workspace<float> row;
  return row.numbers(round_up(columns, 16));
}

/// x (already multiplied by `shrink`), the lowest and highest of which are known, to bytes.
inline void quantize_row(const float* x, std::size_t columns, Vector lows, Vector highs,
                         const QuantizedRows& to, std::size_t row) {
  // Zero is always in the range and has a byte of its own.
  const float high = highest_of(highs) > 0.0F ? highest_of(highs) : 0.0F;
  const float low = highest_of(-lows) > 0.0F ? -highest_of(-lows) : 0.0F;
  const float range = high - low;
  const float scale = range > 1e-30F ? range / to.levels : 1.0F;
  const float zero_point = std::nearbyint(-low / scale);
  to.row_scales[2 * row] = scale;
  to.row_scales[2 * row + 1] = zero_point;
  const Vector inverse = splat(1.0F / scale);
  std::uint8_t* bytes = to.bytes + row * columns;
  for_each_vector(columns, [&](std::size_t c, auto amount) {
    Vector y = load(x + c, amount) * inverse + zero_point;
    y = lower(higher(y, splat(0.0F)), splat(to.levels));
    // 1.5 * 2^23 puts the nearest integer into the lowest bits.
    store(bytes + c, low_bytes(reinterpret_cast<Bits>(y + 12582912.0F) & 255), amount);
  });
}

/// What a row's numbers pass through on their way to bytes: multiplied by `shrink`, kept, lowest and highest
/// noted.
class RowQuantizer {
 public:
  RowQuantizer(const QuantizedRows& to, std::size_t columns)
      : to_(to), row_(scratch_row(columns)), columns_(columns) {}
  template <class Amount>
  void take(std::size_t column, Vector x, Amount amount) {
    x *= load(to_.shrink + column, amount);
    store(row_ + column, x, amount);
    low_ = lower(low_, keep(x, amount, 0.0F));
    high_ = higher(high_, keep(x, amount, 0.0F));
  }
  void finish(std::size_t row) {
    quantize_row(row_, columns_, low_, high_, to_, row);
    low_ = high_ = Vector{};
  }

 private:
  const QuantizedRows& to_;
  float* row_;
  std::size_t columns_;
  Vector low_{};
  Vector high_{};
};

inline void quantize(const QuantizeProblem& p, std::size_t first_row, std::size_t last_row) {
  RowQuantizer quantizer(p.quantized, p.columns);
  for (std::size_t row = first_row; row < last_row; ++row) {
    const float* x = p.x + row * p.columns;
    for_each_vector(p.columns,
                    [&](std::size_t c, auto amount) { quantizer.take(c, load(x + c, amount), amount); });
    quantizer.finish(row);
  }
}

template <class Row>
void add_norm_rows(const AddNormProblem& p, std::size_t first_row, std::size_t last_row) {
  const std::size_t columns = p.x.columns;
  const auto count = static_cast<float>(columns);
  RowQuantizer quantizer(p.quantized, columns);
  for (std::size_t r = first_row; r < last_row; ++r) {
    const Row row(p.x, r);
    const float* residual = p.residual + r * columns;
    float* out = p.out + r * columns;
    Vector sums{};
    for_each_vector(columns, [&](std::size_t c, auto amount) {
      const Vector x = row.at(c, amount) + load(residual + c, amount);
      store(out + c, x, amount);
      sums += keep(x, amount, 0.0F);
    });
    const float mean = sum_of(sums) / count;
    Vector squares{};
    for_each_vector(columns, [&](std::size_t c, auto amount) {
      const Vector x = keep(load(out + c, amount) - mean, amount, 0.0F);
      squares += x * x;
    });
    const float inverse = 1.0F / std::sqrt(sum_of(squares) / count + p.epsilon);
    for_each_vector(columns, [&](std::size_t c, auto amount) {
      const Vector x =
          (load(out + c, amount) - mean) * inverse * load(p.gain + c, amount) + load(p.shift + c, amount);
      store(out + c, x, amount);
      if (p.quantized.bytes != nullptr) quantizer.take(c, x, amount);
    });
    if (p.quantized.bytes != nullptr) quantizer.finish(r);
  }
}

inline void add_norm(const AddNormProblem& p, std::size_t first_row, std::size_t last_row) {
  with_row_kind(p.x, [&]<class Row>() { add_norm_rows<Row>(p, first_row, last_row); });
}

// x * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, with (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)).
inline Vector gelu_tanh(Vector x) {
  constexpr float kFirst = 1.5957691216057308F * kLog2OfE, kThird = 0.07135481282952498F * kLog2OfE;
  const Vector twice = x * (kFirst + kThird * (x * x));
  return x / (1.0F + exp2_of(-twice));
}

// x * (1 + erf(x / sqrt(2))) / 2; erf by formula 7.1.26 of Abramowitz and Stegun, off by less than 1.5e-7.
inline Vector gelu_erf(Vector x) {
  const Vector z = x * 0.70710678118654752F;
  const Vector size = z < 0.0F ? -z : z;
  const Vector t = 1.0F / (1.0F + 0.3275911F * size);
  Vector p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vector tail = p * t * exp2_below(-kLog2OfE * (size * size));  // 1 - erf(size)
  return 0.5F * x * (z < 0.0F ? tail : 2.0F - tail);
}

/// 1/2 + t P(t^2), t being x within `end` on both sides, is the share of x that GELU lets through: odd
/// polynomials that we fitted with the least largest error, and 0 and 1 at the ends but for rounding. They
/// are off by 7.3e-5 at most, so a number is off by a fiftieth of the step of a row in which it is the
/// largest.
struct CoarseGelu {
  float end;
  float p[7];
};
constexpr CoarseGelu kCoarseGeluTanh = {3.75F,
                                        {0.398667186F, -0.0660072044F, 0.00950292125F, -0.000975332223F,
                                         6.560373e-05F, -2.54057227e-06F, 4.23589839e-08F}};
constexpr CoarseGelu kCoarseGeluErf = {3.8F,
                                       {0.398681581F, -0.0657323301F, 0.00932515785F, -0.000933908857F,
                                        6.09924318e-05F, -2.2912561e-06F, 3.70918336e-08F}};

inline Vector coarse_gelu(const CoarseGelu& g, Vector x) {
  const Vector t = lower(splat(g.end), higher(splat(-g.end), x));
  const Vector square = t * t;
  Vector p = splat(g.p[6]);
  for (std::size_t i = 6; i > 0; --i) p = p * square + g.p[i - 1];
  return x * (p * t + 0.5F);
}

inline Vector relu(Vector x) { return higher(splat(0.0F), x); }

template <class Row, class Function>
void activation_rows(const ActivationProblem& p, std::size_t first_row, std::size_t last_row,
                     Function function) {
  const std::size_t columns = p.x.columns;
  RowQuantizer quantizer(p.quantized, columns);
  for (std::size_t r = first_row; r < last_row; ++r) {
    const Row row(p.x, r);
    if (p.quantized.bytes != nullptr) {
      for_each_vector(columns, [&](std::size_t c, auto amount) {
        quantizer.take(c, function(row.at(c, amount)), amount);
      });
      quantizer.finish(r);
    } else {
      float* out = p.out + r * columns;
      for_each_vector(
          columns, [&](std::size_t c, auto amount) { store(out + c, function(row.at(c, amount)), amount); });
    }
  }
}

inline void activation(const ActivationProblem& p, std::size_t first_row, std::size_t last_row) {
  const bool coarse = p.quantized.bytes != nullptr;
  with_row_kind(p.x, [&]<class Row>() {
    const auto rows = [&](auto function) { activation_rows<Row>(p, first_row, last_row, function); };
    switch (p.kind) {
      case Activation::gelu:
        if (coarse) return rows([](Vector x) { return coarse_gelu(kCoarseGeluErf, x); });
        return rows([](Vector x) { return gelu_erf(x); });
      case Activation::gelu_tanh:
        if (coarse) return rows([](Vector x) { return coarse_gelu(kCoarseGeluTanh, x); });
        return rows([](Vector x) { return gelu_tanh(x); });
      case Activation::relu:
        return rows([](Vector x) { return relu(x); });
    }
  });
}

}  // namespace
}  // namespace albert_fast::encoder
