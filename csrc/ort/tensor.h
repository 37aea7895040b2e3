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
struct element_type<std::int32_t> {
  static constexpr ElementType value = kInt32;
};
template <>
struct element_type<std::int64_t> {
  static constexpr ElementType value = kInt64;
};

/// A tensor over memory that the caller keeps alive; ONNX Runtime neither copies nor frees it.
template <class T>
ValueHandle view_tensor(std::span<T> data, std::span<const std::int64_t> shape) {
  const Runtime& runtime = Runtime::get();
  using Element = std::remove_const_t<T>;
  ValueHandle value;
  runtime.check(runtime.api().CreateTensorWithDataAsOrtValue(
                    runtime.cpu_memory(), const_cast<Element*>(data.data()), data.size_bytes(), shape.data(),
                    shape.size(), element_type<Element>::value, value.out()),
                "describing a tensor");
  return value;
}

std::vector<std::int64_t> shape_of(const Value* value);
int element_type_of(const Value* value);

}  // namespace albert_fast::ort
