#include "encoder/onnx_writer.h"

#include <bit>

namespace albert_fast::encoder {
namespace {

// Protobuf wire format: a key (field number, wire type), then a varint, four bytes, or a length and bytes.
void varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put(std::string& out, int field, std::int64_t value) {
  varint(out, static_cast<std::uint64_t>(field) << 3);
  varint(out, static_cast<std::uint64_t>(value));
}

void put(std::string& out, int field, std::string_view bytes) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 2);
  varint(out, bytes.size());
  out.append(bytes);
}

void put_float(std::string& out, int field, float value) {
  varint(out, static_cast<std::uint64_t>(field) << 3 | 5);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

constexpr int kFloatType = 1;
constexpr int kInt64Type = 7;

/// Free dimensions are called `free_name` where that is given, else each has a name of its own.
std::string value_info(std::string_view name, int element_type, const std::vector<std::int64_t>& shape,
                       std::string_view free_name = "") {
  std::string dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    std::string dim;
    if (shape[i] >= 0) {
      put(dim, 1, shape[i]);
    } else {
      put(dim, 2, free_name.empty() ? std::string(name) + "_" + std::to_string(i) : std::string(free_name));
    }
    put(dims, 1, dim);
  }
  std::string tensor;
  put(tensor, 1, element_type);
  put(tensor, 2, dims);
  std::string type;
  put(type, 1, tensor);
  std::string info;
  put(info, 1, name);
  put(info, 2, type);
  return info;
}

std::string tensor_header(std::string_view name, int element_type, const std::vector<std::int64_t>& shape) {
  std::string tensor;
  for (const std::int64_t dim : shape) put(tensor, 1, dim);
  put(tensor, 2, element_type);
  put(tensor, 8, name);
  return tensor;
}

std::string operator_set(std::string_view domain, std::int64_t version) {
  std::string set;
  put(set, 1, domain);
  put(set, 2, version);
  return set;
}

}  // namespace

void OnnxWriter::node(std::string_view op, std::string_view domain,
                      std::initializer_list<std::string_view> inputs, std::string_view output,
                      std::initializer_list<Attribute> attributes) {
  node_of(op, domain, {inputs.begin(), inputs.end()}, {std::string(output)}, attributes);
}

void OnnxWriter::node_of(std::string_view op, std::string_view domain, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs,
                         std::initializer_list<Attribute> attributes) {
  std::string node;
  for (const std::string& name : inputs) put(node, 1, name);
  for (const std::string& name : outputs) put(node, 2, name);
  put(node, 3, outputs.front());
  put(node, 4, op);
  for (const Attribute& attribute : attributes) {
    std::string text;
    put(text, 1, attribute.name);
    if (attribute.is_float) {
      put_float(text, 2, attribute.real);
      put(text, 20, std::int64_t{1});
    } else {
      put(text, 3, attribute.integer);
      put(text, 20, std::int64_t{2});
    }
    put(node, 5, text);
  }
  put(node, 7, domain);
  put(nodes_, 1, node);
}

void OnnxWriter::placeholder(std::string_view name, int element_type,
                             const std::vector<std::int64_t>& shape) {
  std::string tensor = tensor_header(name, element_type, shape);
  std::string location;
  put(location, 1, "location");
  put(location, 2, name);
  put(tensor, 13, location);
  put(tensor, 14, std::int64_t{1});
  put(initializers_, 5, tensor);
}

void OnnxWriter::constant(std::string_view name, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& values) {
  std::string tensor = tensor_header(name, kInt64Type, shape);
  std::string packed;
  for (const std::int64_t value : values) varint(packed, static_cast<std::uint64_t>(value));
  put(tensor, 7, packed);
  put(initializers_, 5, tensor);
}

void OnnxWriter::constant(std::string_view name, float value) {
  std::string tensor = tensor_header(name, kFloatType, {});
  std::string packed;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) packed.push_back(static_cast<char>(bits >> shift));
  put(tensor, 4, packed);
  put(initializers_, 5, tensor);
}

void OnnxWriter::input(std::string_view name, int element_type, const std::vector<std::int64_t>& shape) {
  put(inputs_, 11, value_info(name, element_type, shape));
}

void OnnxWriter::output(std::string_view name, int element_type, const std::vector<std::int64_t>& shape) {
  put(outputs_, 12, value_info(name, element_type, shape));
}

void OnnxWriter::rows(std::string_view name, int element_type, std::string_view rows, std::int64_t columns) {
  put(shapes_, 13, value_info(name, element_type, {-1, columns}, rows));
}

std::string OnnxWriter::finish() const {
  std::string graph = nodes_;
  put(graph, 2, "albert");
  graph += initializers_ + inputs_ + outputs_ + shapes_;
  std::string model;
  put(model, 1, std::int64_t{8});  // IR version 8: the oldest that knows opset 17
  put(model, 2, "albert_fast");
  put(model, 7, graph);
  put(model, 8, operator_set("", 17));
  put(model, 8, operator_set("com.microsoft", 1));
  put(model, 8, operator_set("albert_fast", 1));
  return model;
}

}  // namespace albert_fast::encoder
