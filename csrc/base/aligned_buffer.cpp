#include "base/aligned_buffer.h"

#include "base/large_pages.h"

namespace albert_fast {

void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
  if (bytes >= kLargePage) alignment = kLargePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes == 0 ? alignment : bytes) != 0) throw std::bad_alloc();
  prefer_large_pages(memory, bytes);
  return memory;
}

}  // namespace albert_fast
