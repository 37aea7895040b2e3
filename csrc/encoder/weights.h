#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "encoder/constants.h"
#include "encoder/geometry.h"
#include "encoder/tensor_store.h"

namespace albert_fast::encoder {

/// The weights as the graph wants them: Hugging Face's tensors, but per layer query, key and value in one
/// matrix and, for the front, positions with token type 0 added (ALBERT embeddings never use another type
/// here), and kFirstProduct.
class Weights {
 public:
  Weights(TensorStore store, const Geometry& geometry);

  /// Throws corrupt_model naming the tensor when it is missing.
  [[nodiscard]] const Tensor& at(const std::string& name) const { return store_.at(name); }
  [[nodiscard]] bool has(const std::string& name) const { return store_.has(name); }
  [[nodiscard]] const std::map<std::string, Tensor>& all() const { return store_.all(); }
  void drop(const std::string& name) { store_.drop(name); }
  [[nodiscard]] Constants constants() const;
  void leave_files() { store_.leave_files(); }

 private:
  void require(const std::string& name, const std::vector<std::int64_t>& shape) const;
  void check_shapes(const Geometry& geometry) const;
  void add_positions(const Geometry& geometry);
  void add_query_key_value(const std::string& layer, std::int64_t hidden);
  void add_first_product(const Geometry& geometry);

  TensorStore store_;
};

/// "encoder.albert_layer_groups.G.albert_layers.I."
std::string layer_prefix(std::int64_t group, std::int64_t inner);
/// The names of a matrix [3 * hidden, embedding] and a bias begin with this: query | key | value of the first
/// layer straight from the embeddings. Nothing but a sum stands between its matrix and the one that maps
/// embeddings to hidden states, and embeddings are a few times narrower.
inline constexpr const char* kFirstProduct = "encoder.first_qkv.";
/// The names of the matrices of all layers, each once.
std::vector<std::string> layer_matrices(const Geometry& geometry);

}  // namespace albert_fast::encoder
