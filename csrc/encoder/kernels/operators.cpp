#include <array>

#include "encoder/kernels/custom_ops.h"
#include "encoder/kernels/kernels.h"
#include "encoder/kernels/op.h"

// The operators of our graphs. Where one takes a matrix product, this is two inputs, or five after an int8
// product (see Product in kernels.h); where one gives quantized rows, these are two outputs:
//   product             numbers [rows, columns], bias [columns]
//   quantized product   sums [rows, columns], row_scales [rows, 2], column_scales, column_sums, bias
//   [columns] quantized rows      bytes [rows, columns], row_scales [rows, 2]; their `shrink` [columns] is
//   the last input
// Products of our own take rows and a matrix in panels, and give numbers or sums.
namespace albert_fast::encoder {
namespace {

using Types = std::vector<ort::ElementType>;

constexpr auto kProduct = std::array{ort::kFloat, ort::kFloat};
constexpr auto kQuantizedProduct =
    std::array{ort::kInt32, ort::kFloat, ort::kFloat, ort::kFloat, ort::kFloat};

template <std::size_t N>
Types types(const std::array<ort::ElementType, N>& first, std::initializer_list<ort::ElementType> more) {
  Types all(first.begin(), first.end());
  all.insert(all.end(), more);
  return all;
}

/// A product among the inputs, which it begins.
struct ProductInput {
  Product product;
  std::size_t rows = 0;
  std::size_t next = 0;  // the input behind it
};

ProductInput product_input(const OpCall& call) {
  const OpInput<float> x = call.input<float>(0);
  ProductInput in{{}, x.size(0), kProduct.size()};
  in.product.values = x.data;
  in.product.columns = x.size(1);
  in.product.bias = call.data<float>(1);
  return in;
}

ProductInput quantized_product_input(const OpCall& call) {
  const OpInput<std::int32_t> x = call.input<std::int32_t>(0);
  ProductInput in{{}, x.size(0), kQuantizedProduct.size()};
  in.product.sums = x.data;
  in.product.columns = x.size(1);
  in.product.row_scales = call.data<float>(1);
  in.product.column_scales = call.data<float>(2);
  in.product.column_sums = call.data<float>(3);
  in.product.bias = call.data<float>(4);
  return in;
}

QuantizedRows quantized_output(const OpCall& call, std::size_t index, std::size_t rows, std::size_t columns,
                               std::size_t shrink) {
  return {call.output<std::uint8_t>(index, rows, columns), call.output<float>(index + 1, rows, 2),
          call.data<float>(shrink), static_cast<float>(call.attributes().levels)};
}

// (product of query | key | value, cu_seqlens [sequences + 1]) -> context [tokens, hidden]
// (the same, queries [n], cu_queries [sequences + 1]) -> context [n, hidden]
void self_attention(const OpCall& call, const ProductInput& in) {
  const OpInput<std::int32_t> cu_seqlens = call.input<std::int32_t>(in.next);
  AttentionProblem problem{.qkv = in.product};
  const std::size_t hidden = in.product.columns / 3;
  problem.cu_seqlens = cu_seqlens.data;
  problem.heads = static_cast<std::size_t>(call.attributes().integer);
  problem.head_dim = hidden / problem.heads;
  std::size_t rows = in.rows;
  if (call.has_input(in.next + 1)) {
    const OpInput<std::int32_t> queries = call.input<std::int32_t>(in.next + 1);
    rows = queries.size(0);
    problem.queries = queries.data;
    problem.cu_queries = call.data<std::int32_t>(in.next + 2);
  }
  problem.context = call.output<float>(0, rows, hidden);
  auto one = [&, kernel = kernels().attention](std::size_t i) {
    kernel(problem, i / problem.heads, i % problem.heads);
  };
  call.parallel((cu_seqlens.size(0) - 1) * problem.heads, one);
}

// (product, residual [rows, columns], gain, shift [columns]) -> rows
AddNormProblem add_norm_problem(const OpCall& call, const ProductInput& in) {
  AddNormProblem problem{.x = in.product};
  problem.residual = call.data<float>(in.next);
  problem.gain = call.data<float>(in.next + 1);
  problem.shift = call.data<float>(in.next + 2);
  problem.epsilon = call.attributes().real;
  problem.out = call.output<float>(0, in.rows, in.product.columns);
  return problem;
}

// (product) -> rows
ActivationProblem activation_problem(const OpCall& call, const ProductInput& in) {
  return {.x = in.product, .kind = static_cast<Activation>(call.attributes().integer)};
}

template <class Problem>
void over_rows(const OpCall& call, void (*kernel)(const Problem&, std::size_t, std::size_t),
               const Problem& problem, std::size_t rows, std::size_t columns) {
  call.parallel_rows(rows, columns,
                     [&](std::size_t first, std::size_t last) { kernel(problem, first, last); });
}

// (rows [rows, depth], W in panels [panels, depth, 16]) -> [rows, columns]
template <class X, class W, class Out>
void panel_product(const OpCall& call,
                   void (*kernel)(const PanelProblem<X, W, Out>&, std::size_t, std::size_t)) {
  // A few for each core of a large machine, and enough work in each for a short text.
  constexpr std::size_t kMostTasks = 64;
  const OpInput<X> x = call.input<X>(0);
  const OpInput<W> w = call.input<W>(1);
  PanelProblem<X, W, Out> problem{.x = x.data, .panels = w.data, .rows = x.size(0), .depth = x.size(1)};
  problem.columns = static_cast<std::size_t>(call.attributes().integer);
  problem.out = call.output<Out>(0, problem.rows, problem.columns);
  const std::size_t panels = w.size(0);
  const std::size_t share = (panels + kMostTasks - 1) / kMostTasks;
  auto one = [&](std::size_t i) { kernel(problem, i * share, std::min(panels, (i + 1) * share)); };
  call.parallel((panels + share - 1) / share, one);
}

const std::vector<Operator>& panel_operators() {
  static const std::vector<Operator> ops = [] {
    std::vector<Operator> made;
    made.push_back(Operator({.name = "PanelProduct",
                             .inputs = {ort::kFloat, ort::kFloat},
                             .outputs = {ort::kFloat},
                             .compute = [](const OpCall& call) { panel_product(call, kernels().product); },
                             .integer_attribute = "columns"}));
    made.push_back(
        Operator({.name = "BytePanelProduct",
                  .inputs = {ort::kUint8, ort::kInt8},
                  .outputs = {ort::kInt32},
                  .compute = [](const OpCall& call) { panel_product(call, kernels().byte_product); },
                  .integer_attribute = "columns"}));
    return made;
  }();
  return ops;
}

const std::vector<Operator>& packed_operators() {
  static const std::vector<Operator> ops = [] {
    std::vector<Operator> made;
    made.push_back(Operator({.name = "PackedSelfAttention",
                             .inputs = types(kProduct, {ort::kInt32, ort::kInt32, ort::kInt32}),
                             .outputs = {ort::kFloat},
                             .compute = [](const OpCall& call) { self_attention(call, product_input(call)); },
                             .integer_attribute = "num_heads",
                             .optional_inputs = {kProduct.size() + 1, kProduct.size() + 2}}));
    made.push_back(Operator({.name = "AddNorm",
                             .inputs = types(kProduct, {ort::kFloat, ort::kFloat, ort::kFloat}),
                             .outputs = {ort::kFloat},
                             .compute =
                                 [](const OpCall& call) {
                                   const ProductInput in = product_input(call);
                                   over_rows(call, kernels().add_norm, add_norm_problem(call, in), in.rows,
                                             in.product.columns);
                                 },
                             .real_attribute = "epsilon",
                             .in_place = true}));
    made.push_back(Operator({.name = "Activation",
                             .inputs = types(kProduct, {}),
                             .outputs = {ort::kFloat},
                             .compute =
                                 [](const OpCall& call) {
                                   const ProductInput in = product_input(call);
                                   ActivationProblem problem = activation_problem(call, in);
                                   problem.out = call.output<float>(0, in.rows, in.product.columns);
                                   over_rows(call, kernels().activation, problem, in.rows,
                                             in.product.columns);
                                 },
                             .integer_attribute = "kind",
                             .in_place = true}));
    return made;
  }();
  return ops;
}

const std::vector<Operator>& quantized_operators() {
  static const std::vector<Operator> ops = [] {
    std::vector<Operator> made;
    made.push_back(
        Operator({.name = "QuantizedSelfAttention",
                  .inputs = types(kQuantizedProduct, {ort::kInt32, ort::kInt32, ort::kInt32}),
                  .outputs = {ort::kFloat},
                  .compute = [](const OpCall& call) { self_attention(call, quantized_product_input(call)); },
                  .integer_attribute = "num_heads",
                  .optional_inputs = {kQuantizedProduct.size() + 1, kQuantizedProduct.size() + 2}}));
    made.push_back(
        Operator({.name = "QuantizedAddNorm",
                  .inputs = types(kQuantizedProduct, {ort::kFloat, ort::kFloat, ort::kFloat, ort::kFloat}),
                  .outputs = {ort::kFloat, ort::kUint8, ort::kFloat},
                  .compute =
                      [](const OpCall& call) {
                        const ProductInput in = quantized_product_input(call);
                        const std::size_t columns = in.product.columns;
                        AddNormProblem problem = add_norm_problem(call, in);
                        problem.quantized = quantized_output(call, 1, in.rows, columns, in.next + 3);
                        over_rows(call, kernels().add_norm, problem, in.rows, columns);
                      },
                  .real_attribute = "epsilon",
                  .levels_attribute = "levels"}));
    made.push_back(Operator({.name = "QuantizedActivation",
                             .inputs = types(kQuantizedProduct, {ort::kFloat}),
                             .outputs = {ort::kUint8, ort::kFloat},
                             .compute =
                                 [](const OpCall& call) {
                                   const ProductInput in = quantized_product_input(call);
                                   const std::size_t columns = in.product.columns;
                                   ActivationProblem problem = activation_problem(call, in);
                                   problem.quantized = quantized_output(call, 0, in.rows, columns, in.next);
                                   over_rows(call, kernels().activation, problem, in.rows, columns);
                                 },
                             .integer_attribute = "kind",
                             .levels_attribute = "levels"}));
    made.push_back(Operator({.name = "QuantizeRows",
                             .inputs = {ort::kFloat, ort::kFloat},
                             .outputs = {ort::kUint8, ort::kFloat},
                             .compute =
                                 [](const OpCall& call) {
                                   const OpInput<float> x = call.input<float>(0);
                                   const std::size_t rows = x.size(0), columns = x.size(1);
                                   over_rows(call, kernels().quantize,
                                             QuantizeProblem{x.data, columns,
                                                             quantized_output(call, 0, rows, columns, 1)},
                                             rows, columns);
                                 },
                             .levels_attribute = "levels"}));
    return made;
  }();
  return ops;
}

}  // namespace

void register_product_operators() {
  for (const Operator& op : panel_operators()) ort::Runtime::register_custom_op(&op);
  for (const Operator& op : packed_operators()) ort::Runtime::register_custom_op(&op);
  for (const Operator& op : quantized_operators()) ort::Runtime::register_custom_op(&op);
}

}  // namespace albert_fast::encoder
