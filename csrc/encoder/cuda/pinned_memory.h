#pragma once

#include <cstddef>
#include <memory>

#include "base/aligned_buffer.h"

namespace albert_fast::encoder::cuda {

/// Memory that the device copies into without a detour, from CUDA's own runtime library (which the provider
/// has opened; nothing is linked). Blocks that come back are kept for the next taker, since locking pages is
/// slow; all that is locked, out or kept, has a bound. The memory may outlive the model: NumPy owns it.
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
  /// The same for the rows of one micro-batch on their way to a result that is not pinned. Blocks come back
  /// after every micro-batch, so the same few are used in turn.
  [[nodiscard]] AlignedBuffer<float> take_slot(std::size_t count);
  /// Whether the address lies in a block that is out.
  [[nodiscard]] bool contains(const float* address) const;

 private:
  [[nodiscard]] AlignedBuffer<float> take_block(std::size_t count, std::size_t bytes, std::size_t most);

  class Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace albert_fast::encoder::cuda
