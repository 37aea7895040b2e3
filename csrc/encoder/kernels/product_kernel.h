#pragma once

// Matrix products on panels (see kPanelColumns). A tile of a few rows and one panel stays in registers over
// the whole depth; the panel comes once from far away and then, for the next rows, from the second cache.
#include <algorithm>

#include "encoder/kernels/kernels.h"
#include "encoder/kernels/vector.h"

namespace albert_fast::encoder {
namespace {

constexpr std::size_t kCacheLine = 64;
// As much of a panel as stays in the second cache from one pass to the next.
constexpr std::size_t kChunkBytes = 1 << 18;

/// Memory that will be wanted next, asked for little by little: Lines places in each step, `stride` apart.
template <std::size_t Lines>
class Ahead {
 public:
  Ahead(const void* begin, std::size_t stride) : at_(static_cast<const char*>(begin)), stride_(stride) {}
  [[gnu::always_inline]] void step() {
    for (std::size_t line = 0; line < Lines; ++line) {
      __builtin_prefetch(at_, 0, 2);  // to read, into the second cache
      at_ += stride_;
    }
  }

 private:
  const char* at_;
  std::size_t stride_;
};

/// Some rows of x times a panel, or times the next steps of its depth, which then are added to what is there.
template <class X, class W, class Out>
struct Tile {
  const X* x;
  std::size_t x_stride;
  const W* panel;
  std::size_t depth;
  Out* out;  // [rows, kPanelColumns]
  std::size_t out_stride;
  bool adds;
};
using FloatTile = Tile<float, float, float>;
using ByteTile = Tile<std::uint8_t, std::int8_t, std::int32_t>;

/// The same place in each of up to six rows. Two pointers and a stride reach all of them in one instruction's
/// address; left to itself, GCC adds up addresses as slowly as the processor multiplies.
template <class X>
class Rows {
 public:
  Rows(const X* x, std::size_t stride) : first_(x), fourth_(x + 3 * stride), stride_(stride) {}
  template <std::size_t Row>
  [[gnu::always_inline]] const X* at() const {
    static_assert(Row < 6);
    return Row < 3 ? first_ + Row * stride_ : fourth_ + (Row - 3) * stride_;
  }
  [[gnu::always_inline]] void advance(std::size_t count) {
    first_ += count;
    fourth_ += count;
  }

 private:
  const X* first_;
  const X* fourth_;
  std::size_t stride_;
};

/// Rows of floats. The loops over rows are fold expressions: GCC keeps an array in registers only when every
/// index is a constant from the start.
struct FloatTiles {
  static constexpr std::size_t kRows = 6;  // with two vectors of a panel they fill AVX2's registers
  static constexpr std::size_t kDepthPerStep = 2;
  using Next = Ahead<kDepthPerStep * kPanelColumns * sizeof(float) / kCacheLine>;
  static_assert(kPanelColumns == 2 * kLanes);

  static std::size_t panel_size(std::size_t depth) { return depth * kPanelColumns; }

  template <std::size_t... Row>
  [[gnu::noinline]] static void compute(std::index_sequence<Row...>, const FloatTile& t, Next next) {
    Vector left[sizeof...(Row)], right[sizeof...(Row)];
    ((left[Row] = right[Row] = Vector{}), ...);
    if (t.adds) {
      ((left[Row] = load(t.out + Row * t.out_stride), right[Row] = load(t.out + Row * t.out_stride + kLanes)),
       ...);
    }
    Rows<float> x(t.x, t.x_stride);
    const float* w = t.panel;
    const auto step = [&](std::size_t column) __attribute__((always_inline)) {
      const Vector w_left = load(w), w_right = load(w + kLanes);
      const auto row = [&](const float* from, Vector& a, Vector& b) __attribute__((always_inline)) {
        const Vector same = splat(from[column]);
        a += same * w_left;
        b += same * w_right;
      };
      (row(x.at<Row>(), left[Row], right[Row]), ...);
      w += kPanelColumns;
    };
    std::size_t k = 0;
    for (; k + kDepthPerStep <= t.depth; k += kDepthPerStep) {
      next.step();
      step(0);
      step(1);
      x.advance(kDepthPerStep);
    }
    if (k < t.depth) step(0);
    ((store(t.out + Row * t.out_stride, left[Row]), store(t.out + Row * t.out_stride + kLanes, right[Row])),
     ...);
  }
};

/// Calls compute for `rows` rows, which are at most kRows.
template <class Tiles, class AnyTile, std::size_t Rows = 1>
inline void compute_rows(std::size_t rows, const AnyTile& tile, typename Tiles::Next next) {
  if (rows == Rows) return Tiles::compute(std::make_index_sequence<Rows>(), tile, next);
  if constexpr (Rows < Tiles::kRows) compute_rows<Tiles, AnyTile, Rows + 1>(rows, tile, next);
}

/// Copies some columns of rows; a panel's last columns may be less than a tile's.
template <class Out>
inline void copy_columns(const Out* from, std::size_t from_stride, Out* to, std::size_t to_stride,
                         std::size_t rows, std::size_t columns) {
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, columns, to + r * to_stride);
}

/// All rows times a panel, or times the next steps of its depth.
template <class Tiles, class X, class W, class Out>
void multiply_chunk(const PanelProblem<X, W, Out>& p, std::size_t panel, std::size_t begin, std::size_t end) {
  const std::size_t panel_size = Tiles::panel_size(p.depth);
  const W* w = p.panels + panel * panel_size + begin * kPanelColumns;
  // The passes share the lines of what comes next between them.
  const std::size_t passes = (p.rows + Tiles::kRows - 1) / Tiles::kRows;
  const std::size_t stride = kCacheLine / passes;
  const std::size_t bytes = Tiles::panel_size(end - begin) * sizeof(W);
  const char* next = reinterpret_cast<const char*>(w) + bytes;
  const std::size_t column = panel * kPanelColumns;
  const std::size_t columns = std::min(kPanelColumns, p.columns - column);
  const bool whole = columns == kPanelColumns, adds = begin > 0;
  Out edge[Tiles::kRows * kPanelColumns] = {};
  for (std::size_t pass = 0; pass < passes; ++pass) {
    // Passes of nearly equal size: few rows alone would leave the processor waiting.
    const std::size_t first = pass * p.rows / passes;
    const std::size_t rows = (pass + 1) * p.rows / passes - first;
    Out* out = p.out + first * p.columns + column;
    if (!whole && adds) copy_columns(out, p.columns, edge, kPanelColumns, rows, columns);
    const Tile<X, W, Out> tile{.x = p.x + first * p.depth + begin,
                               .x_stride = p.depth,
                               .panel = w,
                               .depth = end - begin,
                               .out = whole ? out : edge,
                               .out_stride = whole ? p.columns : kPanelColumns,
                               .adds = adds};
    compute_rows<Tiles>(rows, tile, typename Tiles::Next(next + pass * bytes / passes, stride));
    if (!whole) copy_columns(edge, kPanelColumns, out, p.columns, rows, columns);
  }
}

template <class Tiles, class X, class W, class Out>
void multiply(const PanelProblem<X, W, Out>& p, std::size_t first_panel, std::size_t last_panel) {
  constexpr std::size_t kStep = Tiles::kDepthPerStep;
  constexpr std::size_t kChunk = kChunkBytes / (kPanelColumns * sizeof(W)) / kStep * kStep;
  if (p.rows == 0) return;
  for (std::size_t panel = first_panel; panel < last_panel; ++panel) {
    for (std::size_t begin = 0; begin < p.depth; begin += kChunk) {
      multiply_chunk<Tiles>(p, panel, begin, std::min(p.depth, begin + kChunk));
    }
  }
}

}  // namespace
}  // namespace albert_fast::encoder
