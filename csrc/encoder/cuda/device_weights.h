#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "encoder/cuda/settings.h"
#include "encoder/geometry.h"
#include "encoder/weights.h"

namespace albert_fast::encoder::cuda {

/// The weights as the CUDA graph wants them: in the graph's precision, and query, key and value dealt out by
/// head, which is how PackedMultiHeadAttention reads them from one matrix.
class DeviceWeights {
 public:
  struct Item {
    std::vector<std::int64_t> shape;
    int element_type = 0;
    AlignedBuffer<std::byte> bytes;
  };

  /// Throws `device` naming a tensor whose numbers fp16 cannot hold.
  DeviceWeights(const Weights& weights, const Geometry& geometry, Precision precision);

  [[nodiscard]] const Item& at(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return items_.contains(name); }
  [[nodiscard]] const std::map<std::string, Item>& all() const { return items_; }

 private:
  void add(const std::string& name, const Tensor& tensor, bool half);

  std::map<std::string, Item> items_;
};

}  // namespace albert_fast::encoder::cuda
