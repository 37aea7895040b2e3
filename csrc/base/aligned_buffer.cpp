#include "base/aligned_buffer.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace albert_fast {

void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
  constexpr std::size_t kLargePage = std::size_t{1} << 21;
  const bool large = bytes >= kLargePage;
  if (large) alignment = kLargePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes == 0 ? alignment : bytes) != 0) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (large) (void)madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);  // may not be to be had
#endif
  return memory;
}

}  // namespace albert_fast
