#pragma once

#include <cstddef>

namespace albert_fast {

inline constexpr std::size_t kLargePage = std::size_t{1} << 21;

/// Asks the system for its large pages where whole ones fit into this memory. They save page faults and
/// address translations, and what reads a matrix ahead stops at the end of a page. There may be none to be
/// had.
void prefer_large_pages(void* begin, std::size_t bytes);

}  // namespace albert_fast
