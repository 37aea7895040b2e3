#pragma once

// Matrix products on panels (see PanelProblem). A tile of a few rows and one panel stays in registers over
// the whole depth; the panel comes once from far away and then, for the next rows, from the second cache.
#include <algorithm>

#include "encoder/kernels/kernels.h"
#include "encoder/kernels/vector.h"

namespace albert_fast::encoder {
namespace {

constexpr std::size_t kCacheLine = 64;
// As much of a panel as stays in the second cache from one pass to the next.
constexpr std::size_t kChunkBytes = 1 << 18;

// Tiles fill the registers: sixteen of AVX2, thirty-two of AVX-512. More rows would be fewer reads, but rows
// of 3072 floats all meet in the same eight places of the first cache.
constexpr std::size_t kPanelVectors = kLanes == 16 ? 3 : 2;
constexpr std::size_t kMostRows = kLanes == 16 ? 8 : 6;
constexpr std::size_t kPanelColumns = kPanelVectors * kLanes;

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

/// The same place in each row of a tile. A pointer for every third row and a stride reach all of them in one
/// instruction's address; left to itself, GCC adds up addresses as slowly as the processor multiplies.
template <class X>
class Rows {
 public:
  Rows(const X* x, std::size_t stride) : thirds_{x, x + 3 * stride, x + 6 * stride}, stride_(stride) {}
  template <std::size_t Row>
  [[gnu::always_inline]] const X* at() const {
    static_assert(Row < kMostRows);
    return thirds_[Row / 3] + Row % 3 * stride_;
  }
  [[gnu::always_inline]] void advance(std::size_t count) {
    for (const X*& third : thirds_) third += count;
  }

 private:
  const X* thirds_[3];
  std::size_t stride_;
};

/// Multiplies tiles of sums that a vector holds. Multiply says what one step of the depth is:
///   kDepth                   numbers of a row that it takes
///   load(w)                  a vector's worth of columns of W for it
///   spread(x)                those numbers in every lane; spread(x, count) those that there are
///   add(sums, x, w)          sums + x * w
template <class Multiply>
struct Tiles {
  using X = typename Multiply::X;
  using W = typename Multiply::W;
  using Sums = typename Multiply::Sums;
  using Out = typename Multiply::Out;
  static constexpr std::size_t kRows = kMostRows;
  static constexpr std::size_t kDepthPerStep = Multiply::kDepth;
  using Next = Ahead<kDepthPerStep * kPanelColumns * sizeof(W) / kCacheLine>;

  static std::size_t panel_size(std::size_t depth) { return round_up(depth, kDepthPerStep) * kPanelColumns; }

  template <std::size_t... Row>
  static void compute(std::index_sequence<Row...>, const Tile<X, W, Out>& t, Next next) {
    compute_vectors(std::make_index_sequence<sizeof...(Row) * kPanelVectors>(), t, next);
  }

 private:
  /// A vector of each row and column of vectors. The loops over them are fold expressions: GCC keeps an array
  /// in registers only when every index is a constant from the start.
  template <std::size_t... I>
  [[gnu::noinline]] static void compute_vectors(std::index_sequence<I...>, const Tile<X, W, Out>& t,
                                                Next next) {
    constexpr std::size_t kW = kPanelVectors;
    Sums sums[sizeof...(I)];
    const auto place = [&](std::size_t i) { return t.out + i / kW * t.out_stride + i % kW * kLanes; };
    ((sums[I] = Sums{}), ...);
    (__builtin_prefetch(place(I), 1, 3), ...);  // to be at hand when the sums are written
    if (t.adds) ((sums[I] = load(place(I))), ...);
    Rows<X> x(t.x, t.x_stride);
    const W* w = t.panel;
    std::size_t k = 0;
    for (; k + kDepthPerStep <= t.depth; k += kDepthPerStep) {
      next.step();
      ((sums[I] = Multiply::add(sums[I], Multiply::spread(x.template at<I / kW>()), vector_of(w, I % kW))),
       ...);
      x.advance(kDepthPerStep);
      w += kDepthPerStep * kPanelColumns;
    }
    if constexpr (kDepthPerStep > 1) {
      if (const std::size_t rest = t.depth - k; rest > 0) {
        ((sums[I] =
              Multiply::add(sums[I], Multiply::spread(x.template at<I / kW>(), rest), vector_of(w, I % kW))),
         ...);
      }
    }
    (store(place(I), sums[I]), ...);
  }

  [[gnu::always_inline]] static auto vector_of(const W* w, std::size_t i) {
    return Multiply::load(w + i * kDepthPerStep * kLanes);
  }
};

struct MultiplyFloats {
  using X = float;
  using W = float;
  using Sums = Vector;
  using Out = float;
  static constexpr std::size_t kDepth = 1;
  [[gnu::always_inline]] static Vector load(const float* w) { return encoder::load(w); }
  [[gnu::always_inline]] static Vector spread(const float* x) { return splat(*x); }
  [[gnu::always_inline]] static Vector add(Vector sums, Vector x, Vector w) { return sums + x * w; }
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
  const std::size_t stride = (kCacheLine + passes - 1) / passes;
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
