#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/mapped_file.h"

namespace albert_fast::encoder {

/// Where one tensor lies in a run of bytes (a mapped file or a buffer), and how its numbers stand there.
struct TensorEntry {
  std::string name;   // Hugging Face's name without the `albert.` prefix
  std::string dtype;  // F32, F16, BF16 or F64
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<std::int64_t> strides = {};  // in numbers, none below 0; empty: rows stand end to end
};

/// A float32 tensor: a view into a mapped file where that holds aligned float32 end to end, else into memory
/// of ours.
struct Tensor {
  const float* data = nullptr;
  std::vector<std::int64_t> shape;
  [[nodiscard]] std::size_t size() const;
};

/// Float32 tensors by name, taken one at a time from mapped files and from buffers, so that a container of
/// any kind costs no more than its tensors and the one at hand.
class TensorStore {
 public:
  /// Maps a file; the number names it in `add`.
  std::size_t map(const std::string& path);
  void add(std::size_t file, const TensorEntry& entry);
  /// Copies out of `bytes`, which `entry.begin` and `entry.end` count from.
  void add(std::span<const std::byte> bytes, const TensorEntry& entry);
  /// Uninitialised memory for a tensor that is computed from others.
  float* own(const std::string& name, std::vector<std::int64_t> shape);
  /// Forgets a tensor, and its memory where that is ours.
  void drop(const std::string& name);

  /// Throws corrupt_model naming a tensor that is missing.
  [[nodiscard]] const Tensor& at(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
  [[nodiscard]] const std::map<std::string, Tensor>& all() const { return tensors_; }
  /// Copies what still lies in mapped files, and closes them: a file that changes or goes later is not seen.
  void leave_files();
  void drop_resident_pages() const noexcept;

 private:
  void read(std::span<const std::byte> bytes, const TensorEntry& entry, bool lasting);

  std::vector<std::unique_ptr<MappedFile>> files_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, AlignedBuffer<float>> owned_;
};

}  // namespace albert_fast::encoder
