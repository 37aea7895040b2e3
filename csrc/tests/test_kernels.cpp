#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "encoder/kernels/kernels.h"
#include "encoder/panels.h"
#include "tests/check.h"

// Every kernel of every instruction set that this processor has, against its definition in double.
namespace albert_fast::encoder {
namespace {

std::vector<float> random_floats(std::size_t count, unsigned seed, float spread = 0.7F) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

std::vector<std::int32_t> random_integers(std::size_t count, unsigned seed, std::int32_t limit) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<std::int32_t> uniform(-limit, limit);
  std::vector<std::int32_t> values(count);
  for (std::int32_t& value : values) value = uniform(generator);
  return values;
}

/// A product in either form, and what its numbers are.
class SomeProduct {
 public:
  SomeProduct(std::size_t rows, std::size_t columns, bool quantized)
      : values_(random_floats(rows * columns, 1)),
        bias_(random_floats(columns, 2)),
        sums_(random_integers(rows * columns, 3, 50000)),
        row_scales_(random_floats(2 * rows, 5)),
        column_scales_(random_floats(columns, 6, 1e-3F)) {
    for (const std::int32_t sum : random_integers(columns, 4, 300)) {
      column_sums_.push_back(static_cast<float>(sum));
    }
    for (std::size_t r = 0; r < rows; ++r) {
      row_scales_[2 * r] = 0.01F * std::abs(row_scales_[2 * r]) + 1e-3F;
      row_scales_[2 * r + 1] = std::floor(std::abs(row_scales_[2 * r + 1]) * 100.0F);
    }
    product_ = {.bias = bias_.data(), .columns = columns};
    if (quantized) {
      product_.sums = sums_.data();
      product_.row_scales = row_scales_.data();
      product_.column_scales = column_scales_.data();
      product_.column_sums = column_sums_.data();
    } else {
      product_.values = values_.data();
    }
  }
  [[nodiscard]] const Product& get() const { return product_; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    const std::size_t i = row * product_.columns + column;
    const double bias = bias_[column];
    if (product_.sums == nullptr) return values_[i] + bias;
    const double sum = sums_[i] - static_cast<double>(row_scales_[2 * row + 1]) * column_sums_[column];
    return sum * row_scales_[2 * row] * column_scales_[column] + bias;
  }

 private:
  std::vector<float> values_, bias_;
  std::vector<std::int32_t> sums_;
  std::vector<float> column_sums_, row_scales_, column_scales_;
  Product product_;
};

double distance(double a, double b) { return std::abs(a - b) / (1.0 + std::abs(b)); }

/// Row `row` of `to`, read back, is `want` (times `shrink`) within half a step.
void check_bytes(const QuantizedRows& to, std::size_t row, const std::vector<double>& want) {
  const std::size_t columns = want.size();
  const double scale = to.row_scales[2 * row];
  double low = 0.0, high = 0.0;
  for (std::size_t c = 0; c < columns; ++c) {
    const double x = want[c] * to.shrink[c];
    low = std::min(low, x);
    high = std::max(high, x);
    const double read =
        (to.bytes[row * columns + c] - static_cast<double>(to.row_scales[2 * row + 1])) * scale;
    CHECK(std::abs(read - x) <= 1.01 * scale + 1e-5);  // half a step for the number, half for the zero point
  }
  CHECK(scale == 1.0 || scale <= (high - low) / to.levels * 1.0001 + 1e-7);
  for (std::size_t c = 0; c < columns; ++c)
    CHECK(static_cast<float>(to.bytes[row * columns + c]) <= to.levels);
}

void check_attention(const Kernels& k, std::size_t heads, std::size_t head_dim, bool quantized) {
  const std::vector<std::int32_t> cu_seqlens{0, 1, 1, 3, 20, 85, 86};  // one of them empty
  const std::size_t hidden = heads * head_dim;
  const SomeProduct qkv(86, 3 * hidden, quantized);
  std::vector<float> context(86 * hidden, -1.0F);
  const AttentionProblem problem{qkv.get(), context.data(), cu_seqlens.data(), heads, head_dim};
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    const auto first = static_cast<std::size_t>(cu_seqlens[s]),
               last = static_cast<std::size_t>(cu_seqlens[s + 1]);
    for (std::size_t h = 0; h < heads; ++h) {
      k.attention(problem, s, h);
      for (std::size_t row = first; row < last; ++row) {
        std::vector<double> weights;
        double sum = 0.0;
        for (std::size_t other = first; other < last; ++other) {
          double score = 0.0;
          for (std::size_t d = 0; d < head_dim; ++d) {
            score += qkv.at(row, h * head_dim + d) * qkv.at(other, hidden + h * head_dim + d);
          }
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(head_dim))));
          sum += weights.back();
        }
        for (std::size_t d = 0; d < head_dim; ++d) {
          double want = 0.0;
          for (std::size_t other = first; other < last; ++other) {
            want += weights[other - first] / sum * qkv.at(other, 2 * hidden + h * head_dim + d);
          }
          CHECK(distance(context[row * hidden + h * head_dim + d], want) < 5e-6);
        }
      }
    }
  }
}

/// Some queries alone give the same numbers as all of them.
void check_queries(const Kernels& k, std::size_t heads, std::size_t head_dim, bool quantized) {
  const std::vector<std::int32_t> cu_seqlens{0, 2, 2, 40, 41, 86};
  const std::vector<std::int32_t> queries{1, 2, 5, 20, 38, 39, 41, 85}, cu_queries{0, 1, 1, 6, 6, 8};
  const std::size_t hidden = heads * head_dim;
  const SomeProduct qkv(86, 3 * hidden, quantized);
  std::vector<float> all(86 * hidden, -1.0F), some(queries.size() * hidden, -1.0F);
  const AttentionProblem of_all{qkv.get(), all.data(), cu_seqlens.data(), heads, head_dim};
  AttentionProblem of_some = of_all;
  of_some.context = some.data();
  of_some.queries = queries.data();
  of_some.cu_queries = cu_queries.data();
  for (std::size_t i = 0; i < (cu_seqlens.size() - 1) * heads; ++i) {
    k.attention(of_all, i / heads, i % heads);
    k.attention(of_some, i / heads, i % heads);
  }
  for (std::size_t i = 0; i < some.size(); ++i) {
    const auto token = static_cast<std::size_t>(queries[i / hidden]);
    CHECK_EQ(some[i], all[token * hidden + i % hidden]);
  }
}

void check_add_norm(const Kernels& k, std::size_t columns, bool quantized) {
  const std::size_t rows = 5;
  const SomeProduct x(rows, columns, quantized);
  const std::vector<float> residual = random_floats(rows * columns, 11), gain = random_floats(columns, 12),
                           shift = random_floats(columns, 13), shrink = random_floats(columns, 14);
  std::vector<float> out(rows * columns, -1.0F), row_scales(2 * rows);
  std::vector<std::uint8_t> bytes(rows * columns);
  AddNormProblem problem{x.get(), residual.data(), gain.data(), shift.data(), 1e-6F, out.data(), {}};
  problem.quantized = {bytes.data(), row_scales.data(), shrink.data(), 180.0F};
  k.add_norm(problem, 0, 2);
  k.add_norm(problem, 2, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    double mean = 0.0, variance = 0.0;
    const auto sum = [&](std::size_t c) { return x.at(r, c) + residual[r * columns + c]; };
    for (std::size_t c = 0; c < columns; ++c) mean += sum(c) / static_cast<double>(columns);
    for (std::size_t c = 0; c < columns; ++c) {
      variance += (sum(c) - mean) * (sum(c) - mean) / static_cast<double>(columns);
    }
    std::vector<double> want;
    for (std::size_t c = 0; c < columns; ++c) {
      want.push_back((sum(c) - mean) / std::sqrt(variance + 1e-6) * gain[c] + shift[c]);
      CHECK(distance(out[r * columns + c], want.back()) < 2e-5);
    }
    check_bytes(problem.quantized, r, want);
  }
}

double activate(Activation kind, double x) {
  switch (kind) {
    case Activation::gelu:
      return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
  }
  return 0.0;
}

void check_activation(const Kernels& k, Activation kind, std::size_t columns, bool quantized) {
  const std::size_t rows = 4;
  const SomeProduct x(rows, columns, quantized);
  const std::vector<float> shrink = random_floats(columns, 21);
  std::vector<float> out(rows * columns, -1.0F), row_scales(2 * rows);
  std::vector<std::uint8_t> bytes(rows * columns);
  ActivationProblem problem{x.get(), kind, out.data(), {}};
  k.activation(problem, 0, rows);
  ActivationProblem to_bytes = problem;
  to_bytes.quantized = {bytes.data(), row_scales.data(), shrink.data(), 180.0F};
  k.activation(to_bytes, 0, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<double> want;
    for (std::size_t c = 0; c < columns; ++c) {
      want.push_back(activate(kind, x.at(r, c)));
      CHECK(distance(out[r * columns + c], want.back()) < 2e-6);
    }
    check_bytes(to_bytes.quantized, r, want);
  }
}

/// Activations far from zero, where exponentials overflow: x or 0, never NaN.
void check_far_activation(const Kernels& k, Activation kind) {
  std::vector<float> x{-1e30F, -200.0F, -90.0F, -15.0F, -6.0F, 0.0F, 6.0F, 15.0F, 90.0F, 200.0F, 1e10F};
  const std::vector<float> bias(x.size(), 0.0F);
  std::vector<float> out(x.size(), -1.0F);
  k.activation({{.values = x.data(), .bias = bias.data(), .columns = x.size()}, kind, out.data(), {}}, 0, 1);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(distance(out[i], std::max(x[i], 0.0F)) < 1e-6);
}

/// A row of one number becomes the highest byte (or zero, below zero), so its scale says exactly what the
/// activation gave.
void check_coarse_activation(const Kernels& k, Activation kind) {
  for (float x = -12.0F; x <= 12.0F; x += 0.0125F) {
    const std::int32_t sum = 1;
    const float row_scales[] = {x, 0.0F}, one = 1.0F, none = 0.0F;
    float to_scales[2];
    std::uint8_t byte = 0;
    Product product{.sums = &sum, .row_scales = row_scales, .column_scales = &one};
    product.column_sums = product.bias = &none;
    product.columns = 1;
    k.activation({product, kind, nullptr, {&byte, to_scales, &one, 255.0F}}, 0, 1);
    const double size = std::abs(activate(kind, x));
    const double got = to_scales[0] == 1.0F ? 0.0 : 255.0 * static_cast<double>(to_scales[0]);
    CHECK(std::abs(got - size) <= 8e-5 * std::abs(x) + 1e-6);
  }
}

void check_quantize(const Kernels& k, std::size_t columns) {
  const std::size_t rows = 4;
  std::vector<float> x = random_floats(rows * columns, 31);
  for (std::size_t c = 0; c < columns; ++c) {
    x[c] = 0.0F;                                       // a row of zeros
    x[columns + c] = std::abs(x[columns + c]) + 3.0F;  // a row without zeros
    x[2 * columns + c] = -1e-3F - std::abs(x[2 * columns + c]);
  }
  const std::vector<float> shrink(columns, 1.0F);
  std::vector<float> row_scales(2 * rows);
  std::vector<std::uint8_t> bytes(rows * columns);
  const QuantizeProblem problem{x.data(), columns, {bytes.data(), row_scales.data(), shrink.data(), 255.0F}};
  k.quantize(problem, 0, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    check_bytes(problem.quantized, r,
                {x.begin() + static_cast<std::ptrdiff_t>(r * columns),
                 x.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns)});
  }
}

/// A product by a kernel, all panels in two calls; what lies around the result must stay.
template <class Out, class Kernel, class X, class W>
std::vector<Out> multiply(Kernel kernel, const std::vector<X>& x, const AlignedBuffer<W>& panels,
                          std::size_t count, std::size_t rows, std::size_t depth, std::size_t columns) {
  constexpr Out kUntouched = 77;
  std::vector<Out> out(rows * columns + 32, kUntouched);
  const PanelProblem<X, W, Out> problem{x.data(), panels.data(), out.data() + 16, rows, depth, columns};
  kernel(problem, 0, count / 2);
  kernel(problem, count / 2, count);
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK_EQ(out[i], kUntouched);
    CHECK_EQ(out[out.size() - 1 - i], kUntouched);
  }
  return {out.begin() + 16, out.end() - 16};
}

void check_product(const Kernels& k, std::size_t rows, std::size_t depth, std::size_t columns) {
  const std::vector<float> x = random_floats(rows * depth, 41), w = random_floats(columns * depth, 42);
  const PanelShape shape = PanelShape::of_floats(columns, depth, k.panel_columns);
  const AlignedBuffer<float> panels =
      make_panels({w.data(), {static_cast<std::int64_t>(columns), static_cast<std::int64_t>(depth)}}, shape);
  const auto product = [&](const std::vector<float>& of, std::size_t count) {
    return multiply<float>(k.product, of, panels, shape.panels, count, depth, columns);
  };
  const std::vector<float> out = product(x, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * depth);
    const std::vector<float> alone =
        product(std::vector<float>(row, row + static_cast<std::ptrdiff_t>(depth)), 1);
    for (std::size_t c = 0; c < columns; ++c) {
      double want = 0.0;
      for (std::size_t i = 0; i < depth; ++i)
        want += static_cast<double>(row[static_cast<std::ptrdiff_t>(i)]) * w[c * depth + i];
      CHECK(std::abs(out[r * columns + c] - want) < 1e-5 * (1.0 + std::sqrt(static_cast<double>(depth))));
      CHECK_EQ(out[r * columns + c], alone[c]);  // whatever is computed beside it
    }
  }
}

/// Values of W as far out as they may be: all, or, where there are runs, so that each lane of one adds up to
/// the most that 16 bits hold.
std::int8_t extreme_value(const QuantizedRange& range, std::size_t k) {
  constexpr std::int8_t kOfRun[] = {127, 127, -127, -127, 4, 0, -4, 0};
  const std::size_t i = k % range.run;
  return i < std::size(kOfRun) ? kOfRun[i] : std::int8_t{0};
}

void check_byte_product(const Kernels& k, std::size_t rows, std::size_t depth, std::size_t columns,
                        bool extreme) {
  const std::vector<std::int32_t> of_x = random_integers(rows * depth, 51, 63),
                                  of_w = random_integers(columns * depth, 52, 20);
  std::vector<std::uint8_t> x(rows * depth);
  const auto highest = static_cast<std::uint8_t>(k.byte_range.byte);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = extreme ? highest : static_cast<std::uint8_t>(of_x[i] + 63);
  const auto w = [&](std::size_t c, std::size_t i) {
    return extreme ? extreme_value(k.byte_range, i) : static_cast<std::int8_t>(of_w[c * depth + i]);
  };
  const PanelShape shape = PanelShape::of_bytes(columns, depth, k.panel_columns, k.byte_range.run);
  AlignedBuffer<std::int8_t> panels(shape.size());
  std::ranges::fill(panels.span(), std::int8_t{0});
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < depth; ++i) panels.data()[shape.at(c, i)] = w(c, i);
  }
  const std::vector<std::int32_t> out =
      multiply<std::int32_t>(k.byte_product, x, panels, shape.panels, rows, depth, columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::int32_t want = 0;
      for (std::size_t i = 0; i < depth; ++i) want += x[r * depth + i] * w(c, i);
      CHECK_EQ(out[r * columns + c], want);
    }
  }
}

constexpr std::size_t kWidths[] = {1, 3, 7, 8, 16, 33, 100, 768};

}  // namespace

ALBERT_FAST_TEST(attention_is_the_definition) {
  for (const Kernels& k : kernels_here()) {
    for (const bool quantized : {false, true}) {
      for (const std::size_t dim : {1U, 7U, 16U, 64U, 100U}) {
        check_attention(k, 3, dim, quantized);
        check_queries(k, 3, dim, quantized);
      }
    }
  }
}

ALBERT_FAST_TEST(add_norm_is_the_definition) {
  for (const Kernels& k : kernels_here()) {
    for (const bool quantized : {false, true}) {
      for (const std::size_t columns : kWidths) check_add_norm(k, columns, quantized);
    }
  }
}

ALBERT_FAST_TEST(activations_are_their_definitions) {
  for (const Kernels& k : kernels_here()) {
    for (const Activation kind : {Activation::gelu, Activation::gelu_tanh, Activation::relu}) {
      check_far_activation(k, kind);
      check_coarse_activation(k, kind);
      for (const bool quantized : {false, true}) {
        for (const std::size_t columns : kWidths) check_activation(k, kind, columns, quantized);
      }
    }
  }
}

ALBERT_FAST_TEST(quantized_rows_read_back) {
  for (const Kernels& k : kernels_here()) {
    for (const std::size_t columns : kWidths) check_quantize(k, columns);
  }
}

// Where the architecture's minimum fuses a product with a sum, only kernels may: a text's pieces and a matrix
// in int8 must not depend on the machine.
ALBERT_FAST_TEST(outside_the_kernels_products_are_rounded) {
  const volatile float above_one = 1.0F + 0x1p-12F;
  const float x = above_one, y = above_one;
  CHECK_EQ(x * y - (1.0F + 0x1p-11F), 0.0F);  // 2^-24 when it is fused
}

ALBERT_FAST_TEST(products_are_the_definition) {
  for (const Kernels& k : kernels_here()) {
    for (const std::size_t depth : {1U, 2U, 11U, 12U, 33U, 100U}) {
      for (const std::size_t columns : {1U, 15U, 16U, 17U, 47U, 48U, 49U, 100U}) {
        for (const std::size_t rows : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 11U, 13U, 40U}) {
          if (k.product != nullptr) check_product(k, rows, depth, columns);
          if (k.byte_product != nullptr) check_byte_product(k, rows, depth, columns, false);
          if (k.byte_product != nullptr) check_byte_product(k, rows, depth, columns, true);
        }
      }
    }
    // deeper than what a kernel does at a time
    if (k.product != nullptr) check_product(k, 7, 9001, 17);
    if (k.byte_product != nullptr) check_byte_product(k, 7, 40001, 17, true);
  }
}

}  // namespace albert_fast::encoder
