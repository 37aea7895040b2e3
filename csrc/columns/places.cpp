#include "columns/places.h"

#include <algorithm>
#include <numeric>

namespace albert_fast::columns {

bool share_text(const AnnotationColumn& a, const AnnotationColumn& b) {
  return a.text().bytes != nullptr && a.text().bytes == b.text().bytes;
}

Place place_of(const AnnotationColumn& column, std::size_t annotation, bool in_text) {
  if (!in_text) return {column.begin[annotation], std::intptr_t{column.end[annotation]} + 1};
  const std::string_view view = column.text().views[annotation];
  const auto begin = reinterpret_cast<std::intptr_t>(view.data());
  return {begin, begin + static_cast<std::intptr_t>(view.size())};
}

void RowPlaces::use_row(std::size_t row) {
  order_.resize(static_cast<std::size_t>(column_.row_splits[row + 1] - column_.row_splits[row]));
  std::iota(order_.begin(), order_.end(), static_cast<std::uint32_t>(column_.row_splits[row]));
  const auto before = [this](std::uint32_t a, std::uint32_t b) { return begin_of(a) < begin_of(b); };
  in_order_ = std::is_sorted(order_.begin(), order_.end(), before);
  if (!in_order_) std::stable_sort(order_.begin(), order_.end(), before);
}

std::span<const std::uint32_t> RowPlaces::within(Place place) {
  found_.clear();
  auto next = std::partition_point(order_.begin(), order_.end(),
                                   [&](std::uint32_t a) { return begin_of(a) < place.begin; });
  for (; next != order_.end(); ++next) {
    const Place own = place_of(column_, *next, in_text_);
    if (own.begin > place.end) break;
    if (own.end <= place.end) found_.push_back(*next);
  }
  if (!in_order_) std::sort(found_.begin(), found_.end());
  return found_;
}

}  // namespace albert_fast::columns
