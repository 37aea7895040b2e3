#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "columns/annotation_column.h"

namespace albert_fast::columns {

/// Where an annotation stands: addresses in the text, or offsets.
struct Place {
  std::intptr_t begin = 0;
  std::intptr_t end = 0;  // behind the last
};

/// Whether two columns stand in one text, so that places in it tell more than offsets, which begin anew in
/// every document of a row.
[[nodiscard]] bool share_text(const AnnotationColumn& a, const AnnotationColumn& b);

[[nodiscard]] Place place_of(const AnnotationColumn& column, std::size_t annotation, bool in_text);

/// Finds the annotations of one row that lie within a place, in their order.
class RowPlaces {
 public:
  RowPlaces(const AnnotationColumn& column, bool in_text) : column_(column), in_text_(in_text) {}

  void use_row(std::size_t row);
  /// Valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> within(Place place);

 private:
  [[nodiscard]] std::intptr_t begin_of(std::uint32_t annotation) const {
    return place_of(column_, annotation, in_text_).begin;
  }

  const AnnotationColumn& column_;
  bool in_text_;
  std::vector<std::uint32_t> order_;  // the row's annotations by begin
  bool in_order_ = true;
  std::vector<std::uint32_t> found_;
};

}  // namespace albert_fast::columns
