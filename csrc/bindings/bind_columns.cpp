#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "bindings/strings.h"
#include "columns/annotation_column.h"
#include "columns/arrow.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using columns::AnnotationColumn;
using columns::MetadataField;
using Column = std::shared_ptr<AnnotationColumn>;

py::str to_str(std::string_view text) { return py::str(text.data(), text.size()); }

/// A NumPy view of memory that `owner` keeps.
template <class T>
py::array_t<T> view_of(const T* data, std::vector<py::ssize_t> shape, const py::object& owner) {
  return py::array_t<T>(std::move(shape), data, owner);
}

/// Read-only: the core relies on what stands in there.
template <class T>
py::array_t<T> view_of(const Column& column, const std::vector<T>& values) {
  py::array_t<T> view = view_of(values.data(), {static_cast<py::ssize_t>(values.size())}, py::cast(column));
  view.attr("setflags")(py::arg("write") = false);
  return view;
}

std::pair<std::size_t, std::size_t> checked_range(const AnnotationColumn& column, std::int64_t first,
                                                  std::int64_t last) {
  const auto size = static_cast<std::int64_t>(column.size());
  if (first < 0 || first > last || last > size) {
    throw py::index_error("annotations " + std::to_string(first) + " to " + std::to_string(last) +
                          " are outside [0, " + std::to_string(size) + ")");
  }
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last)};
}

py::list results(const AnnotationColumn& column, std::int64_t first, std::int64_t last) {
  const auto [begin, end] = checked_range(column, first, last);
  py::list list(end - begin);
  for (std::size_t i = begin; i < end; ++i) list[i - begin] = to_str(column.result.views[i]);
  return list;
}

py::dict metadata_of(const AnnotationColumn& column, std::size_t annotation) {
  py::dict map;
  std::string value;
  for (const MetadataField& field : column.metadata) {
    value.clear();
    if (columns::append_value(column, field, annotation, value)) map[to_str(field.key)] = to_str(value);
  }
  return map;
}

py::dict metadata(const AnnotationColumn& column, std::int64_t annotation) {
  const auto [at, end] = checked_range(column, annotation, annotation + 1);
  (void)end;
  return metadata_of(column, at);
}

/// (begin, end, result, metadata) of each.
py::list annotations(const AnnotationColumn& column, std::int64_t first, std::int64_t last) {
  const auto [begin, end] = checked_range(column, first, last);
  py::list list(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    list[i - begin] = py::make_tuple(column.begin[i], column.end[i], to_str(column.result.views[i]),
                                     metadata_of(column, i));
  }
  return list;
}

py::list metadata_values(const AnnotationColumn& column, const std::string& key) {
  const MetadataField* field = column.find(key);
  py::list list(column.size());
  std::string value;
  for (std::size_t i = 0; i < column.size(); ++i) {
    value.clear();
    const bool present = field != nullptr && columns::append_value(column, *field, i, value);
    list[i] = present ? py::object(to_str(value)) : py::object(py::none());
  }
  return list;
}

py::list metadata_keys(const AnnotationColumn& column) {
  py::list keys;
  for (const MetadataField& field : column.metadata) keys.append(to_str(field.key));
  return keys;
}

py::object numbers(const Column& column, const std::string& key) {
  const MetadataField* field = column->find(key);
  if (field == nullptr) return py::none();
  if (const auto* values = std::get_if<MetadataField::Numbers>(&field->value))
    return view_of(column, *values);
  if (const auto* flags = std::get_if<MetadataField::Flags>(&field->value)) return view_of(column, *flags);
  return py::none();
}

py::object vectors(const AnnotationColumn& column) {
  if (column.vectors == nullptr) return py::none();
  auto owner = std::make_unique<std::shared_ptr<const columns::Matrix>>(column.vectors);
  const columns::Matrix& matrix = **owner;
  py::capsule capsule(owner.get(),
                      [](void* p) { delete static_cast<std::shared_ptr<const columns::Matrix>*>(p); });
  (void)owner.release();  // the capsule deletes it
  return view_of(matrix.values.data(), {matrix.rows, matrix.dimension}, capsule);
}

py::object vector_rows(const Column& column) {
  if (column->vector_rows.empty()) return py::none();
  return view_of(column, column->vector_rows);
}

py::object documents(const Column& column) {
  if (column->documents.empty()) return py::none();
  return view_of(column, column->documents);
}

columns::Strings strings_from(const py::sequence& values) {
  columns::StringsBuilder builder;
  std::vector<bool> missing;
  for (const py::handle value : values) {
    missing.push_back(value.is_none());
    builder.add(value.is_none() ? std::string_view() : utf8_of(value, "a metadata value"));
  }
  columns::Strings strings = builder.take();
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i]) strings.views[i] = {};
  }
  return strings;
}

/// The same column with one more metadata key; a value of None: that annotation lacks it. An existing key is
/// replaced.
Column with_metadata(const AnnotationColumn& column, const std::string& key, const py::sequence& values) {
  if (py::len(values) != column.size()) {
    fail(ErrorCode::invalid_input, "metadata '" + key + "' has " + std::to_string(py::len(values)) +
                                       " values for " + std::to_string(column.size()) + " annotations");
  }
  auto changed = std::make_shared<AnnotationColumn>(column);
  std::erase_if(changed->metadata, [&](const MetadataField& field) { return field.key == key; });
  changed->metadata.push_back({key, strings_from(values)});
  return changed;
}

columns::AnnotatorType parse_type(const std::string& name) {
  using T = columns::AnnotatorType;
  for (const T type : {T::document, T::token, T::chunk, T::word_embeddings, T::sentence_embeddings}) {
    if (columns::name_of(type) == name) return type;
  }
  fail(ErrorCode::invalid_input, "annotator type '" + name + "' is not one that albert_fast makes or reads");
}

void check_shape(const AnnotationColumn& column) {
  const bool splits_fit = !column.row_splits.empty() && column.row_splits.front() == 0 &&
                          std::is_sorted(column.row_splits.begin(), column.row_splits.end()) &&
                          column.row_splits.back() == static_cast<std::int64_t>(column.size());
  bool fits = splits_fit && column.end.size() == column.size() && column.result.views.size() == column.size();
  fits = fits && (column.documents.empty() || column.documents.size() == column.size());
  if (column.vectors == nullptr) {
    fits = fits && column.vector_rows.empty();
  } else if (column.vector_rows.empty()) {
    fits = fits && column.vectors->rows == static_cast<std::int64_t>(column.size());
  } else {
    std::int64_t next = 0;  // rows ascend and leave no gaps
    for (const std::uint32_t row : column.vector_rows) {
      if (row != AnnotationColumn::kNoVector) fits = fits && std::int64_t{row} == next++;
    }
    fits = fits && next == column.vectors->rows && column.vector_rows.size() == column.size();
  }
  if (!fits) fail(ErrorCode::invalid_input, "the parts of an annotation column do not fit together");
}

/// A column from Python values: how annotations that somebody made or unpickled come in.
Column from_parts(const std::string& type, bool utf16, const Array<std::int64_t>& row_splits,
                  const Array<std::int32_t>& begin, const Array<std::int32_t>& end,
                  const py::sequence& result, const py::dict& metadata,
                  const std::optional<Array<float>>& vectors,
                  const std::optional<Array<std::uint32_t>>& vector_rows,
                  const std::optional<Array<std::int32_t>>& documents) {
  auto column = std::make_shared<AnnotationColumn>();
  column->type = parse_type(type);
  column->utf16 = utf16;
  column->row_splits = to_vector(row_splits);
  column->begin = to_vector(begin);
  column->end = to_vector(end);
  columns::StringsBuilder results;
  for (const py::handle text : result) results.add(utf8_of(text, "a result"));
  column->result = results.take();
  for (const auto& [key, values] : metadata) {
    column->metadata.push_back({key.cast<std::string>(), strings_from(values.cast<py::sequence>())});
    if (std::get<columns::Strings>(column->metadata.back().value).views.size() != column->size()) {
      fail(ErrorCode::invalid_input, "metadata '" + key.cast<std::string>() + "' has too few or many values");
    }
  }
  if (vectors) {
    if (vectors->ndim() != 2) fail(ErrorCode::invalid_input, "vectors must be a matrix");
    auto matrix = std::make_shared<columns::Matrix>();
    matrix->rows = vectors->shape(0);
    matrix->dimension = vectors->shape(1);
    const auto count = static_cast<std::size_t>(vectors->size());
    matrix->values = AlignedBuffer<float>(count);
    if (count > 0) std::memcpy(matrix->values.data(), vectors->data(), count * sizeof(float));
    column->vectors = std::move(matrix);
  }
  if (vector_rows) column->vector_rows = to_vector(*vector_rows);
  if (documents) column->documents = to_vector(*documents);
  check_shape(*column);
  return column;
}

Column take(const AnnotationColumn& column, const Array<std::int64_t>& rows) {
  const std::vector<std::int64_t> wanted = to_vector(rows);
  for (const std::int64_t row : wanted) {
    if (row < 0 || row >= static_cast<std::int64_t>(column.rows())) {
      throw py::index_error("row " + std::to_string(row) + " does not exist; there are " +
                            std::to_string(column.rows()));
    }
  }
  const ReleasedGil released;
  return std::make_shared<AnnotationColumn>(columns::take_rows(column, wanted));
}

/// Each vector as the text that Spark NLP makes of it: numbers joined by `separator`.
py::list vector_texts(const AnnotationColumn& column, std::int64_t first, std::int64_t last,
                      const std::string& separator) {
  const auto [begin, end] = checked_range(column, first, last);
  py::list list(end - begin);
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    text.clear();
    const std::uint32_t row = column.vector_row(i);
    if (row != AnnotationColumn::kNoVector) {
      const auto dimension = static_cast<std::size_t>(column.vectors->dimension);
      const float* vector = column.vectors->values.data() + row * dimension;
      for (std::size_t d = 0; d < dimension; ++d) {
        if (d > 0) text += separator;
        columns::append_float(vector[d], text);
      }
    }
    list[i - begin] = to_str(text);
  }
  return list;
}

template <class Struct>
py::capsule capsule_of(std::unique_ptr<Struct> exported, const char* name) {
  py::capsule capsule(exported.get(), name, [](PyObject* object) {
    auto* kept = static_cast<Struct*>(PyCapsule_GetPointer(object, PyCapsule_GetName(object)));
    if (kept == nullptr) return PyErr_Clear();
    if (kept->release != nullptr) kept->release(kept);
    delete kept;
  });
  (void)exported.release();  // the capsule deletes it
  return capsule;
}

py::capsule arrow_schema(const AnnotationColumn&, const std::string& name,
                         const columns::ArrowMetadata& metadata) {
  auto exported = std::make_unique<ArrowSchema>();
  columns::export_schema(name, metadata, exported.get());
  return capsule_of(std::move(exported), "arrow_schema");
}

py::capsule arrow_stream(const Column& column, const std::string& name,
                         const columns::ArrowMetadata& metadata) {
  auto exported = std::make_unique<ArrowArrayStream>();
  columns::export_stream(column, name, metadata, exported.get());
  return capsule_of(std::move(exported), "arrow_array_stream");
}

}  // namespace

void register_columns(py::module_& m) {
  py::class_<AnnotationColumn, Column>(m, "AnnotationColumn",
                                       "Annotations of all rows of a table as a struct of arrays.")
      .def(py::init(&from_parts), py::arg("type"), py::arg("utf16"), py::arg("row_splits"), py::arg("begin"),
           py::arg("end"), py::arg("result"), py::arg("metadata"), py::arg("vectors") = py::none(),
           py::arg("vector_rows") = py::none(), py::arg("documents") = py::none())
      .def("__len__", &AnnotationColumn::rows)
      .def_property_readonly("type",
                             [](const AnnotationColumn& c) { return to_str(columns::name_of(c.type)); })
      .def_readonly("utf16", &AnnotationColumn::utf16)
      .def_property_readonly("size", &AnnotationColumn::size)
      .def_property_readonly("row_splits", [](const Column& c) { return view_of(c, c->row_splits); })
      .def_property_readonly("begin", [](const Column& c) { return view_of(c, c->begin); })
      .def_property_readonly("end", [](const Column& c) { return view_of(c, c->end); })
      .def_property_readonly("documents", &documents)
      .def_property_readonly("metadata_keys", &metadata_keys)
      .def_property_readonly("vectors", &vectors)
      .def_property_readonly("vector_rows", &vector_rows)
      .def("numbers", &numbers, py::arg("key"))
      .def("results", &results, py::arg("first"), py::arg("last"))
      .def("metadata", &metadata, py::arg("annotation"))
      .def("metadata_values", &metadata_values, py::arg("key"))
      .def("annotations", &annotations, py::arg("first"), py::arg("last"))
      .def("vector_texts", &vector_texts, py::arg("first"), py::arg("last"), py::arg("separator"))
      .def("with_metadata", &with_metadata, py::arg("key"), py::arg("values"))
      .def("take", &take, py::arg("rows"))
      .def("explode",
           [](const AnnotationColumn& c) { return std::make_shared<AnnotationColumn>(columns::explode(c)); })
      .def("arrow_schema", &arrow_schema, py::arg("name"), py::arg("metadata"))
      .def("arrow_stream", &arrow_stream, py::arg("name"), py::arg("metadata"));
}

}  // namespace albert_fast::bindings
