#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "columns/annotation_column.h"

namespace albert_fast::columns {

/// How annotations are found within others.
enum class FindBy : std::uint8_t {
  place,        // each in its own document
  loose_place,  // the same, and what they are found in may overlap, as chunks do
  offsets,      // as Spark NLP, to which all documents of a row are one
};

/// Finds, row by row, the annotations of a column of words that lie within those of a column of spans
/// (sentences, documents, chunks), in their order.
///
/// Offsets begin anew in every document of a row. Where both columns know their documents, these tell them
/// apart. Where places are ambiguous (words or spans overlap), each word must name its span by the metadata
/// "sentence" and stand in the span's text at its offsets; else the row is refused.
class RowPlaces {
 public:
  RowPlaces(const AnnotationColumn& spans, const AnnotationColumn& words, FindBy find_by);

  void use_row(std::size_t row);
  /// The words of a span of that row, or the first `most` of them. Valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> within(
      std::size_t span, std::size_t most = std::numeric_limits<std::size_t>::max());

 private:
  [[nodiscard]] bool use_numbers(std::size_t row);
  [[nodiscard]] std::span<const std::uint32_t> of_number(std::int32_t number) const;

  const AnnotationColumn& spans_;
  const AnnotationColumn& words_;
  FindBy find_by_;
  bool by_document_ = false;
  bool by_number_ = false;
  MetadataField::Numbers span_numbers_;  // read when the first row needs them
  MetadataField::Numbers word_numbers_;
  std::vector<std::uint32_t> order_;  // the row's words by place, or by number
  bool in_order_ = true;
  std::vector<std::uint32_t> found_;
};

}  // namespace albert_fast::columns
