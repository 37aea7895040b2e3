#pragma once

#include <cstddef>
#include <limits>

#include "base/error.h"

namespace albert_fast {

/// Product of two sizes that came from a file or a caller; overflow is an error, never a wrap-around.
inline std::size_t checked_multiply(std::size_t a, std::size_t b, ErrorCode code, const char* what) {
  std::size_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) fail(code, std::string(what) + " is too large");
  return result;
}

}  // namespace albert_fast
