#pragma once

#include <cstdint>

namespace albert_fast::encoder::cuda {

/// Finite numbers from here on would become infinite in fp16 (the largest fp16 is 65504).
inline constexpr float kHalfOverflow = 65520.0F;

/// IEEE 754 binary16, rounded to nearest, ties to even. `value` must be finite and below kHalfOverflow.
std::uint16_t to_half(float value) noexcept;

}  // namespace albert_fast::encoder::cuda
