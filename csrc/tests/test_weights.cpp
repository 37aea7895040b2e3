#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/error.h"
#include "encoder/panels.h"
#include "encoder/quantized_weights.h"
#include "encoder/tensor_store.h"
#include "encoder/weights.h"
#include "tests/check.h"

namespace albert_fast::encoder {
namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(std::filesystem::temp_directory_path() / ("albert_fast_" + std::to_string(getpid()))) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// W as the product reads it, and what the quantized form says it is, may differ by half a step of its row;
/// by more only where a large weight was cut, and those are few.
void check_quantized(std::size_t out, std::size_t in, const QuantizedProducts& products, bool outliers) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal(0.0F, 0.04F);
  std::vector<float> w(out * in), size_of_x(in, 1.0F);
  for (float& value : w) value = normal(generator);
  for (std::size_t k = 0; outliers && k < in; k += 50) {  // columns of W that are small, of x that are large
    size_of_x[k] = 20.0F;
    for (std::size_t n = 0; n < out; ++n) w[n * in + k] /= 20.0F;
  }
  for (std::size_t k = 0; k < in; ++k) w[k] = 0.0F;  // a row of zeros
  const Tensor tensor{w.data(), {static_cast<std::int64_t>(out), static_cast<std::int64_t>(in)}};
  const float stretches[] = {1.0F};
  const QuantizedMatrix q = std::move(quantize_matrix(tensor, size_of_x, products, stretches).front());
  const QuantizedRange& range = products.range;
  const PanelShape panels = products.panels(out, in);
  struct Lane {
    int up = 0;
    int down = 0;
  };
  double missed = 0.0, total = 0.0;
  for (std::size_t n = 0; n < out; ++n) {
    float sum = 0.0F;
    std::array<Lane, 2> lanes;
    for (std::size_t k = 0; k < in; ++k) {
      const int value = q.values.data()[products.in_panels() ? panels.at(n, k) : k * out + n];
      CHECK(std::abs(value) <= range.value);
      const std::size_t i = k % range.run, lane = i / 2 % 2;
      if (i == 0) lanes = {};
      (value > 0 ? lanes[lane].up : lanes[lane].down) += std::abs(value);
      CHECK(std::max(lanes[lane].up, lanes[lane].down) <= range.sum);
      sum += static_cast<float>(value);
      const double read = static_cast<double>(value) * q.column_scales.data()[n] * q.shrink.data()[k];
      const double x = size_of_x[k];  // errors count by how large x is
      missed += (read - w[n * in + k]) * (read - w[n * in + k]) * x * x;
      total += static_cast<double>(w[n * in + k]) * w[n * in + k] * x * x;
    }
    CHECK_EQ(q.column_sums.data()[n], sum);
  }
  CHECK(missed <= total * 1.5e-4);  // 1.2 % of the numbers' spread
}

}  // namespace

ALBERT_FAST_TEST(a_tensor_outside_the_file_is_refused) {
  const TemporaryFile file(std::string(64, 'x'));
  const Geometry geometry;
  const auto load = [&](const TensorEntry& entry) {
    TensorStore store;
    store.add(store.map(file.path()), entry);
    return Weights(std::move(store), geometry);
  };
  CHECK_THROWS(load({"a", "F32", {4}, 56, 72}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {4}, 60, 56}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {5}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {-4}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {std::int64_t{1} << 62, 16}, 0, 0}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "I64", {8}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {1, std::int64_t{1} << 62, 2}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {0, std::int64_t{1} << 62, 4, 1}, 0, 0}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", std::vector<std::int64_t>(1'000'000, 1), 0, 4}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {2, 2}, 0, 16, {2}}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {2, 2}, 0, 16, {2, -1}}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {2, 2}, 0, 16, {3, 1}}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {2, 2}, 0, 16, {std::int64_t{1} << 62, 1}}), ErrorCode::corrupt_model);
  // A tensor that is fine leads to the next question: where are the others?
  CHECK_THROWS(load({"a", "F32", {4}, 0, 16}), ErrorCode::corrupt_model);
}

ALBERT_FAST_TEST(tensors_leave_their_file) {
  std::string bytes(16, ' ');
  const float numbers[] = {1.0F, 2.0F, 3.0F, 4.0F};
  std::memcpy(bytes.data(), numbers, sizeof numbers);
  TensorStore store;
  {
    const TemporaryFile file(bytes);
    store.add(store.map(file.path()), {"a", "F32", {2, 2}, 0, 16});
    const float* mapped = store.at("a").data;
    store.leave_files();
    CHECK(store.at("a").data != mapped);
    std::ofstream(file.path(), std::ios::trunc) << "";
  }
  CHECK_EQ(store.at("a").data[3], 4.0F);
}

ALBERT_FAST_TEST(strides_turn_and_cut_a_matrix) {
  // [[0, 1, 2], [3, 4, 5]] in each of the number formats
  const float f32[] = {0, 1, 2, 3, 4, 5};
  const double f64[] = {0, 1, 2, 3, 4, 5};
  const std::uint16_t f16[] = {0x0000, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500};
  const auto check = [](auto& numbers, const char* dtype) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(numbers));
    const std::size_t width = bytes.size() / 6;
    TensorStore store;
    store.add(bytes, {"turned", dtype, {3, 2}, 0, bytes.size(), {1, 3}});
    store.add(bytes, {"last columns", dtype, {2, 2}, width, bytes.size(), {3, 1}});
    store.add(bytes, {"row", dtype, {3}, 3 * width, bytes.size(), {}});
    const auto values = [&](const char* name) {
      const Tensor& tensor = store.at(name);
      return std::vector<float>(tensor.data, tensor.data + tensor.size());
    };
    CHECK(values("turned") == (std::vector<float>{0, 3, 1, 4, 2, 5}));
    CHECK(values("last columns") == (std::vector<float>{1, 2, 4, 5}));
    CHECK(values("row") == (std::vector<float>{3, 4, 5}));
    store.drop("row");
    CHECK(!store.has("row"));
  };
  check(f32, "F32");
  check(f64, "F64");
  check(f16, "F16");
}

ALBERT_FAST_TEST(a_file_that_is_missing_or_empty_is_refused) {
  CHECK_THROWS(MappedFile("/nonexistent/file"), ErrorCode::corrupt_model);
  const TemporaryFile empty("");
  CHECK_THROWS(MappedFile(empty.path()), ErrorCode::corrupt_model);
}

ALBERT_FAST_TEST(quantized_matrices_keep_their_numbers) {
  // products of ONNX Runtime with VNNI, products of ONNX Runtime without it, products of ours without it and
  // with it
  for (const QuantizedProducts& products :
       {QuantizedProducts{}, QuantizedProducts{{180, 127, 4, 182}},
        QuantizedProducts{{127, 127, 12, 258}, 16}, QuantizedProducts{{}, 48}}) {
    check_quantized(130, 768, products, false);
    check_quantized(130, 768, products, true);
    check_quantized(64, 33, products, false);
  }
}

}  // namespace albert_fast::encoder
