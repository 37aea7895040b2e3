#include <algorithm>
#include <vector>

#include "base/error.h"
#include "encoder/kernels/kernels.h"
#include "encoder/model.h"
#include "encoder/onnx_writer.h"
#include "encoder/quantized_weights.h"
#include "ort/tensor.h"

namespace albert_fast::encoder {
namespace {

constexpr std::int64_t kDepth = 64;
constexpr std::int64_t kColumns = 64;

/// sum over kDepth of byte * value, computed as a graph of ours does it.
std::int32_t product_of_extremes(ort::Session* session, std::int64_t rows, std::uint8_t byte,
                                 std::int8_t value) {
  const ort::Runtime& runtime = ort::Runtime::get();
  std::vector<std::uint8_t> a(static_cast<std::size_t>(rows * kDepth), byte);
  std::vector<std::int8_t> b(static_cast<std::size_t>(kDepth * kColumns), value);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(rows * kColumns), 0);
  const std::int64_t shapes[][2] = {{rows, kDepth}, {kDepth, kColumns}, {rows, kColumns}};
  const ort::ValueHandle inputs[] = {ort::view_tensor(std::span(a), shapes[0]),
                                     ort::view_tensor(std::span(b), shapes[1])};
  const ort::ValueHandle output = ort::view_tensor(std::span(sums), shapes[2]);
  const char* const names[] = {"a", "b"};
  const char* const out_name = "sums";
  const ort::Value* values[] = {inputs[0].get(), inputs[1].get()};
  ort::Value* result = output.get();
  ort::RunOptionsHandle options;
  runtime.check(runtime.api().CreateRunOptions(options.out()), "trying int8 products");
  runtime.check(
      runtime.api().Run(session, options.get(), names, values, std::size(values), &out_name, 1, &result),
      "trying int8 products");
  return *std::min_element(sums.begin(), sums.end());
}

bool pairs_saturate() {
  OnnxWriter graph;
  graph.input("a", ort::kUint8, {-1, kDepth});
  graph.input("b", ort::kInt8, {kDepth, kColumns});
  graph.output("sums", ort::kInt32, {-1, kColumns});
  graph.node("MatMulInteger", "", {"a", "b"}, "sums");
  const std::string onnx = graph.finish();
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::SessionOptionsHandle options;
  runtime.check(runtime.api().CreateSessionOptions(options.out()), "trying int8 products");
  set_session_options(options, 1);
  ort::SessionHandle session;
  runtime.check(runtime.api().CreateSessionFromArray(runtime.env(), onnx.data(), onnx.size(), options.get(),
                                                     session.out()),
                "trying int8 products");
  bool saturate = false;
  for (const std::int64_t rows : {1, 4, 16}) {  // few rows may have a kernel of their own
    if (product_of_extremes(session.get(), rows, 180, 91) != kDepth * 180 * 91) {
      fail(ErrorCode::device,
           "ONNX Runtime " + runtime.version() +
               " computes products of bytes wrongly on this processor, so precision='int8' is not to be had "
               "here. Use precision='fp32'");
    }
    saturate = saturate || product_of_extremes(session.get(), rows, 255, 127) != kDepth * 255 * 127;
  }
  return saturate;
}

}  // namespace

QuantizedProducts find_quantized_products() {
  const Kernels& ours = kernels();
  const QuantizedProducts of_ours{ours.byte_range, ours.panel_columns};
  const bool have_ours = ours.byte_product != nullptr;
  if (have_ours && ours.byte_range == QuantizedRange{}) return of_ours;
  static const bool saturate = pairs_saturate();
  if (!saturate) return {};
  return have_ours ? of_ours : QuantizedProducts{{180, 127, 4, 182}};  // chosen as ByteTiles::kRange
}

}  // namespace albert_fast::encoder
