#include "encoder/cuda/half.h"

#include <bit>
#include <cmath>

namespace albert_fast::encoder::cuda {

std::uint16_t to_half(float value) noexcept {
  constexpr std::uint32_t kSmallestNormal = 0x38800000;  // 2^-14 as float
  constexpr std::uint32_t kRebias = 0x38000000;          // exponent 127 -> 15
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  std::uint32_t half = 0;
  if (magnitude < kSmallestNormal) {  // subnormal in fp16: a multiple of 2^-24
    half = static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24F));
  } else {
    half = (magnitude - kRebias + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

}  // namespace albert_fast::encoder::cuda
