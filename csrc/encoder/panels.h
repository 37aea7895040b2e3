#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "encoder/constants.h"
#include "encoder/kernels/kernels.h"
#include "encoder/weights.h"

namespace albert_fast::encoder {

/// The shape of a matrix W [out, in] in panels (see kPanelColumns) and where its numbers stand there.
struct PanelShape {
  std::size_t panels = 0;
  std::size_t depth = 0;
  std::size_t quad = 1;  // neighbours of a row of W that stand together

  static PanelShape of_floats(std::size_t out, std::size_t in);
  static PanelShape of_bytes(std::size_t out, std::size_t in);
  [[nodiscard]] std::size_t size() const { return panels * depth * kPanelColumns; }
  [[nodiscard]] std::size_t at(std::size_t row, std::size_t k) const {
    const std::size_t panel = row / kPanelColumns, column = row % kPanelColumns;
    return (panel * depth + k / quad * quad) * kPanelColumns + column * quad + k % quad;
  }
  [[nodiscard]] std::vector<std::int64_t> shape() const;
};

AlignedBuffer<float> make_panels(const Tensor& w);

/// The matrices of the layers in panels, for products of our own.
class PanelWeights {
 public:
  PanelWeights(const Weights& weights, const Geometry& geometry);

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
