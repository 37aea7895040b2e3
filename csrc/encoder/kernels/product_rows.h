#pragma once

// How kernels read a row of a product, bias added: behind one interface, numbers or scaled sums of bytes.
#include "encoder/kernels/kernels.h"
#include "encoder/kernels/vector.h"

namespace albert_fast::encoder {
namespace {

class FloatRow {
 public:
  FloatRow(const Product& p, std::size_t row)
      : x_(p.values + (row - p.first_row) * p.columns), bias_(p.bias) {}
  template <class Amount>
  Vector at(std::size_t column, Amount amount) const {
    return load(x_ + column, amount) + load(bias_ + column, amount);
  }

 private:
  const float* x_;
  const float* bias_;
};

class IntegerRow {
 public:
  IntegerRow(const Product& p, std::size_t row)
      : sums_(p.sums + (row - p.first_row) * p.columns),
        scale_(splat(p.row_scales[2 * row])),
        zero_point_(splat(p.row_scales[2 * row + 1])),
        column_scales_(p.column_scales),
        column_sums_(p.column_sums),
        bias_(p.bias) {}
  template <class Amount>
  Vector at(std::size_t column, Amount amount) const {
    const Vector sums = __builtin_convertvector(load(sums_ + column, amount), Vector) -
                        zero_point_ * load(column_sums_ + column, amount);
    return sums * (scale_ * load(column_scales_ + column, amount)) + load(bias_ + column, amount);
  }

 private:
  const std::int32_t* sums_;
  Vector scale_;
  Vector zero_point_;
  const float* column_scales_;
  const float* column_sums_;
  const float* bias_;
};

/// Calls work.operator()<Row>() with the kind of row that `product` has.
template <class Work>
inline void with_row_kind(const Product& product, Work work) {
  if (product.sums != nullptr) {
    work.template operator()<IntegerRow>();
  } else {
    work.template operator()<FloatRow>();
  }
}

}  // namespace
}  // namespace albert_fast::encoder
