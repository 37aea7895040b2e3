#include "encoder/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "encoder/onnx_writer.h"
#include "encoder/weights.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder {
namespace {

constexpr std::string_view kOnnx;
constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr std::string_view kOurs = "albert_fast";

// What rows between nodes are of.
constexpr std::string_view kTokens = "tokens";
constexpr std::string_view kKept = "kept";

constexpr const char* kEmbedded = "embedded_rows";

/// Writes the nodes of a layer. What goes between its nodes depends on the precision; what a node does, on
/// its name.
class GraphBuilder {
 public:
  GraphBuilder(const Geometry& geometry, const Constants& constants, const GraphPrecision& precision)
      : geometry_(geometry), constants_(constants), precision_(precision) {}

  Graph build(const OutputChoice& choice) {
    inputs();
    const auto depth =
        static_cast<std::size_t>(*std::max_element(choice.layers.begin(), choice.layers.end()));
    std::vector<std::string> prefixes;  // of the blocks, in order
    for (std::size_t layer = 0; layer < depth; ++layer) {
      for (std::int64_t inner = 0; inner < geometry_.inner_group_num; ++inner) {
        prefixes.push_back(layer_prefix(geometry_.group_of_layer(static_cast<std::int64_t>(layer)), inner));
      }
    }
    std::vector<std::string> hidden_states{embeddings()};
    Rows x{hidden_states.back()};
    const std::size_t blocks_per_layer = prefixes.size() / std::max<std::size_t>(depth, 1);
    for (std::size_t block = 0; block < prefixes.size(); ++block) {
      const std::size_t last = prefixes.size() - 1;
      layer_ = block / blocks_per_layer;
      x = layer_block(x, prefixes[block], prefixes[std::min(block + 1, last)],
                      "block" + std::to_string(block) + ".", block == 0, block == last);
      if ((block + 1) % blocks_per_layer == 0) hidden_states.push_back(x.name);
    }
    rows(average(hidden_states, choice.layers), choice.pooler);
    return {graph_.finish(), {declared_.begin(), declared_.end()}};
  }

 private:
  /// Rows between nodes: numbers and, with int8, the same quantized for the product that they go into.
  struct Rows {
    std::string name;
    std::string bytes = {};
    std::string scales = {};
  };
  /// A product on its way to the operator that adds its bias, or that makes it first.
  struct Product {
    std::vector<std::string> inputs;
    std::int64_t columns = 0;
    bool quantized = false;
    bool made = true;
    [[nodiscard]] std::string prefix() const {
      if (!made) return "BytePanel";
      return quantized ? "Quantized" : "";
    }
  };

  [[nodiscard]] bool int8() const { return precision_.precision == Precision::int8; }

  [[nodiscard]] OnnxWriter::Attribute levels() const {
    return OnnxWriter::integer("levels", precision_.levels);
  }

  [[nodiscard]] OnnxWriter::Attribute block_rows() const {
    return OnnxWriter::integer("block_rows", precision_.block_rows);
  }

  // The placeholder is declared once, however many nodes use it.
  std::string weight(const std::string& name) {
    if (declared_.insert(name).second) {
      const Constant& constant = constants_.at(name);
      graph_.placeholder(name, constant.element_type, constant.shape);
    }
    return name;
  }

  void inputs() {
    graph_.input(kGraphInputs[0], ort::kInt32, {1, -1});
    graph_.input(kGraphInputs[1], ort::kInt32, {1, -1});
    graph_.input(kGraphInputs[2], ort::kInt32, {-1});
    graph_.input(kGraphInputs[3], ort::kInt32, {-1});
    graph_.input(kGraphInputs[4], ort::kInt32, {-1});
    graph_.input(kGraphInputs[5], ort::kInt32, {-1});
    graph_.input(kGraphInputs[6], ort::kInt32, {-1});
    graph_.input(kGraphInputs[7], ort::kInt32, {1});
    graph_.output(kGraphOutput, ort::kFloat, {-1, geometry_.hidden_size});
  }

  // x W^T + bias in fp32
  std::string linear(const std::string& x, const std::string& layer, const std::string& out) {
    graph_.node_of("Gemm", kOnnx, {x, weight(layer + "weight"), weight(layer + "bias")}, {out},
                   {OnnxWriter::integer("transB", 1)});
    return out;
  }

  std::string embeddings() {
    graph_.node_of(
        "EmbedLayerNormalization", kMicrosoft,
        {"input_ids", "", weight("embeddings.word_embeddings.weight"), weight("positions"), "",
         weight("embeddings.LayerNorm.weight"), weight("embeddings.LayerNorm.bias"), "", "position_ids"},
        {"embedded", "mask_index"}, {OnnxWriter::real("epsilon", geometry_.layer_norm_eps)});
    graph_.constant("rows_of_embeddings", {2}, {-1, geometry_.embedding_size});
    graph_.node("Reshape", kOnnx, {"embedded", "rows_of_embeddings"}, kEmbedded);
    return linear(kEmbedded, "encoder.embedding_hidden_mapping_in.", "hidden0");
  }

  Rows quantized(const Rows& x, const std::string& for_matrix) {
    if (!int8()) return x;
    Rows out{x.name, x.name + ".bytes", x.name + ".scales"};
    graph_.node_of("QuantizeRows", kOurs, {x.name, weight(for_matrix + ".shrink")}, {out.bytes, out.scales},
                   {levels()});
    return out;
  }

  [[nodiscard]] bool in_panels(const std::string& values) const {
    return constants_.at(values).shape.size() == 3;
  }

  /// Layers that share a matrix take turns with its copies (QuantizedWeights).
  [[nodiscard]] std::string copy_of(const std::string& matrix) const {
    return matrix + (layer_ % 2 == 1 && constants_.contains(matrix + ".1.values") ? ".1." : ".0.");
  }

  // x W^T; `layer` is "...qkv.", its matrix "...qkv.weight"
  Product float_product(const std::string& x, const std::string& layer, const std::string& out) {
    const std::string matrix = layer + "weight", bias = weight(layer + "bias");
    const std::int64_t columns = constants_.at(bias).shape.at(0);
    graph_.rows(out, ort::kFloat, rows_, columns);
    if (constants_.contains(matrix + ".panels")) {
      panel_product("PanelProduct", x, matrix + ".panels", out, columns);
    } else {
      graph_.node("Gemm", kOnnx, {x, weight(matrix)}, out, {OnnxWriter::integer("transB", 1)});
    }
    return {{out, bias}, columns};
  }

  Product product(const Rows& x, const std::string& layer, const std::string& out) {
    if (!int8()) return float_product(x.name, layer, out);
    const std::string values = copy_of(layer + "weight") + "values";
    const std::int64_t columns = constants_.at(layer + "bias").shape.at(0);
    graph_.rows(out, ort::kInt32, rows_, columns);
    if (in_panels(values)) {
      panel_product("BytePanelProduct", x.bytes, values, out, columns);
    } else {
      graph_.node("MatMulInteger", kOnnx, {x.bytes, weight(values)}, out);
    }
    return scaled({out}, x, layer);
  }

  // A product of bytes, or what it is made of, with what turns its sums into numbers.
  Product scaled(std::vector<std::string> inputs, const Rows& x, const std::string& layer) {
    const std::string copy = copy_of(layer + "weight"), bias = weight(layer + "bias");
    const bool made = inputs.size() == 1;
    inputs.insert(inputs.end(),
                  {x.scales, weight(copy + "column_scales"), weight(copy + "column_sums"), bias});
    return {std::move(inputs), constants_.at(bias).shape.at(0), true, made};
  }

  void panel_product(const char* name, const std::string& x, const std::string& panels,
                     const std::string& out, std::int64_t columns) {
    graph_.node_of(name, kOurs, {x, weight(panels)}, {out}, {OnnxWriter::integer("columns", columns)});
  }

  // The same for an operator that makes products of bytes in panels itself.
  Product following(const Rows& x, const std::string& layer, const std::string& out) {
    if (!int8()) return product(x, layer, out);
    const std::string values = copy_of(layer + "weight") + "values";
    return in_panels(values) ? scaled({x.bytes, weight(values)}, x, layer) : product(x, layer, out);
  }

  // Of the kept tokens alone where those are the rows that go on.
  std::string attention(Product qkv, const std::string& out) {
    qkv.inputs.emplace_back("cu_seqlens");
    if (rows_ == kKept) qkv.inputs.insert(qkv.inputs.end(), {"kept_tokens", "cu_kept"});
    graph_.node_of(qkv.quantized ? "QuantizedSelfAttention" : "PackedSelfAttention", kOurs, qkv.inputs, {out},
                   {OnnxWriter::integer("num_heads", geometry_.num_attention_heads)});
    graph_.rows(out, ort::kFloat, rows_, geometry_.hidden_size);
    return out;
  }

  std::string kept(const std::string& x) {
    std::string out = x + ".kept";
    if (gathered_.insert(out).second) graph_.node("Gather", kOnnx, {x, "kept_tokens"}, out);
    return out;
  }

  Rows add_norm(Product x, const Rows& residual, const std::string& norm, const std::string& out,
                const std::string& for_matrix) {
    x.inputs.insert(x.inputs.end(), {residual.name, weight(norm + "weight"), weight(norm + "bias")});
    const auto epsilon = OnnxWriter::real("epsilon", geometry_.layer_norm_eps);
    graph_.rows(out, ort::kFloat, rows_, geometry_.hidden_size);
    const std::string name = x.prefix() + "AddNorm";
    if (!x.quantized) {
      graph_.node_of(name, kOurs, x.inputs, {out}, {epsilon});
      return {out};
    }
    Rows rows{out, out + ".bytes", out + ".scales"};
    x.inputs.push_back(weight(for_matrix + ".shrink"));
    graph_.node_of(name, kOurs, x.inputs, {rows.name, rows.bytes, rows.scales},
                   {epsilon, levels(), block_rows()});
    return rows;
  }

  Rows activation(Product x, const std::string& out, const std::string& for_matrix) {
    const auto kind = OnnxWriter::integer("kind", static_cast<std::int64_t>(geometry_.hidden_act));
    const std::string name = x.prefix() + "Activation";
    if (!x.quantized) {
      graph_.rows(out, ort::kFloat, rows_, x.columns);
      graph_.node_of(name, kOurs, x.inputs, {out}, {kind});
      return {out};
    }
    Rows rows{"", out + ".bytes", out + ".scales"};
    x.inputs.push_back(weight(for_matrix + ".shrink"));
    graph_.node_of(name, kOurs, x.inputs, {rows.bytes, rows.scales}, {kind, levels(), block_rows()});
    return rows;
  }

  /// `x` is quantized for this block's first product (unless that is of the embeddings), the result for that
  /// of the block `next`.
  Rows layer_block(const Rows& x, const std::string& prefix, const std::string& next, const std::string& tag,
                   bool is_first, bool is_last) {
    const std::string dense = prefix + "attention.dense.", ffn = prefix + "ffn.",
                      ffn_output = prefix + "ffn_output.";
    const Product qkv = is_first ? float_product(kEmbedded, kFirstProduct, tag + "qkv")
                                 : product(x, prefix + "attention.qkv.", tag + "qkv");
    if (is_last) rows_ = kKept;
    const Rows context = quantized({attention(qkv, tag + "context")}, dense + "weight");
    const Rows residual = is_last ? Rows{kept(x.name)} : x;
    const Rows middle = add_norm(following(context, dense, tag + "attended"), residual,
                                 prefix + "attention.LayerNorm.", tag + "middle", ffn + "weight");
    const Rows activated =
        activation(following(middle, ffn, tag + "ffn"), tag + "activated", ffn_output + "weight");
    return add_norm(following(activated, ffn_output, tag + "ffn_output"), middle,
                    prefix + "full_layer_layer_norm.", tag + "out", next + "attention.qkv.weight");
  }

  std::string average(const std::vector<std::string>& hidden_states,
                      const std::vector<std::int64_t>& layers) {
    // The deepest has the kept tokens alone, unless it is what goes into the first layer.
    const auto kept_of = [&](std::int64_t layer) {
      const auto at = static_cast<std::size_t>(layer);
      const bool is_kept = layer > 0 && at + 1 == hidden_states.size();
      return is_kept ? hidden_states[at] : kept(hidden_states[at]);
    };
    if (layers.size() == 1) return kept_of(layers.front());
    std::vector<std::string> chosen;
    for (const std::int64_t layer : layers) chosen.push_back(kept_of(layer));
    graph_.node_of("Sum", kOnnx, chosen, {"layer_sum"});
    graph_.constant("layer_share", 1.0F / static_cast<float>(layers.size()));
    graph_.node("Mul", kOnnx, {"layer_sum", "layer_share"}, "layer_mean");
    return "layer_mean";
  }

  void rows(const std::string& hidden, bool pooler) {
    const std::string gathered = pooler ? "cls_rows" : kGraphOutput;
    graph_.node("PackedGather", kOurs, {hidden, "row_splits", "row_places", "reduction"}, gathered);
    if (!pooler) return;
    graph_.node("Tanh", kOnnx, {linear(gathered, "pooler.", "pooler_sum")}, kGraphOutput);
  }

  const Geometry& geometry_;
  const Constants& constants_;
  GraphPrecision precision_;
  std::size_t layer_ = 0;            // whose nodes are being written
  std::string_view rows_ = kTokens;  // of what those have rows
  OnnxWriter graph_;
  std::set<std::string> declared_;
  std::set<std::string> gathered_;
};

}  // namespace

Graph write_graph(const Geometry& geometry, const Constants& constants, const GraphPrecision& precision,
                  const OutputChoice& choice) {
  return GraphBuilder(geometry, constants, precision).build(choice);
}

}  // namespace albert_fast::encoder
