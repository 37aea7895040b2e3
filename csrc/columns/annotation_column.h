#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/aligned_buffer.h"
#include "columns/strings.h"

namespace albert_fast::columns {

enum class AnnotatorType : std::uint8_t { document, token, chunk, word_embeddings, sentence_embeddings };
[[nodiscard]] std::string_view name_of(AnnotatorType type);

/// One key of Spark NLP's metadata maps for all annotations of a column. It is written out as text only for
/// whom looks at it.
struct MetadataField {
  struct Result {};                           // the annotation's own result
  using Numbers = std::vector<std::int32_t>;  // [annotations]
  using Flags = std::vector<std::uint8_t>;    // [annotations], "true" or "false"
  std::string key;
  std::variant<std::string, Result, Numbers, Flags, Strings> value;  // a string: the same for all
};

/// Vectors in rows: [rows, dimension].
struct Matrix {
  AlignedBuffer<float> values;
  std::int64_t rows = 0;
  std::int64_t dimension = 0;
};

/// A column of Spark NLP annotations as a struct of arrays: the annotations of all rows one after the other.
/// A value that nobody changes once a stage has made it; copies share texts and vectors.
struct AnnotationColumn {
  static constexpr std::uint32_t kNoVector = 0xFFFFFFFF;
  static constexpr std::int32_t kNoDocument = -1;

  AnnotatorType type = AnnotatorType::document;
  bool utf16 = false;                    // what begin and end count: UTF-16 units, else code points
  std::vector<std::int64_t> row_splits;  // [rows + 1]
  std::vector<std::int32_t> begin;       // [annotations], in the row's text
  std::vector<std::int32_t> end;  // the last character, so that an empty annotation ends before it begins
  /// [annotations]: in which document of its row each stands, or kNoDocument. Empty: nobody counted, as where
  /// every row is one document.
  std::vector<std::int32_t> documents;
  Strings result;
  std::vector<MetadataField> metadata;    // in the order in which Spark NLP lists the keys
  std::shared_ptr<const Matrix> vectors;  // null: none
  /// Row of `vectors` of each annotation, ascending; empty: they have one each, in order.
  std::vector<std::uint32_t> vector_rows;

  [[nodiscard]] std::size_t rows() const { return row_splits.size() - 1; }
  [[nodiscard]] std::size_t size() const { return begin.size(); }
  /// What an annotation made of this one has in its `documents`.
  [[nodiscard]] std::int32_t document_of(std::size_t annotation) const {
    return documents.empty() ? kNoDocument : documents[annotation];
  }
  [[nodiscard]] const MetadataField* find(std::string_view key) const;
  /// Row of `vectors`, or kNoVector.
  [[nodiscard]] std::uint32_t vector_row(std::size_t annotation) const;
};

/// The numbers in the metadata "sentence"; 0 where there is none, as Spark NLP reads it.
MetadataField::Numbers sentence_numbers(const AnnotationColumn& column);

/// One metadata value as text, appended to `out`; false where the annotation lacks the key.
bool append_value(const AnnotationColumn& column, const MetadataField& field, std::size_t annotation,
                  std::string& out);

/// The rows `rows` of a column, in that order; a row may come several times. Texts stay shared, vectors are
/// copied.
AnnotationColumn take_rows(const AnnotationColumn& column, const std::vector<std::int64_t>& rows);

/// One row for every annotation (Spark NLP's explodeSentences).
AnnotationColumn explode(const AnnotationColumn& column);

/// As Java's Float.toString writes numbers ("0.5", "1.0E-4"), which Spark NLP's Finisher shows.
void append_float(float value, std::string& out);

}  // namespace albert_fast::columns
