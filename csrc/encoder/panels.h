#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "encoder/constants.h"
#include "encoder/kernels/kernels.h"
#include "encoder/weights.h"

namespace albert_fast::encoder {

/// The shape of a matrix W [out, in] in panels (see PanelProblem) of some columns of the product, and where
/// its numbers stand there. The depth of bytes is filled up with zeros to a multiple of `run`
/// (QuantizedRange).
struct PanelShape {
  std::size_t panels = 0;
  std::size_t depth = 0;
  std::size_t columns = 0;
  std::size_t quad = 1;  // neighbours of a row of W that stand together

  static PanelShape of_floats(std::size_t out, std::size_t in, std::size_t columns);
  static PanelShape of_bytes(std::size_t out, std::size_t in, std::size_t columns, std::size_t run);
  [[nodiscard]] std::size_t size() const { return panels * depth * columns; }
  [[nodiscard]] std::size_t at(std::size_t row, std::size_t k) const {
    const std::size_t panel = row / columns, column = row % columns;
    return (panel * depth + k / quad * quad) * columns + column * quad + k % quad;
  }
  [[nodiscard]] std::vector<std::int64_t> shape() const;
};

AlignedBuffer<float> make_panels(const Tensor& w, const PanelShape& shape);

/// Some matrices in panels of so many columns, for products of our own.
class PanelWeights {
 public:
  PanelWeights(const Weights& weights, const std::vector<std::string>& names, std::size_t columns);

  /// Adds NAME.panels for each matrix NAME.
  void add_to(Constants& constants) const;

 private:
  struct Matrix {
    PanelShape shape;
    AlignedBuffer<float> values;
  };
  std::map<std::string, Matrix> matrices_;
};

}  // namespace albert_fast::encoder
