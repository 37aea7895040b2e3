#include "encoder/weights.h"

#include <bit>
#include <cstring>

#include "base/checked.h"

namespace albert_fast::encoder {
namespace {

std::string describe(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

std::size_t element_count(const std::vector<std::int64_t>& shape, const std::string& name) {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 0) fail(ErrorCode::corrupt_model, "tensor " + name + " has a negative dimension");
    count = checked_multiply(count, static_cast<std::size_t>(dim), ErrorCode::corrupt_model, name.c_str());
  }
  return count;
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t magnitude = half & 0x7FFFU;
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  // Shifting the fields into place leaves an exponent that is 112 too small; a product corrects it for
  // subnormals too.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

float bfloat_to_float(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

template <float (*Convert)(std::uint16_t)>
void convert(const std::byte* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, from + 2 * i, 2);
    to[i] = Convert(half);
  }
}

}  // namespace

std::size_t Tensor::size() const {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  return count;
}

std::string layer_prefix(std::int64_t group, std::int64_t inner) {
  return "encoder.albert_layer_groups." + std::to_string(group) + ".albert_layers." + std::to_string(inner) +
         ".";
}

Weights::Weights(const std::string& path, const std::vector<TensorEntry>& entries, const Geometry& geometry)
    : file_(path) {
  for (const TensorEntry& entry : entries) read(entry);
  check_shapes(geometry);
  add_positions(geometry);
  for (std::int64_t group = 0; group < geometry.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < geometry.inner_group_num; ++inner) {
      add_query_key_value(layer_prefix(group, inner) + "attention.", geometry.hidden_size);
    }
  }
}

void Weights::read(const TensorEntry& entry) {
  const std::size_t count = element_count(entry.shape, entry.name);
  const std::size_t width = entry.dtype == "F32" ? 4 : 2;
  const std::span<const std::byte> bytes = file_.bytes();
  if (entry.begin > entry.end || entry.end > bytes.size() ||
      checked_multiply(count, width, ErrorCode::corrupt_model, entry.name.c_str()) !=
          entry.end - entry.begin) {
    fail(ErrorCode::corrupt_model, "tensor " + entry.name + " does not lie inside the weights file");
  }
  const std::byte* data = bytes.data() + entry.begin;
  if (entry.dtype == "F32" && reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0) {
    tensors_[entry.name] = {reinterpret_cast<const float*>(data), entry.shape};
    return;
  }
  float* copy = own(entry.name, entry.shape);
  if (entry.dtype == "F32") {
    std::memcpy(copy, data, count * sizeof(float));
  } else if (entry.dtype == "F16") {
    convert<half_to_float>(data, copy, count);
  } else if (entry.dtype == "BF16") {
    convert<bfloat_to_float>(data, copy, count);
  } else {
    fail(ErrorCode::corrupt_model,
         "tensor " + entry.name + " has dtype " + entry.dtype + "; F32, F16 and BF16 can be read");
  }
}

float* Weights::own(const std::string& name, std::vector<std::int64_t> shape) {
  owned_.emplace_back(element_count(shape, name));
  float* data = owned_.back().data();
  tensors_[name] = {data, std::move(shape)};
  return data;
}

const Tensor& Weights::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(ErrorCode::corrupt_model, "the weights hold no tensor " + name);
  return found->second;
}

void Weights::require(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const Tensor& tensor = at(name);
  if (tensor.shape != shape) {
    fail(ErrorCode::corrupt_model, "tensor " + name + " has shape " + describe(tensor.shape) +
                                       " where config.json asks for " + describe(shape));
  }
}

void Weights::check_shapes(const Geometry& g) const {
  const std::int64_t e = g.embedding_size;
  const std::int64_t h = g.hidden_size;
  require("embeddings.word_embeddings.weight", {g.vocab_size, e});
  require("embeddings.position_embeddings.weight", {g.max_position_embeddings, e});
  require("embeddings.token_type_embeddings.weight", {g.type_vocab_size, e});
  require("encoder.embedding_hidden_mapping_in.weight", {h, e});
  require("encoder.embedding_hidden_mapping_in.bias", {h});
  for (const char* part : {"weight", "bias"}) require(std::string("embeddings.LayerNorm.") + part, {e});
  for (std::int64_t group = 0; group < g.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < g.inner_group_num; ++inner) {
      const std::string prefix = layer_prefix(group, inner);
      for (const char* name : {"query", "key", "value", "dense"}) {
        require(prefix + "attention." + name + ".weight", {h, h});
        require(prefix + "attention." + name + ".bias", {h});
      }
      for (const char* name : {"attention.LayerNorm.", "full_layer_layer_norm."}) {
        require(prefix + name + "weight", {h});
        require(prefix + name + "bias", {h});
      }
      require(prefix + "ffn.weight", {g.intermediate_size, h});
      require(prefix + "ffn.bias", {g.intermediate_size});
      require(prefix + "ffn_output.weight", {h, g.intermediate_size});
      require(prefix + "ffn_output.bias", {h});
    }
  }
  if (has("pooler.weight")) {
    require("pooler.weight", {h, h});
    require("pooler.bias", {h});
  }
}

void Weights::add_positions(const Geometry& g) {
  const Tensor& positions = at("embeddings.position_embeddings.weight");
  const Tensor& types = at("embeddings.token_type_embeddings.weight");
  float* sum = own("positions", positions.shape);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    sum[i] = positions.data[i] + types.data[i % static_cast<std::size_t>(g.embedding_size)];
  }
}

void Weights::add_query_key_value(const std::string& layer, std::int64_t hidden) {
  float* weight = own(layer + "qkv.weight", {3 * hidden, hidden});
  float* bias = own(layer + "qkv.bias", {3 * hidden});
  for (const char* name : {"query", "key", "value"}) {
    const Tensor& w = at(layer + name + ".weight");
    const Tensor& b = at(layer + name + ".bias");
    weight = std::copy(w.data, w.data + w.size(), weight);
    bias = std::copy(b.data, b.data + b.size(), bias);
  }
}

}  // namespace albert_fast::encoder
