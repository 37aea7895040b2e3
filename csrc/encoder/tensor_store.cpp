#include "encoder/tensor_store.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/checked.h"

namespace albert_fast::encoder {
namespace {

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

constexpr std::size_t kMostDimensions = 16;

float bfloat_to_float(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

float keep(float value) { return value; }
float narrow(double value) { return static_cast<float>(value); }

std::size_t width_of(const TensorEntry& entry) {
  if (entry.dtype == "F32") return 4;
  if (entry.dtype == "F16" || entry.dtype == "BF16") return 2;
  if (entry.dtype == "F64") return 8;
  fail(ErrorCode::corrupt_model,
       "tensor " + entry.name + " has dtype " + entry.dtype + "; F32, F16, BF16 and F64 can be read");
}

/// Strides of numbers that stand end to end.
std::vector<std::int64_t> packed_strides(const TensorEntry& entry) {
  const std::vector<std::int64_t>& shape = entry.shape;
  if (shape.size() > kMostDimensions) {
    fail(ErrorCode::corrupt_model,
         "tensor " + entry.name + " has " + std::to_string(shape.size()) + " dimensions");
  }
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) {
    if (__builtin_mul_overflow(strides[d], shape[d], &strides[d - 1])) {
      fail(ErrorCode::corrupt_model, "tensor " + entry.name + " is too large");
    }
  }
  return strides;
}

/// How many numbers lie between the first and the last one that the strides reach, both included.
std::size_t reach(const TensorEntry& entry, const std::vector<std::int64_t>& strides) {
  std::size_t last = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    if (strides[d] < 0) fail(ErrorCode::corrupt_model, "tensor " + entry.name + " has a negative stride");
    if (entry.shape[d] == 0) return 0;
    const std::size_t steps =
        checked_multiply(static_cast<std::size_t>(entry.shape[d] - 1), static_cast<std::size_t>(strides[d]),
                         ErrorCode::corrupt_model, entry.name.c_str());
    if (__builtin_add_overflow(last, steps, &last)) {
      fail(ErrorCode::corrupt_model, "tensor " + entry.name + " is too large");
    }
  }
  return last + 1;
}

template <class Stored, float (*Convert)(Stored)>
void copy(const std::byte* from, const std::vector<std::int64_t>& shape,
          const std::vector<std::int64_t>& strides, std::size_t depth, float*& to) {
  if (depth == shape.size()) {
    Stored value{};
    std::memcpy(&value, from, sizeof(Stored));
    *to++ = Convert(value);
    return;
  }
  const std::size_t step = static_cast<std::size_t>(strides[depth]) * sizeof(Stored);
  if (depth + 1 < shape.size()) {
    for (std::int64_t i = 0; i < shape[depth]; ++i, from += step) {
      copy<Stored, Convert>(from, shape, strides, depth + 1, to);
    }
    return;
  }
  for (std::int64_t i = 0; i < shape[depth]; ++i, from += step) {
    Stored value{};
    std::memcpy(&value, from, sizeof(Stored));
    *to++ = Convert(value);
  }
}

}  // namespace

std::size_t Tensor::size() const {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  return count;
}

std::size_t TensorStore::map(const std::string& path) {
  files_.push_back(std::make_unique<MappedFile>(path));
  return files_.size() - 1;
}

void TensorStore::add(std::size_t file, const TensorEntry& entry) {
  if (file >= files_.size()) fail(ErrorCode::internal, "tensor " + entry.name + " names no mapped file");
  read(files_[file]->bytes(), entry, true);
}

void TensorStore::add(std::span<const std::byte> bytes, const TensorEntry& entry) {
  read(bytes, entry, false);
}

void TensorStore::read(std::span<const std::byte> bytes, const TensorEntry& entry, bool lasting) {
  const std::size_t width = width_of(entry);
  const std::size_t count = element_count(entry.shape, entry.name);
  if (!entry.strides.empty() && entry.strides.size() != entry.shape.size()) {
    fail(ErrorCode::corrupt_model, "tensor " + entry.name + " has not one stride for each dimension");
  }
  const std::vector<std::int64_t> packed = packed_strides(entry);
  const std::vector<std::int64_t>& strides = entry.strides.empty() ? packed : entry.strides;
  const std::size_t needed =
      checked_multiply(reach(entry, strides), width, ErrorCode::corrupt_model, entry.name.c_str());
  if (entry.begin > entry.end || entry.end > bytes.size() || needed > entry.end - entry.begin ||
      (entry.strides.empty() && needed != entry.end - entry.begin)) {
    fail(ErrorCode::corrupt_model, "tensor " + entry.name + " does not lie inside the weights file");
  }
  const std::byte* data = bytes.data() + entry.begin;
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0;
  if (lasting && aligned && entry.dtype == "F32" && strides == packed) {
    tensors_[entry.name] = {reinterpret_cast<const float*>(data), entry.shape};
    return;
  }
  float* to = own(entry.name, entry.shape);
  if (count == 0) return;
  if (entry.dtype == "F32") {
    copy<float, keep>(data, entry.shape, strides, 0, to);
  } else if (entry.dtype == "F16") {
    copy<std::uint16_t, half_to_float>(data, entry.shape, strides, 0, to);
  } else if (entry.dtype == "BF16") {
    copy<std::uint16_t, bfloat_to_float>(data, entry.shape, strides, 0, to);
  } else {
    copy<double, narrow>(data, entry.shape, strides, 0, to);
  }
}

float* TensorStore::own(const std::string& name, std::vector<std::int64_t> shape) {
  AlignedBuffer<float> buffer(element_count(shape, name));
  float* data = buffer.data();
  owned_[name] = std::move(buffer);
  tensors_[name] = {data, std::move(shape)};
  return data;
}

void TensorStore::drop(const std::string& name) {
  tensors_.erase(name);
  owned_.erase(name);
}

const Tensor& TensorStore::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail(ErrorCode::corrupt_model, "the weights hold no tensor " + name);
  return found->second;
}

void TensorStore::leave_files() {
  for (auto& [name, tensor] : tensors_) {
    if (owned_.contains(name)) continue;
    AlignedBuffer<float> copy(tensor.size());
    std::copy(tensor.data, tensor.data + tensor.size(), copy.data());
    tensor.data = copy.data();
    owned_[name] = std::move(copy);
  }
  files_.clear();
}

void TensorStore::drop_resident_pages() const noexcept {
  for (const auto& file : files_) file->drop_resident_pages();
}

}  // namespace albert_fast::encoder
