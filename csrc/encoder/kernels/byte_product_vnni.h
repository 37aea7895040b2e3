#pragma once

// Products of bytes with AVX-512's VNNI: vpdpbusd adds four products to a sum of 32 bits, and nothing
// overflows on the way.
#include <immintrin.h>

#include <cstring>

#include "encoder/kernels/product_kernel.h"

namespace albert_fast::encoder {
namespace {

struct MultiplyBytes {
  using X = std::uint8_t;
  using W = std::int8_t;
  using Sums = Integers;
  using Out = std::int32_t;
  static constexpr std::size_t kDepth = kByteQuad;
  static_assert(kLanes == 16);

  [[gnu::always_inline]] static __m512i load(const std::int8_t* w) { return _mm512_loadu_si512(w); }
  [[gnu::always_inline]] static __m512i spread(const std::uint8_t* x, std::size_t count = kDepth) {
    std::int32_t quad = 0;
    std::memcpy(&quad, x, count);
    return _mm512_set1_epi32(quad);
  }
  [[gnu::always_inline]] static Integers add(Integers sums, __m512i x, __m512i w) {
    return reinterpret_cast<Integers>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sums), x, w));
  }
};

}  // namespace
}  // namespace albert_fast::encoder
