#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "encoder/constants.h"
#include "encoder/kernels/kernels.h"
#include "encoder/panels.h"
#include "encoder/weights.h"

namespace albert_fast::encoder {

/// W [out, in] of a product x W^T for int8 products:
///   x W^T [r, n] = sum over k of (x[r, k] * shrink[k]) * values[k, n] * column_scales[n]
/// `shrink` is for whoever quantizes x: it evens out columns of x that are always large against columns of W
/// that are always small (Xiao et al. 2023, SmoothQuant), so that one scale per row of x does for both.
struct QuantizedMatrix {
  AlignedBuffer<std::int8_t> values;   // [in, out], or in panels (PanelShape)
  AlignedBuffer<float> column_scales;  // [out]
  AlignedBuffer<float> column_sums;    // [out]: sums of the columns of `values`, whole numbers
  AlignedBuffer<float> shrink;         // [in]
};

/// Which products of bytes the graph makes: ours, of matrices in panels, or ONNX Runtime's.
struct QuantizedProducts {
  QuantizedRange range{};
  std::size_t panel_columns = 0;  // 0: ONNX Runtime's

  [[nodiscard]] bool in_panels() const { return panel_columns > 0; }
  /// Empty for ONNX Runtime's.
  [[nodiscard]] PanelShape panels(std::size_t out, std::size_t in) const {
    return in_panels() ? PanelShape::of_bytes(out, in, panel_columns, range.run) : PanelShape{};
  }
};

/// The fastest that this processor computes exactly. What ONNX Runtime does is found by trying.
QuantizedProducts find_quantized_products();

/// `size_of_x` [in] is how large the columns of x are in proportion to each other; empty: alike. One result
/// for each of `stretches`: the step between two values is the best one times that.
std::vector<QuantizedMatrix> quantize_matrix(const Tensor& w, std::span<const float> size_of_x,
                                             const QuantizedProducts& products,
                                             std::span<const float> stretches);

/// The matrices of the layers, quantized; those of the embeddings (kFirstProduct too) and of the pooler stay
/// as they are. Where several layers share a matrix there are two copies with steps of different length, for
/// them to take turns: what one rounding misses would otherwise be missed in the same direction in every
/// layer, and add up.
class QuantizedWeights {
 public:
  QuantizedWeights(const Weights& weights, const Geometry& geometry, const QuantizedProducts& products);

  /// Adds NAME.shrink for each matrix NAME, and for its copies N = 0 ... NAME.N.values, NAME.N.column_scales
  /// and NAME.N.column_sums.
  void add_to(Constants& constants) const;

 private:
  std::map<std::string, std::vector<QuantizedMatrix>> matrices_;  // the copies of each
  QuantizedProducts products_;
};

}  // namespace albert_fast::encoder
