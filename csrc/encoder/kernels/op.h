#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ort/tensor.h"

namespace albert_fast::encoder {

/// What a node of an operator of ours says about itself; which of them it has, its Operator says.
struct OpAttributes {
  std::int64_t integer = 0;
  float real = 0.0F;
  std::int64_t levels = 0;      // see QuantizedRows
  std::int64_t block_rows = 0;  // of a product, made at a time
};

template <class T>
struct OpInput {
  const T* data;
  std::vector<std::int64_t> shape;
  [[nodiscard]] std::size_t size(std::size_t dim) const { return static_cast<std::size_t>(shape.at(dim)); }
};

/// One call of an operator: inputs, outputs, and ONNX Runtime's threads.
class OpCall {
 public:
  OpCall(ort::KernelContext* context, const OpAttributes& attributes)
      : context_(context), attributes_(attributes) {}

  [[nodiscard]] const OpAttributes& attributes() const { return attributes_; }
  template <class T>
  [[nodiscard]] OpInput<T> input(std::size_t index) const {
    const ort::Value* value = raw_input(index);
    return {static_cast<const T*>(raw_data(value)), ort::shape_of(value)};
  }
  /// Whether the node has an input that its operator calls optional.
  [[nodiscard]] bool has_input(std::size_t index) const { return raw_input(index) != nullptr; }
  /// Without the shape, which takes four more calls.
  template <class T>
  [[nodiscard]] const T* data(std::size_t index) const {
    return static_cast<const T*>(raw_data(raw_input(index)));
  }
  template <class T>
  [[nodiscard]] T* output(std::size_t index, std::size_t rows, std::size_t columns) const {
    return static_cast<T*>(raw_output(index, rows, columns));
  }
  /// work(i) for every i below `count`, in any order, on several threads. The first exception is thrown
  /// here, once all have ended.
  template <class Work>
  void parallel(std::size_t count, Work& work) const {
    parallel_for(count, [](void* data, std::size_t i) { (*static_cast<Work*>(data))(i); }, &work);
  }
  /// work(from, to) for blocks of the rows [first, last) of nearly equal size, each of which is worth a
  /// thread: a few microseconds, of which handing it over takes one.
  template <class Work>
  void parallel_rows(std::size_t first, std::size_t last, std::size_t columns, Work work) const {
    constexpr std::size_t kNumbersPerBlock = 1 << 12;
    const std::size_t rows = last - first;
    const std::size_t blocks = std::clamp<std::size_t>(rows * columns / kNumbersPerBlock, 1, rows);
    auto one = [&](std::size_t i) { work(first + i * rows / blocks, first + (i + 1) * rows / blocks); };
    parallel(blocks, one);
  }

 private:
  [[nodiscard]] const ort::Value* raw_input(std::size_t index) const;
  [[nodiscard]] static const void* raw_data(const ort::Value* value);
  [[nodiscard]] void* raw_output(std::size_t index, std::size_t rows, std::size_t columns) const;
  void parallel_for(std::size_t count, void (*task)(void*, std::size_t), void* data) const;

  ort::KernelContext* context_;
  const OpAttributes& attributes_;
};

/// An operator of ours as ONNX Runtime wants it described: names, types, and the function that computes it.
/// Exceptions of that become statuses: none may pass through ONNX Runtime.
class Operator : public ort::CustomOp {
 public:
  struct Description {
    const char* name;
    std::vector<ort::ElementType> inputs;
    std::vector<ort::ElementType> outputs;
    void (*compute)(const OpCall&);
    const char* integer_attribute = nullptr;
    const char* real_attribute = nullptr;
    const char* levels_attribute = nullptr;
    const char* block_rows_attribute = nullptr;
    bool in_place = false;                          // output 0 may be where input 0 stands
    std::vector<std::size_t> optional_inputs = {};  // a node may leave them out (OpCall::has_input)
  };
  explicit Operator(Description description);

 private:
  struct Node;
  static const Operator& self(const ort::CustomOp* op) { return static_cast<const Operator&>(*op); }
  static ort::Status* create(const ort::CustomOp* op, const void*, const ort::KernelInfo* info, void** node);

  Description description_;
};

}  // namespace albert_fast::encoder
