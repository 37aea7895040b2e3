#include "encoder/weights.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "encoder/kernels/kernels.h"
#include "encoder/panels.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

std::string describe(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

/// out = x y, row by row.
void multiply(const Tensor& x, const Tensor& y, float* out) {
  const auto size = [](const Tensor& t, std::size_t dim) {
    return static_cast<std::size_t>(t.shape.at(dim));
  };
  const std::size_t rows = size(x, 0), depth = size(y, 0), columns = size(y, 1);
  if (kernels().product == nullptr) {
    std::fill_n(out, rows * columns, 0.0F);
    for (std::size_t i = 0; i < rows * depth; ++i) {
      float* row = out + i / depth * columns;
      const float* other = y.data + i % depth * columns;
      for (std::size_t c = 0; c < columns; ++c) row[c] += x.data[i] * other[c];
    }
    return;
  }
  AlignedBuffer<float> turned(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) turned.data()[i % columns * depth + i / columns] = y.data[i];
  const PanelShape shape = PanelShape::of_floats(columns, depth, kernels().panel_columns);
  const AlignedBuffer<float> panels = make_panels({turned.data(), {y.shape[1], y.shape[0]}}, shape);
  kernels().product({x.data, panels.data(), out, rows, depth, columns}, 0, shape.panels);
}

}  // namespace

std::string layer_prefix(std::int64_t group, std::int64_t inner) {
  return "encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers." + std::to_string(inner) +
         ".";
}

Weights::Weights(TensorStore store, const Geometry& geometry) : store_(std::move(store)) {
  check_shapes(geometry);
  add_positions(geometry);
  for (std::int64_t group = 0; group < geometry.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < geometry.inner_group_num; ++inner) {
      add_query_key_value(layer_prefix(group, inner) + "attention.", geometry.hidden_size);
    }
  }
  add_first_product(geometry);
  store_.drop_resident_pages();  // what was copied out of a file need not stand in memory twice
}

Constants Weights::constants() const {
  Constants all;
  for (const auto& [name, tensor] : store_.all()) {
    all[name] = {ort::kFloat, tensor.shape, std::as_bytes(std::span(tensor.data, tensor.size()))};
  }
  return all;
}

void Weights::require(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const Tensor& tensor = at(name);
  if (tensor.shape != shape) {
    fail(ErrorCode::corrupt_model, "tensor " + name + " has shape " + describe(tensor.shape) +
                                       " where config.json asks for " + describe(shape));
  }
}

void Weights::check_shapes(const Geometry& g) const {
  const std::int64_t e = g.embedding_size;
  const std::int64_t h = g.hidden_size;
  require("embeddings.word_embeddings.weight", {g.vocab_size, e});
  require("embeddings.position_embeddings.weight", {g.max_position_embeddings, e});
  require("embeddings.token_type_embeddings.weight", {g.type_vocab_size, e});
  require("encoder.embedding_hidden_mapping_in.weight", {h, e});
  require("encoder.embedding_hidden_mapping_in.bias", {h});
  for (const char* part : {"weight", "bias"}) require(std::string("embeddings.LayerNorm.") + part, {e});
  for (std::int64_t group = 0; group < g.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < g.inner_group_num; ++inner) {
      const std::string prefix = layer_prefix(group, inner);
      for (const char* name : {"query", "key", "value", "dense"}) {
        require(prefix + "attention." + name + ".weight", {h, h});
        require(prefix + "attention." + name + ".bias", {h});
      }
      for (const char* name : {"attention.LayerNorm.", "full_layer_layer_norm."}) {
        require(prefix + name + "weight", {h});
        require(prefix + name + "bias", {h});
      }
      require(prefix + "ffn.weight", {g.intermediate_size, h});
      require(prefix + "ffn.bias", {g.intermediate_size});
      require(prefix + "ffn_output.weight", {h, g.intermediate_size});
      require(prefix + "ffn_output.bias", {h});
    }
  }
  if (has("pooler.weight")) {
    require("pooler.weight", {h, h});
    require("pooler.bias", {h});
  }
}

void Weights::add_positions(const Geometry& g) {
  const Tensor& positions = at("embeddings.position_embeddings.weight");
  const Tensor& types = at("embeddings.token_type_embeddings.weight");
  float* sum = store_.own("positions", positions.shape);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    sum[i] = positions.data[i] + types.data[i % static_cast<std::size_t>(g.embedding_size)];
  }
}

void Weights::add_query_key_value(const std::string& layer, std::int64_t hidden) {
  float* weight = store_.own(layer + "qkv.weight", {3 * hidden, hidden});
  float* bias = store_.own(layer + "qkv.bias", {3 * hidden});
  for (const char* name : {"query", "key", "value"}) {
    const Tensor& w = at(layer + name + ".weight");
    const Tensor& b = at(layer + name + ".bias");
    weight = std::copy(w.data, w.data + w.size(), weight);
    bias = std::copy(b.data, b.data + b.size(), bias);
    store_.drop(layer + name + ".weight");
    store_.drop(layer + name + ".bias");
  }
}

void Weights::add_first_product(const Geometry& g) {
  const std::string layer = layer_prefix(g.group_of_layer(0), 0) + "attention.qkv.";
  const Tensor& qkv = at(layer + "weight");
  const float* qkv_bias = at(layer + "bias").data;
  const float* mapping_bias = at("encoder.embedding_hidden_mapping_in.bias").data;
  const std::vector<std::int64_t> shape{3 * g.hidden_size, g.embedding_size};
  float* weight = store_.own(std::string(kFirstProduct) + "weight", shape);
  multiply(qkv, at("encoder.embedding_hidden_mapping_in.weight"), weight);
  const auto hidden = static_cast<std::size_t>(g.hidden_size);
  float* bias = store_.own(std::string(kFirstProduct) + "bias", {3 * g.hidden_size});
  for (std::size_t n = 0; n < 3 * hidden; ++n) {
    const float* row = qkv.data + n * hidden;
    const double sum = std::inner_product(row, row + hidden, mapping_bias, 0.0);
    bias[n] = static_cast<float>(qkv_bias[n] + sum);
  }
}

std::vector<std::string> layer_matrices(const Geometry& g) {
  std::vector<std::string> names;
  for (std::int64_t group = 0; group < g.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < g.inner_group_num; ++inner) {
      for (const char* name : {"attention.qkv.", "attention.dense.", "ffn.", "ffn_output."}) {
        names.push_back(layer_prefix(group, inner) + name + "weight");
      }
    }
  }
  return names;
}

}  // namespace albert_fast::encoder
