#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace albert_fast::encoder {

/// Writes a graph in ONNX's protobuf form (onnx.proto3: ModelProto, GraphProto, NodeProto, TensorProto). Only
/// what the ALBERT graph needs; the weights are placeholders that the session fills from memory.
class OnnxWriter {
 public:
  struct Attribute {
    std::string_view name;
    bool is_float = false;
    std::int64_t integer = 0;
    float real = 0.0F;
  };
  static Attribute integer(std::string_view name, std::int64_t value) { return {name, false, value, 0.0F}; }
  static Attribute real(std::string_view name, float value) { return {name, true, 0, value}; }

  /// Empty names in `inputs` stand for optional inputs that are left out.
  void node(std::string_view op, std::string_view domain, std::initializer_list<std::string_view> inputs,
            std::string_view output, std::initializer_list<Attribute> attributes = {});
  void node_of(std::string_view op, std::string_view domain, const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs, std::initializer_list<Attribute> attributes = {});
  /// A tensor whose values the session gets from memory.
  void placeholder(std::string_view name, int element_type, const std::vector<std::int64_t>& shape);
  void constant(std::string_view name, const std::vector<std::int64_t>& shape,
                const std::vector<std::int64_t>& values);
  void constant(std::string_view name, float value);
  /// A negative dimension is free.
  void input(std::string_view name, int element_type, const std::vector<std::int64_t>& shape);
  void output(std::string_view name, int element_type, const std::vector<std::int64_t>& shape);

  /// What goes between nodes: [rows, columns], `rows` being a name. Where the runtime knows that two have one
  /// shape, an operator may write its output over its input.
  void rows(std::string_view name, int element_type, std::string_view rows, std::int64_t columns);

  [[nodiscard]] std::string finish() const;

 private:
  std::string nodes_;
  std::string initializers_;
  std::string inputs_;
  std::string outputs_;
  std::string shapes_;
};

}  // namespace albert_fast::encoder
