#pragma once

#include <cstddef>
#include <cstdint>

#include "base/aligned_buffer.h"

namespace albert_fast::encoder {

/// Numbers that a kernel or an operator keeps for its thread's next call. The functions stand in
/// workspace.cpp: an inline one would be compiled once per instruction set, and the linker would take one of
/// these for every caller.
template <class T>
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `count` numbers, 64-byte aligned, whose values do not matter.
  T* numbers(std::size_t count);

 private:
  AlignedBuffer<T> memory_;
};

extern template class Workspace<float>;
extern template class Workspace<std::int32_t>;

}  // namespace albert_fast::encoder
