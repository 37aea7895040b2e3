#include <array>

#include "encoder/kernels/custom_ops.h"
#include "encoder/kernels/kernels.h"
#include "encoder/kernels/op.h"
#include "encoder/kernels/workspace.h"

// The operators of our graphs. Where one goes on with a matrix product, its first inputs are
//   numbers            product [rows, columns], bias [columns]
//   sums, with int8    product [rows, columns], row_scales [rows, 2], column_scales, column_sums, bias
//   [columns]
// or in the place of sums that we make bytes and a matrix in panels: the operator then makes the product
// itself. Where one gives quantized rows, these are two outputs: bytes [rows, columns] and row_scales [rows,
// 2]; their `shrink` [columns] is the last input.
namespace albert_fast::encoder {
namespace {

using Types = std::vector<ort::ElementType>;

Types joined(Types first, const Types& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// What goes with a product, from input `at` on: Numbers or Sums.
struct Numbers {
  using Element = float;
  static constexpr bool kQuantized = false;
  static constexpr ort::ElementType kType = ort::kFloat;
  static constexpr std::size_t kInputs = 1;
  static Product read(const OpCall& call, std::size_t at) {
    Product product;
    product.columns = call.input<float>(at).size(0);
    product.bias = call.data<float>(at);
    return product;
  }
  static void place(Product& product, const float* numbers) { product.values = numbers; }
};
struct Sums {
  using Element = std::int32_t;
  static constexpr bool kQuantized = true;
  static constexpr ort::ElementType kType = ort::kInt32;
  static constexpr std::size_t kInputs = 4;
  static Product read(const OpCall& call, std::size_t at) {
    Product product = Numbers::read(call, at + 3);
    product.row_scales = call.data<float>(at);
    product.column_scales = call.data<float>(at + 1);
    product.column_sums = call.data<float>(at + 2);
    return product;
  }
  static void place(Product& product, const std::int32_t* sums) { product.sums = sums; }
};

/// A product that is there.
template <class Kind>
struct Made {
  using Of = Kind;
  static constexpr std::size_t kInputs = 1 + Kind::kInputs;
  static Types types() { return joined({Kind::kType}, Types(Kind::kInputs, ort::kFloat)); }

  explicit Made(const OpCall& call) : product(Kind::read(call, 1)) {
    const auto x = call.input<typename Kind::Element>(0);
    rows = x.size(0);
    Kind::place(product, x.data);
  }
  /// Calls work(first, last) for blocks of rows; `x` is where `work` finds the product.
  template <class Work>
  void over_rows(const OpCall& call, Product&, Work work) const {
    call.parallel_rows(0, rows, product.columns, work);
  }

  Product product;
  std::size_t rows = 0;
};

template <class X, class W, class Out>
using PanelKernel = void (*)(const PanelProblem<X, W, Out>&, std::size_t, std::size_t);

/// All of a product, by several threads.
template <class X, class W, class Out>
void multiply(const OpCall& call, PanelKernel<X, W, Out> kernel, const PanelProblem<X, W, Out>& problem,
              std::size_t panels) {
  // A few for each core of a large machine, and enough work in each for a short text.
  constexpr std::size_t kMostTasks = 64;
  const std::size_t share = (panels + kMostTasks - 1) / kMostTasks;
  auto one = [&](std::size_t i) { kernel(problem, i * share, std::min(panels, (i + 1) * share)); };
  call.parallel((panels + share - 1) / share, one);
}

struct FloatFactors {
  using X = float;
  using W = float;
  static constexpr std::array kTypes = {ort::kFloat, ort::kFloat};
  static auto kernel() { return kernels().product; }
};
struct ByteFactors {
  using X = std::uint8_t;
  using W = std::int8_t;
  static constexpr std::array kTypes = {ort::kUint8, ort::kInt8};
  static auto kernel() { return kernels().byte_product; }
};

/// A product that the operator makes, some rows at a time: what goes on with them finds them in the cache.
struct ProductOfBytes {
  using Of = Sums;
  using X = ByteFactors::X;
  using W = ByteFactors::W;
  static constexpr std::size_t kInputs = 2 + Sums::kInputs;
  static Types types() {
    return joined({ByteFactors::kTypes.begin(), ByteFactors::kTypes.end()},
                  Types(Sums::kInputs, ort::kFloat));
  }

  explicit ProductOfBytes(const OpCall& call)
      : product(Sums::read(call, 2)), x(call.input<X>(0)), panels(call.input<W>(1)), rows(x.size(0)) {}
  template <class Work>
  void over_rows(const OpCall& call, Product& into, Work work) const {
    const std::size_t depth = x.size(1), columns = product.columns;
    const std::size_t most =
        std::min(rows, static_cast<std::size_t>(std::max<std::int64_t>(call.attributes().block_rows, 1)));
    thread_local Workspace<std::int32_t> workspace;
    std::int32_t* block = workspace.numbers(most * columns);
    into.sums = block;
    for (std::size_t first = 0; first < rows; first += most) {
      const std::size_t last = std::min(rows, first + most);
      into.first_row = first;
      multiply(call, ByteFactors::kernel(),
               {x.data + first * depth, panels.data, block, last - first, depth, columns}, panels.size(0));
      call.parallel_rows(first, last, columns, work);
    }
  }

  Product product;
  OpInput<X> x;
  OpInput<W> panels;
  std::size_t rows;
};

using Float = Made<Numbers>;
using Quantized = Made<Sums>;

QuantizedRows quantized_output(const OpCall& call, std::size_t index, std::size_t rows, std::size_t columns,
                               std::size_t shrink) {
  return {call.output<std::uint8_t>(index, rows, columns), call.output<float>(index + 1, rows, 2),
          call.data<float>(shrink), static_cast<float>(call.attributes().levels)};
}

// (rows [rows, depth], W in panels [panels, depth, 16]) -> [rows, columns]
template <class Factors, class Out>
void panel_product(const OpCall& call) {
  const auto x = call.input<typename Factors::X>(0);
  const auto w = call.input<typename Factors::W>(1);
  const auto columns = static_cast<std::size_t>(call.attributes().integer);
  Out* out = call.output<Out>(0, x.size(0), columns);
  multiply(call, Factors::kernel(), {x.data, w.data, out, x.size(0), x.size(1), columns}, w.size(0));
}

// (product of query | key | value, cu_seqlens [sequences + 1]) -> context [tokens, hidden]
// (the same, queries [n], cu_queries [sequences + 1]) -> context [n, hidden]
template <class Source>
void self_attention(const OpCall& call) {
  const Source source(call);
  const OpInput<std::int32_t> cu_seqlens = call.input<std::int32_t>(Source::kInputs);
  AttentionProblem problem{.qkv = source.product};
  const std::size_t hidden = source.product.columns / 3;
  problem.cu_seqlens = cu_seqlens.data;
  problem.heads = static_cast<std::size_t>(call.attributes().integer);
  problem.head_dim = hidden / problem.heads;
  std::size_t rows = source.rows;
  if (call.has_input(Source::kInputs + 1)) {
    const OpInput<std::int32_t> queries = call.input<std::int32_t>(Source::kInputs + 1);
    rows = queries.size(0);
    problem.queries = queries.data;
    problem.cu_queries = call.data<std::int32_t>(Source::kInputs + 2);
  }
  problem.context = call.output<float>(0, rows, hidden);
  auto one = [&, kernel = kernels().attention](std::size_t i) {
    kernel(problem, i / problem.heads, i % problem.heads);
  };
  call.parallel((cu_seqlens.size(0) - 1) * problem.heads, one);
}

// (product, residual [rows, columns], gain, shift [columns]) -> rows, also quantized where the product is
template <class Source>
void add_norm(const OpCall& call) {
  constexpr std::size_t kNext = Source::kInputs;
  const Source source(call);
  const std::size_t columns = source.product.columns;
  AddNormProblem problem{.x = source.product};
  problem.residual = call.data<float>(kNext);
  problem.gain = call.data<float>(kNext + 1);
  problem.shift = call.data<float>(kNext + 2);
  problem.epsilon = call.attributes().real;
  problem.out = call.output<float>(0, source.rows, columns);
  if constexpr (Source::Of::kQuantized) {
    problem.quantized = quantized_output(call, 1, source.rows, columns, kNext + 3);
  }
  source.over_rows(call, problem.x, [&, kernel = kernels().add_norm](std::size_t first, std::size_t last) {
    kernel(problem, first, last);
  });
}

// (product) -> rows, quantized where the product is
template <class Source>
void activation(const OpCall& call) {
  const Source source(call);
  const std::size_t columns = source.product.columns;
  ActivationProblem problem{.x = source.product, .kind = static_cast<Activation>(call.attributes().integer)};
  if constexpr (Source::Of::kQuantized) {
    problem.quantized = quantized_output(call, 0, source.rows, columns, Source::kInputs);
  } else {
    problem.out = call.output<float>(0, source.rows, columns);
  }
  source.over_rows(call, problem.x, [&, kernel = kernels().activation](std::size_t first, std::size_t last) {
    kernel(problem, first, last);
  });
}

// (rows, shrink) -> quantized rows
void quantize_rows(const OpCall& call) {
  const OpInput<float> x = call.input<float>(0);
  const std::size_t rows = x.size(0), columns = x.size(1);
  const QuantizeProblem problem{x.data, columns, quantized_output(call, 0, rows, columns, 1)};
  call.parallel_rows(0, rows, columns, [&, kernel = kernels().quantize](std::size_t first, std::size_t last) {
    kernel(problem, first, last);
  });
}

const Types kQuantizedRows = {ort::kUint8, ort::kFloat};

template <class Source>
Operator self_attention_operator(const char* name) {
  return Operator({.name = name,
                   .inputs = joined(Source::types(), Types(3, ort::kInt32)),
                   .outputs = {ort::kFloat},
                   .compute = self_attention<Source>,
                   .integer_attribute = "num_heads",
                   .optional_inputs = {Source::kInputs + 1, Source::kInputs + 2}});
}

// Where the operator makes the product, so many rows at a time.
constexpr const char* kBlockRowsAttribute = "block_rows";

template <class Source>
Operator add_norm_operator(const char* name, const char* block_rows = nullptr) {
  constexpr bool kQuantized = Source::Of::kQuantized;
  return Operator({.name = name,
                   .inputs = joined(Source::types(), Types(kQuantized ? 4 : 3, ort::kFloat)),
                   .outputs = kQuantized ? joined({ort::kFloat}, kQuantizedRows) : Types{ort::kFloat},
                   .compute = add_norm<Source>,
                   .real_attribute = "epsilon",
                   .levels_attribute = kQuantized ? "levels" : nullptr,
                   .block_rows_attribute = block_rows,
                   .in_place = !kQuantized});
}

template <class Source>
Operator activation_operator(const char* name, const char* block_rows = nullptr) {
  constexpr bool kQuantized = Source::Of::kQuantized;
  return Operator({.name = name,
                   .inputs = joined(Source::types(), Types(kQuantized ? 1 : 0, ort::kFloat)),
                   .outputs = kQuantized ? kQuantizedRows : Types{ort::kFloat},
                   .compute = activation<Source>,
                   .integer_attribute = "kind",
                   .levels_attribute = kQuantized ? "levels" : nullptr,
                   .block_rows_attribute = block_rows,
                   .in_place = !kQuantized});
}

template <class Factors, class Out>
Operator panel_product_operator(const char* name, ort::ElementType out) {
  return Operator({.name = name,
                   .inputs = {Factors::kTypes.begin(), Factors::kTypes.end()},
                   .outputs = {out},
                   .compute = panel_product<Factors, Out>,
                   .integer_attribute = "columns"});
}

std::vector<Operator> make_operators() {
  std::vector<Operator> made;
  made.push_back(panel_product_operator<FloatFactors, float>("PanelProduct", ort::kFloat));
  made.push_back(panel_product_operator<ByteFactors, std::int32_t>("BytePanelProduct", ort::kInt32));
  made.push_back(self_attention_operator<Float>("PackedSelfAttention"));
  made.push_back(self_attention_operator<Quantized>("QuantizedSelfAttention"));
  made.push_back(add_norm_operator<Float>("AddNorm"));
  made.push_back(add_norm_operator<Quantized>("QuantizedAddNorm"));
  made.push_back(add_norm_operator<ProductOfBytes>("BytePanelAddNorm", kBlockRowsAttribute));
  made.push_back(activation_operator<Float>("Activation"));
  made.push_back(activation_operator<Quantized>("QuantizedActivation"));
  made.push_back(activation_operator<ProductOfBytes>("BytePanelActivation", kBlockRowsAttribute));
  made.push_back(Operator({.name = "QuantizeRows",
                           .inputs = {ort::kFloat, ort::kFloat},
                           .outputs = kQuantizedRows,
                           .compute = quantize_rows,
                           .levels_attribute = "levels"}));
  return made;
}

}  // namespace

void register_product_operators() {
  static const std::vector<Operator> ops = make_operators();
  for (const Operator& op : ops) ort::Runtime::register_custom_op(&op);
}

}  // namespace albert_fast::encoder
