#include "columns/annotation_column.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace albert_fast::columns {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang before 17 does not deduce it

template <class T>
std::vector<T> pick(const std::vector<T>& values, const std::vector<std::size_t>& picked) {
  std::vector<T> result;
  result.reserve(picked.size());
  for (const std::size_t i : picked) result.push_back(values[i]);
  return result;
}

void pick_metadata(AnnotationColumn& column, const std::vector<std::size_t>& picked) {
  for (MetadataField& field : column.metadata) {
    std::visit(Overloaded{[](std::string&) {}, [](MetadataField::Result) {},
                          [&](MetadataField::Numbers& numbers) { numbers = pick(numbers, picked); },
                          [&](MetadataField::Flags& flags) { flags = pick(flags, picked); },
                          [&](Strings& strings) { strings.views = pick(strings.views, picked); }},
               field.value);
  }
}

// Rows of a matrix ascend with the annotations and leave no gaps: Arrow's lists want it so.
void pick_vectors(AnnotationColumn& column, const AnnotationColumn& from,
                  const std::vector<std::size_t>& picked) {
  if (from.vectors == nullptr) return;
  const Matrix& old = *from.vectors;
  column.vector_rows.clear();
  std::vector<std::uint32_t> wanted;
  bool all = true;
  for (const std::size_t i : picked) {
    const std::uint32_t row = from.vector_row(i);
    column.vector_rows.push_back(
        row == AnnotationColumn::kNoVector ? row : static_cast<std::uint32_t>(wanted.size()));
    if (row == AnnotationColumn::kNoVector) {
      all = false;
    } else {
      wanted.push_back(row);
    }
  }
  if (all) column.vector_rows.clear();
  auto matrix = std::make_shared<Matrix>();
  matrix->rows = static_cast<std::int64_t>(wanted.size());
  matrix->dimension = old.dimension;
  const auto dimension = static_cast<std::size_t>(old.dimension);
  matrix->values = AlignedBuffer<float>(wanted.size() * dimension);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::memcpy(matrix->values.data() + i * dimension, old.values.data() + wanted[i] * dimension,
                dimension * sizeof(float));
  }
  column.vectors = std::move(matrix);
}

}  // namespace

std::string_view name_of(AnnotatorType type) {
  switch (type) {
    case AnnotatorType::document:
      return "document";
    case AnnotatorType::token:
      return "token";
    case AnnotatorType::chunk:
      return "chunk";
    case AnnotatorType::word_embeddings:
      return "word_embeddings";
    case AnnotatorType::sentence_embeddings:
      return "sentence_embeddings";
  }
  return "";
}

const MetadataField* AnnotationColumn::find(std::string_view key) const {
  const auto found = std::find_if(metadata.begin(), metadata.end(),
                                  [key](const MetadataField& field) { return field.key == key; });
  return found == metadata.end() ? nullptr : &*found;
}

std::uint32_t AnnotationColumn::vector_row(std::size_t annotation) const {
  if (vectors == nullptr) return kNoVector;
  return vector_rows.empty() ? static_cast<std::uint32_t>(annotation) : vector_rows[annotation];
}

bool append_value(const AnnotationColumn& column, const MetadataField& field, std::size_t annotation,
                  std::string& out) {
  return std::visit(Overloaded{[&](const std::string& constant) {
                                 out += constant;
                                 return true;
                               },
                               [&](MetadataField::Result) {
                                 out += column.result.views[annotation];
                                 return true;
                               },
                               [&](const MetadataField::Numbers& numbers) {
                                 std::array<char, 12> text{};
                                 const auto done = std::to_chars(text.data(), text.data() + text.size(),
                                                                 numbers[annotation]);
                                 out.append(text.data(), done.ptr);
                                 return true;
                               },
                               [&](const MetadataField::Flags& flags) {
                                 out += flags[annotation] != 0 ? "true" : "false";
                                 return true;
                               },
                               [&](const Strings& strings) {
                                 const std::string_view value = strings.views[annotation];
                                 out += value;
                                 return value.data() != nullptr;
                               }},
                    field.value);
}

MetadataField::Numbers sentence_numbers(const AnnotationColumn& column) {
  MetadataField::Numbers result(column.size(), 0);
  const MetadataField* field = column.find("sentence");
  if (field == nullptr) return result;
  if (const auto* numbers = std::get_if<MetadataField::Numbers>(&field->value)) return *numbers;
  std::string text;
  for (std::size_t i = 0; i < result.size(); ++i) {
    text.clear();
    append_value(column, *field, i, text);
    std::from_chars(text.data(), text.data() + text.size(), result[i]);
  }
  return result;
}

AnnotationColumn take_rows(const AnnotationColumn& column, const std::vector<std::int64_t>& rows) {
  AnnotationColumn taken;
  taken.type = column.type;
  taken.utf16 = column.utf16;
  taken.row_splits.reserve(rows.size() + 1);
  taken.row_splits.push_back(0);
  std::vector<std::size_t> picked;
  for (const std::int64_t row : rows) {
    const auto at = static_cast<std::size_t>(row);
    for (std::int64_t i = column.row_splits[at]; i < column.row_splits[at + 1]; ++i) {
      picked.push_back(static_cast<std::size_t>(i));
    }
    taken.row_splits.push_back(static_cast<std::int64_t>(picked.size()));
  }
  taken.begin = pick(column.begin, picked);
  taken.end = pick(column.end, picked);
  if (!column.documents.empty()) taken.documents = pick(column.documents, picked);
  taken.result = {column.result.bytes, pick(column.result.views, picked)};
  taken.metadata = column.metadata;
  pick_metadata(taken, picked);
  pick_vectors(taken, column, picked);
  return taken;
}

AnnotationColumn explode(const AnnotationColumn& column) {
  AnnotationColumn exploded = column;
  exploded.row_splits.clear();
  for (std::size_t i = 0; i <= column.size(); ++i)
    exploded.row_splits.push_back(static_cast<std::int64_t>(i));
  return exploded;
}

void append_float(float value, std::string& out) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 32> text{};
  const auto done =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string_view scientific(text.data(), static_cast<std::size_t>(done.ptr - text.data()));
  if (scientific.front() == '-') {
    out += '-';
    scientific.remove_prefix(1);
  }
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const char* digits_of_exponent = scientific.data() + e + 1;
  if (*digits_of_exponent == '+') ++digits_of_exponent;
  std::from_chars(digits_of_exponent, done.ptr, exponent);
  std::string digits(scientific.substr(0, 1));
  if (e > 2) digits += scientific.substr(2, e - 2);
  const auto with_point = [&out](std::string_view whole, std::string_view fraction) {
    out += whole;
    out += '.';
    out += fraction.empty() ? std::string_view("0") : fraction;
  };
  if (value == 0.0F) return with_point("0", "");
  if (exponent < -3 || exponent >= 7) {
    with_point(digits.substr(0, 1), digits.substr(1));
    out += 'E' + std::to_string(exponent);
  } else if (exponent < 0) {
    with_point("0", std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits);
  } else {
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() < whole) digits.append(whole - digits.size(), '0');
    with_point(digits.substr(0, whole), digits.substr(whole));
  }
}

}  // namespace albert_fast::columns
