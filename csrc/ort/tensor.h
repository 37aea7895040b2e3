#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ort/handles.h"

namespace albert_fast::ort {

template <class T>
struct element_type;
template <>
struct element_type<float> {
  static constexpr ElementType value = kFloat;
};
template <>
struct element_type<std::uint8_t> {
  static constexpr ElementType value = kUint8;
};
template <>
struct element_type<std::int8_t> {
  static constexpr ElementType value = kInt8;
};
template <>
struct element_type<std::int32_t> {
  static constexpr ElementType value = kInt32;
};
template <>
struct element_type<std::int64_t> {
  static constexpr ElementType value = kInt64;
};

/// A tensor over memory that the caller keeps alive; ONNX Runtime neither copies nor frees it.
ValueHandle view_tensor(std::span<const std::byte> bytes, int element_type,
                        std::span<const std::int64_t> shape);

/// The same over memory of a device, which `place` describes.
ValueHandle view_tensor(const MemoryInfo* place, void* data, std::size_t size_bytes, int element_type,
                        std::span<const std::int64_t> shape);

template <class T>
ValueHandle view_tensor(std::span<T> data, std::span<const std::int64_t> shape) {
  return view_tensor(std::as_bytes(data), element_type<std::remove_const_t<T>>::value, shape);
}

std::vector<std::int64_t> shape_of(const Value* value);
int element_type_of(const Value* value);

}  // namespace albert_fast::ort
