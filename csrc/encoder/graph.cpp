#include "encoder/graph.h"

#include <algorithm>
#include <set>

#include "encoder/onnx_writer.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

constexpr std::string_view kOnnx;
constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr std::string_view kOurs = "albert_fast";

class GraphBuilder {
 public:
  GraphBuilder(const Geometry& geometry, const Weights& weights) : geometry_(geometry), weights_(weights) {}

  Graph build(const OutputChoice& choice) {
    inputs();
    std::vector<std::string> hidden_states{embeddings()};
    const std::int64_t deepest = *std::max_element(choice.layers.begin(), choice.layers.end());
    for (std::int64_t layer = 0; layer < deepest; ++layer) {
      std::string x = hidden_states.back();
      for (std::int64_t inner = 0; inner < geometry_.inner_group_num; ++inner) {
        const std::string tag = "layer" + std::to_string(layer) + "." + std::to_string(inner) + ".";
        x = layer_block(x, layer_prefix(geometry_.group_of_layer(layer), inner), tag);
      }
      hidden_states.push_back(x);
    }
    rows(average(hidden_states, choice.layers), choice.pooler);
    return {graph_.finish(), {declared_.begin(), declared_.end()}};
  }

 private:
  // The placeholder is declared once, however many nodes use it.
  std::string weight(const std::string& name) {
    if (declared_.insert(name).second) graph_.placeholder(name, weights_.at(name).shape);
    return name;
  }

  void inputs() {
    graph_.input(kGraphInputs[0], ort::kInt32, {1, -1});
    graph_.input(kGraphInputs[1], ort::kInt32, {1, -1});
    graph_.input(kGraphInputs[2], ort::kInt32, {-1});
    graph_.input(kGraphInputs[3], ort::kInt32, {-1});
    graph_.input(kGraphInputs[4], ort::kInt32, {-1});
    graph_.input(kGraphInputs[5], ort::kInt32, {1});
    graph_.output(kGraphOutput, ort::kFloat, {-1, geometry_.hidden_size});
  }

  // product(x) = x W^T; `bias` may be empty, most biases are added by the operator that follows.
  std::string product(const std::string& x, const std::string& weight_name, const std::string& bias,
                      const std::string& out) {
    std::vector<std::string> operands{x, weight(weight_name)};
    if (!bias.empty()) operands.push_back(weight(bias));
    graph_.node_of("Gemm", kOnnx, operands, {out}, {OnnxWriter::integer("transB", 1)});
    return out;
  }

  std::string token_product(const std::string& x, const std::string& weight_name, const std::string& out) {
    graph_.token_rows(out, weights_.at(weight_name).shape.front());
    return product(x, weight_name, "", out);
  }

  std::string embeddings() {
    graph_.node_of(
        "EmbedLayerNormalization", kMicrosoft,
        {"input_ids", "", weight("embeddings.word_embeddings.weight"), weight("positions"), "",
         weight("embeddings.LayerNorm.weight"), weight("embeddings.LayerNorm.bias"), "", "position_ids"},
        {"embedded", "mask_index"}, {OnnxWriter::real("epsilon", geometry_.layer_norm_eps)});
    graph_.constant("rows_of_embeddings", {2}, {-1, geometry_.embedding_size});
    graph_.node("Reshape", kOnnx, {"embedded", "rows_of_embeddings"}, "embedded_rows");
    return product("embedded_rows", "encoder.embedding_hidden_mapping_in.weight",
                   "encoder.embedding_hidden_mapping_in.bias", "hidden0");
  }

  std::string add_norm(const std::string& x, const std::string& residual, const std::string& norm,
                       const std::string& bias, const std::string& out) {
    graph_.node("AddNorm", kOurs, {x, weight(bias), residual, weight(norm + "weight"), weight(norm + "bias")},
                out, {OnnxWriter::real("epsilon", geometry_.layer_norm_eps)});
    graph_.token_rows(out, geometry_.hidden_size);
    return out;
  }

  std::string activation(const std::string& x, const std::string& bias, const std::string& out) {
    graph_.node("Activation", kOurs, {x, weight(bias)}, out,
                {OnnxWriter::integer("kind", static_cast<std::int64_t>(geometry_.hidden_act))});
    graph_.token_rows(out, geometry_.intermediate_size);
    return out;
  }

  std::string layer_block(const std::string& x, const std::string& prefix, const std::string& tag) {
    const std::string attention = prefix + "attention.";
    token_product(x, attention + "qkv.weight", tag + "qkv");
    graph_.node("PackedSelfAttention", kOurs, {tag + "qkv", weight(attention + "qkv.bias"), "cu_seqlens"},
                tag + "context", {OnnxWriter::integer("num_heads", geometry_.num_attention_heads)});
    token_product(tag + "context", attention + "dense.weight", tag + "attended");
    const std::string middle =
        add_norm(tag + "attended", x, attention + "LayerNorm.", attention + "dense.bias", tag + "middle");
    token_product(middle, prefix + "ffn.weight", tag + "ffn");
    activation(tag + "ffn", prefix + "ffn.bias", tag + "activated");
    token_product(tag + "activated", prefix + "ffn_output.weight", tag + "ffn_output");
    return add_norm(tag + "ffn_output", middle, prefix + "full_layer_layer_norm.", prefix + "ffn_output.bias",
                    tag + "out");
  }

  std::string average(const std::vector<std::string>& hidden_states,
                      const std::vector<std::int64_t>& layers) {
    if (layers.size() == 1) return hidden_states[static_cast<std::size_t>(layers.front())];
    std::vector<std::string> chosen;
    for (const std::int64_t layer : layers) chosen.push_back(hidden_states[static_cast<std::size_t>(layer)]);
    graph_.node_of("Sum", kOnnx, chosen, {"layer_sum"});
    graph_.constant("layer_share", 1.0F / static_cast<float>(layers.size()));
    graph_.node("Mul", kOnnx, {"layer_sum", "layer_share"}, "layer_mean");
    return "layer_mean";
  }

  void rows(const std::string& hidden, bool pooler) {
    const std::string gathered = pooler ? "cls_rows" : kGraphOutput;
    graph_.node("PackedGather", kOurs, {hidden, "row_splits", "row_tokens", "reduction"}, gathered);
    if (!pooler) return;
    product(gathered, "pooler.weight", "pooler.bias", "pooler_sum");
    graph_.node("Tanh", kOnnx, {"pooler_sum"}, kGraphOutput);
  }

  const Geometry& geometry_;
  const Weights& weights_;
  OnnxWriter graph_;
  std::set<std::string> declared_;
};

}  // namespace

Graph write_graph(const Geometry& geometry, const Weights& weights, const OutputChoice& choice) {
  return GraphBuilder(geometry, weights).build(choice);
}

}  // namespace albert_fast::encoder
