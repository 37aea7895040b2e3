#pragma once

// Products of bytes with AVX2, which has no VNNI: vpmaddubsw adds the products of two neighbours in 16 bits,
// and we add some of those in 16 bits as well before they go to 32. For that the values of W in a run are
// bounded (QuantizedRange), so that nothing overflows.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "encoder/kernels/product_kernel.h"

namespace albert_fast::encoder {
namespace {

struct ByteTiles {
  using ByteTile = Tile<std::uint8_t, std::int8_t, std::int32_t>;
  static constexpr std::size_t kRows = 3;
  static constexpr std::size_t kRun = 12;
  // An error in the weights is the same in all layers, so they add up; errors in rows do not. Of the ways to
  // share 16 bits, this was the nearest to fp32: on random weights and on those with loud channels.
  static constexpr QuantizedRange kRange{.byte = 127, .value = 127, .run = kRun, .sum = 258};
  static_assert(kRun <= kMostOfRun);
  static constexpr std::size_t kDepthPerStep = kRun;
  using Next = Ahead<kDepthPerStep * kPanelColumns / kCacheLine>;

  static std::size_t panel_size(std::size_t depth) { return round_up(depth, kRun) * kPanelColumns; }

  template <std::size_t... Row>
  static void compute(std::index_sequence<Row...> rows, const ByteTile& t, Next next) {
    compute_runs(rows, t, next);
    if (t.depth % kRun != 0) add_rest(t, sizeof...(Row));
  }

 private:
  template <std::size_t... Row>
  [[gnu::noinline]] static void compute_runs(std::index_sequence<Row...>, const ByteTile& t, Next next) {
    __m256i left[sizeof...(Row)], right[sizeof...(Row)];
    ((left[Row] = right[Row] = _mm256_setzero_si256()), ...);
    if (t.adds) {
      ((left[Row] = load(t.out + Row * t.out_stride), right[Row] = load(t.out + Row * t.out_stride + kLanes)),
       ...);
    }
    const __m256i ones = _mm256_set1_epi16(1);
    Rows<std::uint8_t> x(t.x, t.x_stride);
    const std::int8_t* w = t.panel;
    for (std::size_t run = t.depth / kRun; run > 0; --run) {
      next.step();
      const auto row = [&](const std::uint8_t* from, __m256i& a, __m256i& b) __attribute__((always_inline)) {
        __m256i sum_a = pairs(from, w), sum_b = pairs(from, w + 32);
#pragma GCC unroll 4
        for (std::size_t q = 1; q < kRun / kByteQuad; ++q) {
          sum_a = _mm256_add_epi16(sum_a, pairs(from + q * kByteQuad, w + q * 64));
          sum_b = _mm256_add_epi16(sum_b, pairs(from + q * kByteQuad, w + q * 64 + 32));
        }
        a = _mm256_add_epi32(a, _mm256_madd_epi16(sum_a, ones));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(sum_b, ones));
      };
      (row(x.at<Row>(), left[Row], right[Row]), ...);
      x.advance(kRun);
      w += kRun * kPanelColumns;
    }
    ((store(t.out + Row * t.out_stride, left[Row]), store(t.out + Row * t.out_stride + kLanes, right[Row])),
     ...);
  }

  /// What lies beyond the last whole run: a few columns of odd models.
  [[gnu::noinline]] static void add_rest(const ByteTile& t, std::size_t rows) {
    for (std::size_t k = t.depth / kRun * kRun; k < t.depth; ++k) {
      const std::int8_t* w = t.panel + k / kByteQuad * kByteQuad * kPanelColumns + k % kByteQuad;
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < kPanelColumns; ++c) {
          t.out[r * t.out_stride + c] += t.x[r * t.x_stride + k] * w[c * kByteQuad];
        }
      }
    }
  }

  /// Products of four bytes of a row with four of each of eight columns, added by pairs.
  [[gnu::always_inline]] static __m256i pairs(const std::uint8_t* x, const std::int8_t* w) {
    std::int32_t four;
    std::memcpy(&four, x, sizeof(four));
    __m256i values;
    std::memcpy(&values, w, sizeof(values));
    return _mm256_maddubs_epi16(_mm256_set1_epi32(four), values);
  }
  static __m256i load(const std::int32_t* p) {
    __m256i v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  }
  static void store(std::int32_t* p, __m256i v) { std::memcpy(p, &v, sizeof(v)); }
};

}  // namespace
}  // namespace albert_fast::encoder
