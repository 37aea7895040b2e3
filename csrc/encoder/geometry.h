#pragma once

#include <cstdint>
#include <vector>

namespace albert_fast::encoder {

enum class Activation : std::uint8_t { gelu, gelu_tanh, relu };

/// The numbers of Hugging Face's AlbertConfig that shape the computation.
struct Geometry {
  std::int64_t vocab_size = 0;
  std::int64_t embedding_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_hidden_groups = 1;
  std::int64_t inner_group_num = 1;
  std::int64_t num_attention_heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t type_vocab_size = 0;
  Activation hidden_act = Activation::gelu_tanh;
  float layer_norm_eps = 1e-12F;

  [[nodiscard]] std::int64_t head_dim() const { return hidden_size / num_attention_heads; }
  /// ALBERT deals its layers to the groups evenly, in order (Lan et al. 2020). Where the groups do not divide
  /// the layers it matters how the quotient is rounded; this is the arithmetic of AlbertTransformer in
  /// transformers.
  [[nodiscard]] std::int64_t group_of_layer(std::int64_t layer) const {
    const double layers_of_a_group =
        static_cast<double>(num_hidden_layers) / static_cast<double>(num_hidden_groups);
    return static_cast<std::int64_t>(static_cast<double>(layer) / layers_of_a_group);
  }
  /// Multiply-adds of the matrix products for one token through `layers` layers.
  [[nodiscard]] double multiply_adds_per_token(std::int64_t layers) const {
    const double per_layer = 4.0 * static_cast<double>(hidden_size * hidden_size) +
                             2.0 * static_cast<double>(hidden_size * intermediate_size);
    return static_cast<double>(layers * inner_group_num) * per_layer +
           static_cast<double>(embedding_size * hidden_size);
  }
};

/// What one session computes: the mean of these hidden layers (0 = the projected embeddings, n = after layer
/// n), then, if `pooler`, tanh(pooler(row)) of every gathered row.
struct OutputChoice {
  std::vector<std::int64_t> layers;
  bool pooler = false;
  bool means = false;  // CUDA: the graph makes a row of several tokens
  friend bool operator==(const OutputChoice&, const OutputChoice&) = default;
};

}  // namespace albert_fast::encoder
