#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "encoder/geometry.h"

namespace albert_fast::encoder {

/// How many neighbours of a row of W stand together in a panel of bytes.
inline constexpr std::size_t kByteQuad = 4;
/// The longest QuantizedRange::run.
inline constexpr std::size_t kMostOfRun = 16;

/// How large bytes of x and values of W may be; at first, any.
struct QuantizedRange {
  std::int32_t byte = 255;
  std::int32_t value = 127;
  /// Processors without VNNI add products in 16 bits, which must not overflow: those of two neighbours, and
  /// in our kernel those of further neighbours in the same run (numbers 0, 1, 4, 5 ... of a run in one lane
  /// of 16 bits, numbers 2, 3, 6, 7 ... in another). There the sum of a lane's positive values is bounded,
  /// and that of its negative ones, the less, the larger bytes are.
  std::size_t run = kByteQuad;
  std::int32_t sum = 254;

  bool operator==(const QuantizedRange&) const = default;
};

/// out = x W^T, where W [columns, depth] stands in panels of some of its rows (columns of the product), the
/// last one filled up with zeros. In a panel of floats follows, for each step of the depth, the panel's
/// column of W. In a panel of bytes kByteQuad neighbours of each row of W stand together.
template <class X, class W, class Out>
struct PanelProblem {
  const X* x = nullptr;  // [rows, depth]
  const W* panels = nullptr;
  Out* out = nullptr;  // [rows, columns]
  std::size_t rows = 0;
  std::size_t depth = 0;
  std::size_t columns = 0;
};
using FloatPanels = PanelProblem<float, float, float>;
using BytePanels = PanelProblem<std::uint8_t, std::int8_t, std::int32_t>;

/// A matrix product x W^T before its bias is added, row by row: numbers, or (with `sums`) the sums of int8
/// products, which scales turn into numbers:
///   (sums[r, c] - zero_point[r] * column_sums[c]) * scale[r] * column_scales[c]
/// Where `first_row` is not 0, `values` and `sums` begin with that row.
struct Product {
  const float* values = nullptr;       // [rows, columns]
  const std::int32_t* sums = nullptr;  // [rows, columns]
  const float* row_scales = nullptr;   // [rows, 2]: scale and zero point of each row of x
  const float* column_scales = nullptr;
  const float* column_sums = nullptr;  // of each row of the quantized W
  const float* bias = nullptr;         // [columns]
  std::size_t columns = 0;
  std::size_t first_row = 0;
};

/// Rows as unsigned bytes, each row with a scale and a zero point of its own (so that rows stay independent):
/// number = (byte - zero point) * scale * (1 / shrink[c]).
struct QuantizedRows {
  std::uint8_t* bytes = nullptr;  // [rows, columns]
  float* row_scales = nullptr;    // [rows, 2]
  const float* shrink = nullptr;  // [columns], multiplied in first
  float levels = 255.0F;          // the highest byte
};

/// Block-diagonal self-attention over packed sequences (Vaswani et al. 2017, equation 1, one block per
/// sequence). Every token is a query, unless `queries` names some.
struct AttentionProblem {
  Product qkv{};                             // [tokens, 3 * hidden]: query | key | value of each token
  float* context = nullptr;                  // [queries, hidden]
  const std::int32_t* cu_seqlens = nullptr;  // [sequences + 1], first 0, last = tokens
  std::size_t heads = 0;
  std::size_t head_dim = 0;
  const std::int32_t* queries = nullptr;     // tokens, those of a sequence side by side
  const std::int32_t* cu_queries = nullptr;  // [sequences + 1], first 0, last = queries
};

/// out = LayerNorm(x + bias + residual) (Ba et al. 2016). `out` may be where x stands.
struct AddNormProblem {
  Product x{};
  const float* residual = nullptr;  // [rows, columns]
  const float* gain = nullptr;      // [columns]
  const float* shift = nullptr;     // [columns]
  float epsilon = 0.0F;
  float* out = nullptr;       // [rows, columns]
  QuantizedRows quantized{};  // the same rows again, unless `bytes` is null
};

/// out = activation(x + bias) (Hendrycks and Gimpel 2016 for GELU and its form with tanh), as numbers (`out`
/// may be where x stands) or quantized.
struct ActivationProblem {
  Product x{};
  Activation kind = Activation::gelu_tanh;
  float* out = nullptr;
  QuantizedRows quantized{};
};

struct QuantizeProblem {
  const float* x = nullptr;  // [rows, columns]
  std::size_t columns = 0;
  QuantizedRows quantized{};
};

/// The kernels of one instruction set. All are thread-safe and give the same numbers for a row (or a
/// sequence) whatever else is computed beside it.
struct Kernels {
  const char* name;  // "avx512vnni", "avx512", "avx2" or "portable"
  void (*attention)(const AttentionProblem&, std::size_t sequence, std::size_t head);
  void (*add_norm)(const AddNormProblem&, std::size_t first_row, std::size_t last_row);
  void (*activation)(const ActivationProblem&, std::size_t first_row, std::size_t last_row);
  void (*quantize)(const QuantizeProblem&, std::size_t first_row, std::size_t last_row);
  // Matrix products, or null where ONNX Runtime's are the ones that we measured as faster or could not
  // measure.
  std::size_t panel_columns = 0;  // of the panels of both
  void (*product)(const FloatPanels&, std::size_t first_panel, std::size_t last_panel) = nullptr;
  void (*byte_product)(const BytePanels&, std::size_t first_panel, std::size_t last_panel) = nullptr;
  QuantizedRange byte_range{};  // what byte_product adds up exactly
};

Kernels portable_kernels();
#if defined(__x86_64__)
Kernels avx2_kernels();
Kernels avx512_kernels();
/// Those of AVX-512 with products of bytes by VNNI.
Kernels with_avx512_vnni(Kernels avx512);
#endif
/// Those that this processor runs, the fastest first.
std::vector<Kernels> kernels_here();
/// The ones in use: the fastest, or those that the environment variable ALBERT_FAST_KERNELS names. Throws
/// `device` when it names none of kernels_here().
const Kernels& kernels();

}  // namespace albert_fast::encoder
