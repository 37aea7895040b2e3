#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/mapped_file.h"
#include "encoder/geometry.h"

namespace albert_fast::encoder {

/// Where one tensor lies in the weights file; what the header of a safetensors file says.
struct TensorEntry {
  std::string name;   // Hugging Face's name without the `albert.` prefix
  std::string dtype;  // F32, F16 or BF16
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A float32 tensor: a view into the mapped file where the file holds aligned float32, else into memory of
/// ours.
struct Tensor {
  const float* data = nullptr;
  std::vector<std::int64_t> shape;
  [[nodiscard]] std::size_t size() const;
};

/// The weights as the graph wants them: Hugging Face's tensors, plus, per layer, query, key and value in one
/// matrix and, for the front, positions with token type 0 added (ALBERT embeddings never use another type
/// here).
class Weights {
 public:
  Weights(const std::string& path, const std::vector<TensorEntry>& entries, const Geometry& geometry);

  /// Throws corrupt_model naming the tensor when it is missing or its shape is not `shape`.
  [[nodiscard]] const Tensor& at(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
  [[nodiscard]] const std::map<std::string, Tensor>& all() const { return tensors_; }
  void drop_resident_pages() const noexcept { file_.drop_resident_pages(); }

 private:
  void read(const TensorEntry& entry);
  void require(const std::string& name, const std::vector<std::int64_t>& shape) const;
  void check_shapes(const Geometry& geometry) const;
  void add_positions(const Geometry& geometry);
  void add_query_key_value(const std::string& layer, std::int64_t hidden);
  float* own(const std::string& name, std::vector<std::int64_t> shape);

  MappedFile file_;
  std::map<std::string, Tensor> tensors_;
  std::vector<AlignedBuffer<float>> owned_;
};

/// "encoder.albert_layer_groups.G.albert_layers.I."
std::string layer_prefix(std::int64_t group, std::int64_t inner);

}  // namespace albert_fast::encoder
