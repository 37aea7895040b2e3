#include "encoder/panels.h"

#include <algorithm>

#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

std::size_t round_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace

PanelShape PanelShape::of_floats(std::size_t out, std::size_t in, std::size_t columns) {
  return {round_up(out, columns) / columns, in, columns, 1};
}

PanelShape PanelShape::of_bytes(std::size_t out, std::size_t in, std::size_t columns, std::size_t run) {
  return {round_up(out, columns) / columns, round_up(in, run), columns, kByteQuad};
}

std::vector<std::int64_t> PanelShape::shape() const {
  return {static_cast<std::int64_t>(panels), static_cast<std::int64_t>(depth),
          static_cast<std::int64_t>(columns)};
}

AlignedBuffer<float> make_panels(const Tensor& w, const PanelShape& shape) {
  const auto out = static_cast<std::size_t>(w.shape.at(0));
  const auto in = static_cast<std::size_t>(w.shape.at(1));
  AlignedBuffer<float> panels(shape.size());
  float* to = panels.data();
  for (std::size_t first = 0; first < out; first += shape.columns) {
    const std::size_t rows = std::min(shape.columns, out - first);
    const float* from = w.data + first * in;
    for (std::size_t k = 0; k < in; ++k) {
      for (std::size_t r = 0; r < rows; ++r) *to++ = from[r * in + k];
      to = std::fill_n(to, shape.columns - rows, 0.0F);
    }
  }
  return panels;
}

PanelWeights::PanelWeights(const Weights& weights, const std::vector<std::string>& names,
                           std::size_t columns) {
  for (const std::string& name : names) {
    const Tensor& w = weights.at(name);
    const auto size = [&](std::size_t dim) { return static_cast<std::size_t>(w.shape.at(dim)); };
    const PanelShape shape = PanelShape::of_floats(size(0), size(1), columns);
    matrices_.emplace(name, Matrix{shape, make_panels(w, shape)});
  }
}

void PanelWeights::add_to(Constants& constants) const {
  for (const auto& [name, matrix] : matrices_) {
    constants[name + ".panels"] = {ort::kFloat, matrix.shape.shape(), std::as_bytes(matrix.values.span())};
  }
}

}  // namespace albert_fast::encoder
