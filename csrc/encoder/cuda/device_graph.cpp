#include "encoder/cuda/device_graph.h"

#include <algorithm>
#include <set>

#include "encoder/onnx_writer.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder::cuda {
namespace {

constexpr std::string_view kOnnx;
constexpr std::string_view kMicrosoft = "com.microsoft";

class Builder {
 public:
  Builder(const Geometry& geometry, const DeviceWeights& weights, Precision precision, bool keeps,
          std::string_view attention_domain)
      : geometry_(geometry),
        weights_(weights),
        precision_(precision),
        keeps_(keeps),
        attention_domain_(attention_domain) {}

  DeviceGraph build(const OutputChoice& choice) {
    inputs(choice.means);
    std::vector<std::string> hidden_states{embeddings()};
    const std::int64_t deepest = *std::max_element(choice.layers.begin(), choice.layers.end());
    if (deepest > 0) {
      graph_.constant("qkv_shape", {4}, {-1, geometry_.num_attention_heads, 3, geometry_.head_dim()});
    }
    const std::int64_t last = deepest * geometry_.inner_group_num - 1;
    for (std::int64_t layer = 0; layer < deepest; ++layer) {
      std::string x = hidden_states.back();
      for (std::int64_t inner = 0; inner < geometry_.inner_group_num; ++inner) {
        const std::int64_t block = layer * geometry_.inner_group_num + inner;
        const std::string tag = "layer" + std::to_string(layer) + "." + std::to_string(inner) + ".";
        x = layer_block(x, layer_prefix(geometry_.group_of_layer(layer), inner), tag, block == 0,
                        keeps_ && block == last);
      }
      hidden_states.push_back(x);
    }
    if (keeps_) {  // the deepest of several is what it should be
      for (std::int64_t layer = 0; layer < std::max<std::int64_t>(deepest, 1); ++layer) {
        std::string& state = hidden_states[static_cast<std::size_t>(layer)];
        if (std::ranges::count(choice.layers, layer) > 0) state = kept(state);
      }
    }
    rows(hidden_states, choice);
    return {graph_.finish(), {declared_.begin(), declared_.end()}};
  }

 private:
  // The placeholder is declared once, however many nodes use it: one copy on the device for all layers.
  std::string weight(const std::string& name) {
    const DeviceWeights::Item& item = weights_.at(name);
    if (declared_.insert(name).second) graph_.placeholder(name, item.element_type, item.shape);
    return name;
  }

  void inputs(bool means) {
    for (std::size_t i = 0; i < 3; ++i) graph_.input(kInputs[i], ort::kInt32, {-1});
    graph_.input(kInputs[3], ort::kInt32, {-1, -1});
    if (keeps_) graph_.input(kInputs[5], ort::kInt32, {-1});
    if (means) {
      graph_.input(kInputs[4], ort::kInt32, {-1, -1});
      graph_.input(kInputs[6], ort::kFloat, {-1, 1, -1});
      graph_.input(kInputs[7], ort::kFloat, {-1, 1});
    } else {
      graph_.input(kInputs[4], ort::kInt32, {-1});
    }
    graph_.output(kOutput, ort::kFloat, {-1, geometry_.hidden_size});
  }

  // product(x) = x W^T; `bias` may be empty, most biases are added by the operator that follows.
  std::string product(const std::string& x, const std::string& weight_name, const std::string& bias,
                      const std::string& out) {
    std::vector<std::string> operands{x, weight(weight_name)};
    if (!bias.empty()) operands.push_back(weight(bias));
    graph_.node_of("Gemm", kOnnx, operands, {out}, {OnnxWriter::integer("transB", 1)});
    return out;
  }

  // Standard operators, not EmbedLayerNormalization: their statistics are fp32 in every version.
  std::string embeddings() {
    graph_.node("Gather", kOnnx, {weight("embeddings.word_embeddings.weight"), "input_ids"}, "words");
    graph_.node("Gather", kOnnx, {weight("positions"), "position_ids"}, "places");
    graph_.node("Add", kOnnx, {"words", "places"}, "embedding_sum");
    graph_.node("LayerNormalization", kOnnx,
                {"embedding_sum", weight("embeddings.LayerNorm.weight"), weight("embeddings.LayerNorm.bias")},
                "embedded", {OnnxWriter::real("epsilon", geometry_.layer_norm_eps)});
    return product("embedded", "encoder.embedding_hidden_mapping_in.weight",
                   "encoder.embedding_hidden_mapping_in.bias", "hidden0");
  }

  std::string add_norm(const std::string& x, const std::string& residual, const std::string& norm,
                       const std::string& bias, const std::string& out) {
    graph_.node("SkipLayerNormalization", kMicrosoft,
                {x, residual, weight(norm + "weight"), weight(norm + "bias"), weight(bias)}, out,
                {OnnxWriter::real("epsilon", geometry_.layer_norm_eps)});
    return out;
  }

  std::string activation(const std::string& x, const std::string& bias, const std::string& out) {
    switch (geometry_.hidden_act) {
      case Activation::gelu_tanh:
        graph_.node("FastGelu", kMicrosoft, {x, weight(bias)}, out);
        break;
      case Activation::gelu:
        graph_.node("BiasGelu", kMicrosoft, {x, weight(bias)}, out);
        break;
      case Activation::relu:
        graph_.node("Add", kOnnx, {x, weight(bias)}, out + ".sum");
        graph_.node("Relu", kOnnx, {out + ".sum"}, out);
        break;
    }
    return out;
  }

  std::string kept(const std::string& x) {
    std::string out = x + ".kept";
    if (gathered_.insert(out).second) graph_.node("Gather", kOnnx, {x, "kept_tokens"}, out);
    return out;
  }

  std::string layer_block(const std::string& x, const std::string& prefix, const std::string& tag,
                          bool is_first, bool keeps) {
    const std::string attention = prefix + "attention.";
    const std::string qkv = is_first ? kFirstProduct : attention + "qkv.";
    product(is_first ? "embedded" : x, qkv + "weight", "", tag + "qkv");
    graph_.node("Reshape", kOnnx, {tag + "qkv", "qkv_shape"}, tag + "heads");
    graph_.node("PackedMultiHeadAttention", attention_domain_,
                {tag + "heads", "", "", weight(qkv + "bias"), "token_offset", "cu_seqlens"}, tag + "context",
                {OnnxWriter::integer("num_heads", geometry_.num_attention_heads)});
    const auto going_on = [&](const std::string& rows) { return keeps ? kept(rows) : rows; };
    product(going_on(tag + "context"), attention + "dense.weight", "", tag + "attended");
    const std::string middle = add_norm(tag + "attended", going_on(x), attention + "LayerNorm.",
                                        attention + "dense.bias", tag + "middle");
    product(middle, prefix + "ffn.weight", "", tag + "ffn");
    activation(tag + "ffn", prefix + "ffn.bias", tag + "activated");
    product(tag + "activated", prefix + "ffn_output.weight", "", tag + "ffn_output");
    return add_norm(tag + "ffn_output", middle, prefix + "full_layer_layer_norm.", prefix + "ffn_output.bias",
                    tag + "out");
  }

  // The wanted token rows of one hidden state, in fp32: all that follows is small, and stays exact.
  std::string gathered(const std::string& hidden, const std::string& out) {
    if (precision_ != Precision::fp16) {
      graph_.node("Gather", kOnnx, {hidden, "row_index"}, out);
      return out;
    }
    graph_.node("Gather", kOnnx, {hidden, "row_index"}, out + ".fp16");
    graph_.node("Cast", kOnnx, {out + ".fp16"}, out, {OnnxWriter::integer("to", ort::kFloat)});
    return out;
  }

  void rows(const std::vector<std::string>& hidden_states, const OutputChoice& choice) {
    std::vector<std::string> names;  // of what is made of the gathered rows, in this order
    if (choice.layers.size() > 1) names.emplace_back("layer_mean");
    if (choice.means) names.emplace_back("row_means");
    if (choice.pooler) names.emplace_back("pooled");
    if (names.empty()) {
      gathered(state(hidden_states, choice.layers.front()), kOutput);
      return;
    }
    names.back() = kOutput;
    std::size_t next = 0;
    std::string x;
    if (choice.layers.size() == 1) {
      x = gathered(state(hidden_states, choice.layers.front()), "token_rows");
    } else {
      x = average(hidden_states, choice.layers, names[next++]);
    }
    if (choice.means) x = mean_of_tokens(x, names[next++]);
    if (!choice.pooler) return;
    product(x, "pooler.weight", "pooler.bias", "pooler_sum");
    graph_.node("Tanh", kOnnx, {"pooler_sum"}, names[next]);
  }

  static const std::string& state(const std::vector<std::string>& hidden_states, std::int64_t layer) {
    return hidden_states[static_cast<std::size_t>(layer)];
  }

  std::string average(const std::vector<std::string>& hidden_states, const std::vector<std::int64_t>& layers,
                      const std::string& out) {
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      chosen.push_back(gathered(state(hidden_states, layers[i]), "token_rows" + std::to_string(i)));
    }
    graph_.node_of("Sum", kOnnx, chosen, {"layer_sum"});
    graph_.constant("layer_share", 1.0F / static_cast<float>(layers.size()));
    graph_.node("Mul", kOnnx, {"layer_sum", "layer_share"}, out);
    return out;
  }

  // A batch of products [1, width] x [width, hidden]: a reduction over the middle axis would need cuDNN.
  std::string mean_of_tokens(const std::string& x, const std::string& out) {
    graph_.node("MatMul", kOnnx, {"row_mask", x}, "row_sums3");
    graph_.constant("row_shape", {2}, {-1, geometry_.hidden_size});
    graph_.node("Reshape", kOnnx, {"row_sums3", "row_shape"}, "row_sums");
    graph_.node("Mul", kOnnx, {"row_sums", "row_share"}, out);
    return out;
  }

  const Geometry& geometry_;
  const DeviceWeights& weights_;
  Precision precision_;
  bool keeps_;
  std::string_view attention_domain_;
  OnnxWriter graph_;
  std::set<std::string> declared_;
  std::set<std::string> gathered_;
};

}  // namespace

DeviceGraph write_device_graph(const Geometry& geometry, const DeviceWeights& weights,
                               const OutputChoice& choice, Precision precision, bool keeps,
                               std::string_view attention_domain) {
  return Builder(geometry, weights, precision, keeps, attention_domain).build(choice);
}

}  // namespace albert_fast::encoder::cuda
