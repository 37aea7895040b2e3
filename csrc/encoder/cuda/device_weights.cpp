#include "encoder/cuda/device_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "encoder/cuda/half.h"
#include "onnxruntime/abi.h"

namespace albert_fast::encoder::cuda {
namespace {

constexpr const char* kLayerTensors[] = {"attention.qkv.bias",
                                         "attention.dense.weight",
                                         "attention.dense.bias",
                                         "attention.LayerNorm.weight",
                                         "attention.LayerNorm.bias",
                                         "ffn.weight",
                                         "ffn.bias",
                                         "ffn_output.weight",
                                         "ffn_output.bias",
                                         "full_layer_layer_norm.weight",
                                         "full_layer_layer_norm.bias"};

/// Rows (part, head, dim) -> (head, part, dim), part being query, key or value. The bias keeps its order:
/// the operator reads that as query | key | value in either case.
AlignedBuffer<float> deal_by_head(const Tensor& qkv, const Geometry& g) {
  AlignedBuffer<float> dealt(qkv.size());
  const auto block = static_cast<std::size_t>(g.head_dim() * qkv.shape.at(1));
  const auto heads = static_cast<std::size_t>(g.num_attention_heads);
  for (std::size_t part = 0; part < 3; ++part) {
    for (std::size_t head = 0; head < heads; ++head) {
      std::copy_n(qkv.data + (part * heads + head) * block, block, dealt.data() + (head * 3 + part) * block);
    }
  }
  return dealt;
}

void check_range(const std::string& name, const Tensor& tensor) {
  const auto fits = [](float value) { return std::abs(value) < kHalfOverflow; };  // false for NaN too
  const float* end = tensor.data + tensor.size();
  const float* bad = std::find_if_not(tensor.data, end, fits);
  if (bad == end) return;
  fail(ErrorCode::device, "precision='fp16' cannot hold this model: tensor " + name + " has the number " +
                              std::to_string(*bad) +
                              ", fp16 ends at 65504. Use precision='tf32' or precision='fp32'");
}

}  // namespace

DeviceWeights::DeviceWeights(const Weights& weights, const Geometry& g, Precision precision) {
  const bool half = precision == Precision::fp16;
  for (const char* name : {"embeddings.word_embeddings.weight", "positions", "embeddings.LayerNorm.weight",
                           "embeddings.LayerNorm.bias", "encoder.embedding_hidden_mapping_in.weight",
                           "encoder.embedding_hidden_mapping_in.bias"}) {
    add(name, weights.at(name), half);
  }
  const auto add_dealt = [&](const std::string& name) {
    const AlignedBuffer<float> dealt = deal_by_head(weights.at(name), g);
    add(name, {dealt.data(), weights.at(name).shape}, half);
  };
  for (std::int64_t group = 0; group < g.num_hidden_groups; ++group) {
    for (std::int64_t inner = 0; inner < g.inner_group_num; ++inner) {
      const std::string prefix = layer_prefix(group, inner);
      for (const char* name : kLayerTensors) add(prefix + name, weights.at(prefix + name), half);
      add_dealt(prefix + "attention.qkv.weight");
    }
  }
  add_dealt(std::string(kFirstProduct) + "weight");
  add(std::string(kFirstProduct) + "bias", weights.at(std::string(kFirstProduct) + "bias"), half);
  // The pooler sees one row per sequence: fp32 costs nothing there.
  if (!weights.has("pooler.weight")) return;
  for (const char* name : {"pooler.weight", "pooler.bias"}) add(name, weights.at(name), false);
}

const DeviceWeights::Item& DeviceWeights::at(const std::string& name) const {
  const auto found = items_.find(name);
  if (found == items_.end()) fail(ErrorCode::corrupt_model, "the model has no tensor " + name);
  return found->second;
}

void DeviceWeights::add(const std::string& name, const Tensor& tensor, bool half) {
  Item item{tensor.shape, half ? ort::kFloat16 : ort::kFloat, {}};
  const std::size_t count = tensor.size();
  item.bytes = AlignedBuffer<std::byte>(count * (half ? sizeof(std::uint16_t) : sizeof(float)));
  if (half) {
    check_range(name, tensor);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint16_t value = to_half(tensor.data[i]);
      std::memcpy(item.bytes.data() + i * sizeof value, &value, sizeof value);
    }
  } else {
    std::memcpy(item.bytes.data(), tensor.data, item.bytes.size());
  }
  items_.insert_or_assign(name, std::move(item));
}

}  // namespace albert_fast::encoder::cuda
