#pragma once

// Vectors of ALBERT_FAST_LANES floats and what the kernels do with them. Included by one .cpp file per
// instruction set, each of which is compiled with its own flags; everything is in an unnamed namespace so
// that the linker cannot mix them. (Not a template over the lane count: GCC does not subscript or convert
// vector types of dependent size.)
#ifndef ALBERT_FAST_LANES
#error "define ALBERT_FAST_LANES before including vector.h"
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace albert_fast::encoder {
namespace {

constexpr std::size_t kLanes = ALBERT_FAST_LANES;
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::int32_t Integers __attribute__((vector_size(kLanes * sizeof(std::int32_t))));
typedef std::uint32_t Bits __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));
typedef std::uint8_t Bytes __attribute__((vector_size(kLanes)));

constexpr std::size_t round_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

// How much of a vector a load or store means: all of it, or, at the end of a row, its first lanes.
struct Whole {};
struct Part {
  std::size_t lanes;
};

// memcpy is how C++ spells an unaligned vector move; it compiles to one instruction.
inline Vector load(const float* p, Whole = {}) {
  Vector v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
inline Vector load(const float* p, Part part) {
  Vector v{};
  std::memcpy(&v, p, part.lanes * sizeof(float));
  return v;
}
inline Integers load(const std::int32_t* p, Whole = {}) {
  Integers v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
inline Integers load(const std::int32_t* p, Part part) {
  Integers v{};
  std::memcpy(&v, p, part.lanes * sizeof(std::int32_t));
  return v;
}
inline void store(float* p, Vector v, Whole = {}) { std::memcpy(p, &v, sizeof(v)); }
inline void store(float* p, Vector v, Part part) { std::memcpy(p, &v, part.lanes * sizeof(float)); }
inline void store(std::int32_t* p, Integers v) { std::memcpy(p, &v, sizeof(v)); }
inline void store(std::uint8_t* p, Bytes v, Whole = {}) { std::memcpy(p, &v, sizeof(v)); }
inline void store(std::uint8_t* p, Bytes v, Part part) { std::memcpy(p, &v, part.lanes); }

// Minus zero changes nothing, which compilers know; plus zero would turn -0 into 0 and cost an instruction.
inline Vector splat(float x) { return x - Vector{}; }

// NaN in b stays. Where compilers do not find the instruction, it is named. low_bytes: the lowest byte of
// each number, which is below 256. (GCC warns inside the forms of AVX-512 that have no mask.)
#if defined(__x86_64__) && ALBERT_FAST_LANES == 16
inline Vector lower(Vector a, Vector b) { return _mm512_maskz_min_ps(0xFFFF, a, b); }
inline Vector higher(Vector a, Vector b) { return _mm512_maskz_max_ps(0xFFFF, a, b); }
inline Bytes low_bytes(Bits v) {
  return reinterpret_cast<Bytes>(_mm512_maskz_cvtepi32_epi8(0xFFFF, reinterpret_cast<__m512i>(v)));
}
#elif defined(__x86_64__) && ALBERT_FAST_LANES == 8
inline Vector lower(Vector a, Vector b) { return _mm256_min_ps(a, b); }
inline Vector higher(Vector a, Vector b) { return _mm256_max_ps(a, b); }
inline Bytes low_bytes(Bits v) {
  const auto whole = reinterpret_cast<__m256i>(v);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  const std::int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  return reinterpret_cast<Bytes>(bytes);
}
#elif defined(__x86_64__)
inline Vector lower(Vector a, Vector b) { return _mm_min_ps(a, b); }
inline Vector higher(Vector a, Vector b) { return _mm_max_ps(a, b); }
inline Bytes low_bytes(Bits v) {
  const __m128i words = _mm_packs_epi32(reinterpret_cast<__m128i>(v), reinterpret_cast<__m128i>(v));
  const std::int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  return reinterpret_cast<Bytes>(bytes);
}
#else
inline Vector lower(Vector a, Vector b) { return a < b ? a : b; }
inline Vector higher(Vector a, Vector b) { return a > b ? a : b; }
inline Bytes low_bytes(Bits v) { return __builtin_convertvector(v, Bytes); }
#endif

// Lanes beyond the end of a row, set to what does not count.
inline Vector keep(Vector v, Whole, float) { return v; }
inline Vector keep(Vector v, Part part, float otherwise) {
  for (std::size_t lane = part.lanes; lane < kLanes; ++lane) v[lane] = otherwise;
  return v;
}

/// All lanes into one, by halves: with 16 lanes four steps that wait for each other instead of fifteen.
template <std::size_t Step, std::size_t... Lane>
inline Vector across(Vector v, std::index_sequence<Lane...>) {
  return __builtin_shufflevector(v, v, (Lane ^ Step)...);
}
template <std::size_t Step = kLanes / 2, class Join>
inline float joined(Vector v, Join join) {
  v = join(v, across<Step>(v, std::make_index_sequence<kLanes>()));
  if constexpr (Step > 1) return joined<Step / 2>(v, join);
  return v[0];
}
inline float sum_of(Vector v) {
  return joined(v, [](Vector a, Vector b) { return a + b; });
}
inline float highest_of(Vector v) {
  return joined(v, [](Vector a, Vector b) { return higher(a, b); });
}

/// Rows become columns: a square of kLanes vectors is transposed in registers, by exchanging halves, quarters
/// ...
template <std::size_t Step, std::size_t... Lane>
inline void exchange(Vector& a, Vector& b, std::index_sequence<Lane...>) {
  const Vector first = __builtin_shufflevector(a, b, ((Lane & Step) == 0 ? Lane : Lane - Step + kLanes)...);
  b = __builtin_shufflevector(a, b, ((Lane & Step) == 0 ? Lane + Step : Lane + kLanes)...);
  a = first;
}
template <std::size_t Step = kLanes / 2>
inline void transpose(Vector (&square)[kLanes]) {
  for (std::size_t i = 0; i < kLanes; ++i) {
    if ((i & Step) == 0) exchange<Step>(square[i], square[i + Step], std::make_index_sequence<kLanes>());
  }
  if constexpr (Step > 1) transpose<Step / 2>(square);
}

/// Calls step(column, Whole or Part) for every vector of a row.
template <class Step>
inline void for_each_vector(std::size_t columns, Step step) {
  std::size_t c = 0;
  for (; c + kLanes <= columns; c += kLanes) step(c, Whole{});
  if (c < columns) step(c, Part{columns - c});
}

constexpr float kLog2OfE = 1.44269504088896341F;  // exp(x) = 2^(x * kLog2OfE)

// 2^x for -125 <= x <= 127 with a relative error below 1e-7: 2^n * 2^r, |r| <= 1/2, by a polynomial that we
// fitted to 2^r with the least relative error.
inline Vector exp2_within(Vector x) {
  const Vector shifted = x + 12582912.0F;  // 1.5 * 2^23: rounds to the nearest integer
  const Vector r = x - (shifted - 12582912.0F);
  Vector p = splat(0.000153457542F);
  p = p * r + 0.00133999973F;
  p = p * r + 0.00961849F;
  p = p * r + 0.0555032864F;
  p = p * r + 0.240226462F;
  p = p * r + 0.693147182F;
  p = p * r + 1.0F;
  // n stands in the lowest bits of `shifted`; it goes to where p has its exponent.
  const Bits power = (reinterpret_cast<Bits>(shifted) << 23) + 0x3F800000U;
  return p * reinterpret_cast<Vector>(power);
}
/// The same for x <= 127; further down it is 2^-125, which is nothing beside 1.
inline Vector exp2_below(Vector x) { return exp2_within(higher(splat(-125.0F), x)); }
inline Vector exp2_of(Vector x) { return exp2_below(lower(splat(127.0F), x)); }

}  // namespace
}  // namespace albert_fast::encoder
