#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"

namespace albert_fast::bindings {

/// A NumPy array over memory that a C++ container owned until now; the array's base keeps it. No copy.
template <class T, class Container>
pybind11::array_t<T> owned_array(Container&& container, T* data, std::vector<pybind11::ssize_t> shape) {
  auto kept = std::make_unique<Container>(std::forward<Container>(container));
  pybind11::capsule owner(kept.get(), [](void* pointer) { delete static_cast<Container*>(pointer); });
  (void)kept.release();  // the capsule deletes it
  return pybind11::array_t<T>(std::move(shape), data, std::move(owner));
}

template <class T>
pybind11::array_t<T> to_array(std::vector<T>&& values) {
  T* data = values.data();
  const auto size = static_cast<pybind11::ssize_t>(values.size());
  return owned_array<T>(std::move(values), data, {size});
}

/// A C-contiguous array of a caller's; other types and layouts are converted.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

template <class T>
std::vector<T> to_vector(const Array<T>& array) {
  return {array.data(), array.data() + array.size()};
}

template <class T>
pybind11::array_t<T> to_matrix(AlignedBuffer<T>&& values, std::int64_t rows, std::int64_t columns) {
  T* data = values.data();
  return owned_array<T>(std::move(values), data, {rows, columns});
}

}  // namespace albert_fast::bindings
