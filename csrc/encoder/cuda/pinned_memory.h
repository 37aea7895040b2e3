#pragma once

#include <cstddef>
#include <memory>

#include "base/aligned_buffer.h"

namespace albert_fast::encoder::cuda {

/// Memory that the device copies into without a detour, from CUDA's own runtime library (which the provider
/// has opened; nothing is linked). Blocks that come back are kept, since locking pages is slow. The memory
/// may outlive the model: NumPy owns it.
class PinnedMemory {
 public:
  /// Blocks are made for all devices, from a context on `device`.
  explicit PinnedMemory(int device);
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  ~PinnedMemory();

  /// `count` floats; an empty buffer for so few that it does not matter, where there is no CUDA runtime, or
  /// when so much would be locked that the machine would suffer.
  [[nodiscard]] AlignedBuffer<float> take(std::size_t count);

 private:
  class Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace albert_fast::encoder::cuda
