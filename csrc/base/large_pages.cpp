#include "base/large_pages.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdint>

namespace albert_fast {

void prefer_large_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  const std::size_t skip = (kLargePage - reinterpret_cast<std::uintptr_t>(begin) % kLargePage) % kLargePage;
  if (bytes < skip + kLargePage) return;
  (void)madvise(static_cast<char*>(begin) + skip, (bytes - skip) / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

}  // namespace albert_fast
