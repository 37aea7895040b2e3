#pragma once

#include <cstddef>

#include "base/aligned_buffer.h"

namespace albert_fast::encoder {

/// Floats that a kernel keeps for its thread's next call. The functions stand in workspace.cpp: an inline one
/// would be compiled once per instruction set, and the linker would take one of these for every caller.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// At least `count` floats, 64-byte aligned, whose values do not matter.
  float* floats(std::size_t count);

 private:
  AlignedBuffer<float> memory_;
};

}  // namespace albert_fast::encoder
