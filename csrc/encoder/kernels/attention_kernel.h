#pragma once

// One head of one sequence: its queries, keys and values are gathered (keys transposed, so that lanes run
// over keys), then blocks of queries go over all keys and all values.
#include <cmath>
#include <limits>

#include "encoder/kernels/product_rows.h"
#include "encoder/kernels/workspace.h"

namespace albert_fast::encoder {
namespace {

// A tile of the inner products: this many rows by two vectors stay in registers.
constexpr std::size_t kTileRows = 6;
// Queries that pass over the keys together: a tile's columns of keys are then read from the first cache.
constexpr std::size_t kQueryBlock = 4 * kTileRows;
constexpr std::size_t kTileColumns = 2 * kLanes;

/// Calls work.operator()<Rows>() with Rows = `rows`, 1 to kTileRows.
template <std::size_t Rows = kTileRows, class Work>
inline void with_rows(std::size_t rows, Work work) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return with_rows<Rows - 1>(rows, work);
  }
  work.template operator()<Rows>();
}

/// sum += x * y, a tile of it: x [Rows, depth] with its rows `stride` apart, y [depth, kTileColumns].
template <std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void add_products(const float* x, std::size_t stride, const float* y,
                                                std::size_t depth, Vector (&sum)[Rows][Vectors]) {
  for (std::size_t k = 0; k < depth; ++k) {
    Vector columns[Vectors];
    for (std::size_t v = 0; v < Vectors; ++v) columns[v] = load(y + k * kTileColumns + v * kLanes);
    for (std::size_t q = 0; q < Rows; ++q) {
      const Vector same = splat(x[q * stride + k]);
      for (std::size_t v = 0; v < Vectors; ++v) sum[q][v] += same * columns[v];
    }
  }
}

class Head {
 public:
  // Not inlined: beside the thread's own object the compiler would ask for its address in every loop.
  [[gnu::noinline]] void run(const AttentionProblem& p, std::size_t sequence, std::size_t head) {
    const auto first = static_cast<std::size_t>(p.cu_seqlens[sequence]);
    length_ = static_cast<std::size_t>(p.cu_seqlens[sequence + 1]) - first;
    const auto [first_query, queries] = queries_of(p, sequence);
    if (queries == 0) return;
    dim_ = p.head_dim;
    columns_ = round_up(length_, kLanes);
    dims_ = round_up(dim_, kTileColumns);
    reserve(queries);
    with_row_kind(p.qkv, [&]<class Row>() {
      gather_queries<Row>(p, first_query, queries, head);
      gather<Row>(p, first, head);
    });
    const std::size_t hidden = p.heads * p.head_dim;
    for (std::size_t i = 0; i < queries; i += kQueryBlock) {
      const std::size_t rows = queries - i < kQueryBlock ? queries - i : kQueryBlock;
      score(i, rows);
      for (std::size_t r = 0; r < rows; ++r) inverse_sums_[r] = exponentials(scores_ + r * columns_);
      mix(rows, p.context + (first_query + i) * hidden + head * dim_, hidden);
    }
  }

 private:
  struct Queries {
    std::size_t first = 0;
    std::size_t count = 0;
  };
  static Queries queries_of(const AttentionProblem& p, std::size_t sequence) {
    const std::int32_t* cu = p.queries != nullptr ? p.cu_queries : p.cu_seqlens;
    return {static_cast<std::size_t>(cu[sequence]),
            static_cast<std::size_t>(cu[sequence + 1] - cu[sequence])};
  }

  void reserve(std::size_t queries) {
    const std::size_t sizes[] = {queries * dim_, dim_ * round_up(columns_, kTileColumns), length_ * dims_,
                                 kQueryBlock * columns_};
    std::size_t total = 0;
    for (const std::size_t size : sizes) total += round_up(size, 16);
    queries_ = memory_.numbers(total);
    keys_ = queries_ + round_up(sizes[0], 16);
    values_ = keys_ + round_up(sizes[1], 16);
    scores_ = values_ + round_up(sizes[2], 16);
  }

  template <class Row>
  [[gnu::noinline]] void gather_queries(const AttentionProblem& p, std::size_t first, std::size_t count,
                                        std::size_t head) {
    // Scores are powers of 2 instead of e.
    const float scale = kLog2OfE / std::sqrt(static_cast<float>(dim_));
    for (std::size_t i = 0; i < count; ++i) {
      const Row row(p.qkv, p.queries != nullptr ? static_cast<std::size_t>(p.queries[first + i]) : first + i);
      for_each_vector(dim_, [&](std::size_t d, auto amount) {
        store(queries_ + i * dim_ + d, row.at(head * dim_ + d, amount) * scale, amount);
      });
    }
  }

  template <class Row>
  void gather(const AttentionProblem& p, std::size_t first, std::size_t head) {
    const std::size_t hidden = p.heads * p.head_dim;
    const std::size_t at = head * dim_;
    for (std::size_t i = 0; i < length_; ++i) {
      const Row row(p.qkv, first + i);
      for_each_vector(dim_, [&](std::size_t d, auto amount) {
        store(value_at(i, d), row.at(2 * hidden + at + d, amount), amount);
      });
      for (std::size_t d = dim_; d < dims_; ++d) *value_at(i, d) = 0.0F;
    }
    for (std::size_t i = 0; i < columns_; i += kLanes) {
      for_each_vector(dim_, [&](std::size_t d, auto amount) {
        Vector square[kLanes] = {};
        for (std::size_t r = 0; r < kLanes && i + r < length_; ++r) {
          square[r] = Row(p.qkv, first + i + r).at(hidden + at + d, amount);
        }
        transpose(square);
        for (std::size_t r = 0; r < kLanes && d + r < dim_; ++r) store(key_at(d + r, i), square[r]);
      });
    }
  }

  // Dimension d of key j; a vector of keys from j on.
  [[nodiscard]] float* key_at(std::size_t d, std::size_t j) const {
    return keys_ + (j / kTileColumns * dim_ + d) * kTileColumns + j % kTileColumns;
  }
  // Dimension d of value j; a vector of dimensions from d on.
  [[nodiscard]] float* value_at(std::size_t j, std::size_t d) const {
    return values_ + (d / kTileColumns * length_ + j) * kTileColumns + d % kTileColumns;
  }

  /// scores[rows, columns] = queries[first : first + rows] * keys
  void score(std::size_t first, std::size_t rows) {
    for (std::size_t j = 0; j < columns_; j += kTileColumns) {
      for (std::size_t r = 0; r < rows; r += kTileRows) {
        with_rows(rows - r < kTileRows ? rows - r : kTileRows, [&]<std::size_t Rows>() {
          if (columns_ - j < kTileColumns) return score_tile<Rows, 1>(first, r, j);
          score_tile<Rows, 2>(first, r, j);
        });
      }
    }
  }
  template <std::size_t Rows, std::size_t Vectors>
  void score_tile(std::size_t first, std::size_t r, std::size_t j) {
    Vector sum[Rows][Vectors] = {};
    add_products(queries_ + (first + r) * dim_, dim_, key_at(0, j), dim_, sum);
    for (std::size_t q = 0; q < Rows; ++q) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        store(scores_ + (r + q) * columns_ + j + v * kLanes, sum[q][v]);
      }
    }
  }

  /// Scores to weights that are yet to be divided by their sum; returns 1 / sum.
  float exponentials(float* row) const {
    const std::size_t columns = columns_;
    // The padding's weights come out as 2^-125, below half a unit in the last place of any sum, and are not
    // mixed.
    for (std::size_t j = length_; j < columns; ++j) row[j] = -std::numeric_limits<float>::infinity();
    Vector top = load(row);
    for (std::size_t j = kLanes; j < columns; j += kLanes) top = higher(top, load(row + j));
    const float highest = highest_of(top);
    Vector sums{};
    for (std::size_t j = 0; j < columns; j += kLanes) {
      const Vector e = exp2_below(load(row + j) - highest);
      store(row + j, e);
      sums += e;
    }
    return 1.0F / sum_of(sums);
  }

  /// context[rows, dim] = weights[rows, length] * values, divided by the weights' sums
  void mix(std::size_t rows, float* context, std::size_t stride) const {
    for (std::size_t d = 0; d < dims_; d += kTileColumns) {
      const std::size_t count = dim_ - d < kTileColumns ? dim_ - d : kTileColumns;
      for (std::size_t r = 0; r < rows; r += kTileRows) {
        const float* weights = scores_ + r * columns_;
        const float* values = value_at(0, d);
        with_rows(rows - r < kTileRows ? rows - r : kTileRows, [&]<std::size_t Rows>() {
          Vector sum[Rows][2] = {};
          add_products(weights, columns_, values, length_, sum);
          for (std::size_t q = 0; q < Rows; ++q) {
            float* out = context + (r + q) * stride + d;
            alignas(64) float block[kTileColumns];
            float* to = count == kTileColumns ? out : block;
            store(to, sum[q][0] * inverse_sums_[r + q]);
            store(to + kLanes, sum[q][1] * inverse_sums_[r + q]);
            if (to == block) std::memcpy(out, block, count * sizeof(float));
          }
        });
      }
    }
  }

  Workspace<float> memory_;
  float* queries_ = nullptr;  // [queries, dim], scaled
  float* keys_ = nullptr;     // [columns / kTileColumns, dim, kTileColumns]
  float* values_ = nullptr;   // [dims / kTileColumns, length, kTileColumns]
  float* scores_ = nullptr;   // [kQueryBlock, columns]
  float inverse_sums_[kQueryBlock] = {};
  std::size_t length_ = 0;
  std::size_t dim_ = 0;
  std::size_t columns_ = 0;  // length, rounded up
  std::size_t dims_ = 0;     // dim, rounded up
};

inline void attention(const AttentionProblem& p, std::size_t sequence, std::size_t head) {
  thread_local Head scratch;
  scratch.run(p, sequence, head);
}

}  // namespace
}  // namespace albert_fast::encoder
