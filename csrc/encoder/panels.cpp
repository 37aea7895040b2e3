#include "encoder/panels.h"

#include <algorithm>

#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

std::size_t round_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace

PanelShape PanelShape::of_floats(std::size_t out, std::size_t in) {
  return {round_up(out, kPanelColumns) / kPanelColumns, in, 1};
}

PanelShape PanelShape::of_bytes(std::size_t out, std::size_t in) {
  return {round_up(out, kPanelColumns) / kPanelColumns, round_up(in, kByteRun), kByteQuad};
}

std::vector<std::int64_t> PanelShape::shape() const {
  return {static_cast<std::int64_t>(panels), static_cast<std::int64_t>(depth),
          static_cast<std::int64_t>(kPanelColumns)};
}

AlignedBuffer<float> make_panels(const Tensor& w) {
  const auto out = static_cast<std::size_t>(w.shape.at(0));
  const auto in = static_cast<std::size_t>(w.shape.at(1));
  const PanelShape shape = PanelShape::of_floats(out, in);
  AlignedBuffer<float> panels(shape.size());
  float* to = panels.data();
  for (std::size_t first = 0; first < out; first += kPanelColumns) {
    const std::size_t rows = std::min(kPanelColumns, out - first);
    const float* from = w.data + first * in;
    for (std::size_t k = 0; k < in; ++k) {
      for (std::size_t r = 0; r < rows; ++r) *to++ = from[r * in + k];
      to = std::fill_n(to, kPanelColumns - rows, 0.0F);
    }
  }
  return panels;
}

PanelWeights::PanelWeights(const Weights& weights, const Geometry& geometry) {
  for (const std::string& name : layer_matrices(geometry)) {
    const Tensor& w = weights.at(name);
    const auto size = [&](std::size_t dim) { return static_cast<std::size_t>(w.shape.at(dim)); };
    matrices_.emplace(name, Matrix{PanelShape::of_floats(size(0), size(1)), make_panels(w)});
  }
}

void PanelWeights::add_to(Constants& constants) const {
  for (const auto& [name, matrix] : matrices_) {
    constants[name + ".panels"] = {ort::kFloat, matrix.shape.shape(), std::as_bytes(matrix.values.span())};
  }
}

}  // namespace albert_fast::encoder
