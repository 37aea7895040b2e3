#pragma once

// The attention kernel over vectors of ALBERT_FAST_LANES floats. Included by one .cpp file per instruction
// set, each of which is compiled with its own flags; everything is in an unnamed namespace so that the linker
// cannot mix them. (Not a template over the lane count: GCC does not subscript or convert vector types of
// dependent size.)
#ifndef ALBERT_FAST_LANES
#error "define ALBERT_FAST_LANES before including attention_kernel.h"
#endif

#include <cmath>
#include <cstring>
#include <limits>

#include "base/aligned_buffer.h"
#include "encoder/kernels/attention.h"

namespace albert_fast::encoder {
namespace {

constexpr std::size_t kQueryBlock = 4;
constexpr std::size_t kLanes = ALBERT_FAST_LANES;
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::int32_t Integers __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

struct Attention {
  static std::size_t padded(std::size_t n) { return (n + 2 * kLanes - 1) / (2 * kLanes) * (2 * kLanes); }
  // memcpy is how C++ spells an unaligned vector move; it compiles to one instruction.
  static Vector load(const float* p) {
    Vector v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  }
  static void store(float* p, Vector v) { std::memcpy(p, &v, sizeof(v)); }
  static Vector splat(float x) { return Vector{} + x; }

  // exp(x) for x <= 0 with a relative error below 2e-7: 2^n * exp(r), |r| <= ln(2)/2, r's series to the 7th
  // power.
  static Vector exp_nonpositive(Vector x) {
    const Vector lowest = splat(-87.0f);
    x = x < lowest ? lowest : x;
    const Vector shifted =
        x * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23: rounds to the nearest integer
    const Vector n = shifted - 12582912.0f;
    const Vector r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    Vector p = splat(1.0f / 5040.0f);
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const Integers exponent = (__builtin_convertvector(n, Integers) + 127) << 23;
    return p * reinterpret_cast<Vector>(exponent);
  }

  struct Scratch {
    AlignedBuffer<float> memory;
    float* queries = nullptr;  // [length rounded to kQueryBlock, head_dim], bias added, scaled
    float* keys = nullptr;     // [head_dim, padded length]: transposed, so that lanes run over keys
    float* values = nullptr;   // [length, padded head_dim]
    float* scores = nullptr;   // [kQueryBlock, padded length]

    void reserve(std::size_t length, std::size_t head_dim) {
      const std::size_t rows = (length + kQueryBlock - 1) / kQueryBlock * kQueryBlock;
      const std::size_t columns = padded(length);
      const std::size_t dims = padded(head_dim);
      const std::size_t sizes[] = {rows * head_dim, head_dim * columns, length * dims, kQueryBlock * columns};
      std::size_t total = 0;
      for (const std::size_t size : sizes) total += (size + 15) / 16 * 16;
      if (memory.size() < total) memory = AlignedBuffer<float>(total);
      queries = memory.data();
      keys = queries + (sizes[0] + 15) / 16 * 16;
      values = keys + (sizes[1] + 15) / 16 * 16;
      scores = values + (sizes[2] + 15) / 16 * 16;
    }
  };

  static void gather_head(const AttentionProblem& p, std::size_t first, std::size_t length, std::size_t head,
                          Scratch& s) {
    const std::size_t hidden = p.heads * p.head_dim;
    const std::size_t columns = padded(length);
    const std::size_t dims = padded(p.head_dim);
    const float scale = 1.0f / std::sqrt(static_cast<float>(p.head_dim));
    const float* bias = p.bias + head * p.head_dim;
    for (std::size_t i = 0; i < length; ++i) {
      const float* row = p.qkv + (first + i) * 3 * hidden + head * p.head_dim;
      float* query = s.queries + i * p.head_dim;
      float* value = s.values + i * dims;
      for (std::size_t d = 0; d < p.head_dim; ++d) query[d] = (row[d] + bias[d]) * scale;
      for (std::size_t d = 0; d < p.head_dim; ++d)
        s.keys[d * columns + i] = row[hidden + d] + bias[hidden + d];
      for (std::size_t d = 0; d < p.head_dim; ++d) value[d] = row[2 * hidden + d] + bias[2 * hidden + d];
      for (std::size_t d = p.head_dim; d < dims; ++d) value[d] = 0.0f;
    }
    for (std::size_t d = 0; d < p.head_dim; ++d) {
      for (std::size_t i = length; i < columns; ++i) s.keys[d * columns + i] = 0.0f;
    }
    const std::size_t rows = (length + kQueryBlock - 1) / kQueryBlock * kQueryBlock;
    std::memset(s.queries + length * p.head_dim, 0, (rows - length) * p.head_dim * sizeof(float));
  }

  // scores[4, columns] = queries[4, head_dim] * keys[head_dim, columns]
  static void score_block(const float* queries, const Scratch& s, std::size_t head_dim, std::size_t columns) {
    for (std::size_t j = 0; j < columns; j += 2 * kLanes) {
      Vector sum[kQueryBlock][2] = {};
      for (std::size_t d = 0; d < head_dim; ++d) {
        const Vector k0 = load(s.keys + d * columns + j);
        const Vector k1 = load(s.keys + d * columns + j + kLanes);
        for (std::size_t q = 0; q < kQueryBlock; ++q) {
          const Vector x = splat(queries[q * head_dim + d]);
          sum[q][0] += x * k0;
          sum[q][1] += x * k1;
        }
      }
      for (std::size_t q = 0; q < kQueryBlock; ++q) {
        store(s.scores + q * columns + j, sum[q][0]);
        store(s.scores + q * columns + j + kLanes, sum[q][1]);
      }
    }
  }

  static void softmax_row(float* row, std::size_t length, std::size_t columns) {
    // The padding's weights come out as exp(-87), below half a unit in the last place of any sum, and are not
    // mixed.
    for (std::size_t j = length; j < columns; ++j) row[j] = -std::numeric_limits<float>::infinity();
    Vector top = load(row);
    for (std::size_t j = kLanes; j < columns; j += kLanes) {
      const Vector x = load(row + j);
      top = x > top ? x : top;
    }
    float highest = top[0];
    for (std::size_t lane = 1; lane < kLanes; ++lane) highest = top[lane] > highest ? top[lane] : highest;
    Vector sums{};
    for (std::size_t j = 0; j < columns; j += kLanes) {
      const Vector e = exp_nonpositive(load(row + j) - highest);
      store(row + j, e);
      sums += e;
    }
    float sum = 0.0f;
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum += sums[lane];
    const float inverse = 1.0f / sum;
    for (std::size_t j = 0; j < columns; j += kLanes) store(row + j, load(row + j) * inverse);
  }

  // context[rows, head_dim] = scores[rows, length] * values[length, head_dim]
  static void mix_block(const AttentionProblem& p, const Scratch& s, std::size_t first_token,
                        std::size_t rows, std::size_t head, std::size_t length) {
    const std::size_t columns = padded(length);
    const std::size_t dims = padded(p.head_dim);
    const std::size_t hidden = p.heads * p.head_dim;
    for (std::size_t d = 0; d < dims; d += 2 * kLanes) {
      Vector sum[kQueryBlock][2] = {};
      for (std::size_t j = 0; j < length; ++j) {
        const Vector v0 = load(s.values + j * dims + d);
        const Vector v1 = load(s.values + j * dims + d + kLanes);
        for (std::size_t q = 0; q < kQueryBlock; ++q) {
          const Vector w = splat(s.scores[q * columns + j]);
          sum[q][0] += w * v0;
          sum[q][1] += w * v1;
        }
      }
      alignas(64) float block[2 * kLanes];
      for (std::size_t q = 0; q < rows; ++q) {
        float* out = p.context + (first_token + q) * hidden + head * p.head_dim + d;
        const std::size_t count = p.head_dim - d < 2 * kLanes ? p.head_dim - d : 2 * kLanes;
        store(block, sum[q][0]);
        store(block + kLanes, sum[q][1]);
        std::memcpy(out, block, count * sizeof(float));
      }
    }
  }

  static void run(const AttentionProblem& p, std::size_t sequence, std::size_t head) {
    thread_local Scratch scratch;
    const auto first = static_cast<std::size_t>(p.cu_seqlens[sequence]);
    const auto length = static_cast<std::size_t>(p.cu_seqlens[sequence + 1]) - first;
    if (length == 0) return;
    scratch.reserve(length, p.head_dim);
    gather_head(p, first, length, head, scratch);
    const std::size_t columns = padded(length);
    for (std::size_t i = 0; i < length; i += kQueryBlock) {
      score_block(scratch.queries + i * p.head_dim, scratch, p.head_dim, columns);
      const std::size_t rows = length - i < kQueryBlock ? length - i : kQueryBlock;
      for (std::size_t q = 0; q < kQueryBlock; ++q)
        softmax_row(scratch.scores + q * columns, length, columns);
      mix_block(p, scratch, first + i, rows, head, length);
    }
  }
};

}  // namespace
}  // namespace albert_fast::encoder
