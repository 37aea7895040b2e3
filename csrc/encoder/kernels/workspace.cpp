#include "encoder/kernels/workspace.h"

namespace albert_fast::encoder {

Workspace::~Workspace() = default;

float* Workspace::floats(std::size_t count) {
  if (memory_.size() < count) memory_ = AlignedBuffer<float>(count);
  return memory_.data();
}

}  // namespace albert_fast::encoder
