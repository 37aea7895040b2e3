#include "columns/arrow.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

namespace albert_fast::columns {
namespace {

using Offsets = std::vector<std::int32_t>;

// Bounds of one array: what its 32-bit offsets must reach. Texts are counted with the metadata that was given
// as texts; the other metadata takes up to about 60 bytes for each annotation.
constexpr std::int64_t kMaxOffset = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxTextBytes = std::int64_t{1} << 29;
constexpr std::int64_t kMaxAnnotations = std::int64_t{1} << 23;

SchemaNode schema_of(const std::string& name, const ArrowMetadata& metadata) {
  SchemaNode entries{"+s", "entries", false, {{"u", "key", false, {}, {}}, {"u", "value", true, {}, {}}}, {}};
  SchemaNode annotation{"+s",
                        "element",
                        true,
                        {{"u", "annotatorType", true, {}, {}},
                         {"i", "begin", false, {}, {}},
                         {"i", "end", false, {}, {}},
                         {"u", "result", true, {}, {}},
                         {"+m", "metadata", true, {std::move(entries)}, {}},
                         {"+l", "embeddings", true, {{"f", "element", false, {}, {}}}, {}}},
                        {}};
  return {"+l", name, true, {std::move(annotation)}, metadata};
}

/// An array of strings that were collected one behind the other; without nulls.
class StringArray {
 public:
  [[nodiscard]] std::string& bytes() { return bytes_; }
  void end_string() {
    if (bytes_.size() > static_cast<std::size_t>(kMaxOffset)) {
      throw std::length_error("an Arrow array cannot hold more than 2 GiB of text");
    }
    offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
  }
  [[nodiscard]] ArrayNode take() {
    ArrayNode node;
    node.length = static_cast<std::int64_t>(offsets_.size()) - 1;
    node.buffers.push_back(nullptr);
    node.add_buffer(std::move(offsets_));
    node.add_buffer(std::vector<char>(bytes_.begin(), bytes_.end()));
    return node;
  }

 private:
  std::string bytes_;
  Offsets offsets_{0};
};

struct Range {
  std::size_t first;
  std::size_t last;
  [[nodiscard]] std::size_t size() const { return last - first; }
};

ArrayNode integers(const std::shared_ptr<const AnnotationColumn>& column,
                   const std::vector<std::int32_t>& values, Range range) {
  ArrayNode node;
  node.length = static_cast<std::int64_t>(range.size());
  node.buffers = {nullptr, values.data() + range.first};
  node.owners.push_back(column);
  return node;
}

template <class Append>
ArrayNode strings(Range range, Append append) {
  StringArray array;
  for (std::size_t i = range.first; i < range.last; ++i) {
    append(i, array.bytes());
    array.end_string();
  }
  return array.take();
}

ArrayNode metadata_maps(const AnnotationColumn& column, Range range) {
  Offsets offsets{0};
  StringArray keys, values;
  std::int32_t entries = 0;
  for (std::size_t i = range.first; i < range.last; ++i) {
    for (const MetadataField& field : column.metadata) {
      if (!append_value(column, field, i, values.bytes())) continue;
      values.end_string();
      keys.bytes() += field.key;
      keys.end_string();
      ++entries;
    }
    offsets.push_back(entries);
  }
  ArrayNode pairs;
  pairs.length = entries;
  pairs.buffers.push_back(nullptr);
  pairs.children.push_back(keys.take());
  pairs.children.push_back(values.take());
  ArrayNode maps;
  maps.length = static_cast<std::int64_t>(range.size());
  maps.buffers.push_back(nullptr);
  maps.add_buffer(std::move(offsets));
  maps.children.push_back(std::move(pairs));
  return maps;
}

ArrayNode vectors(const AnnotationColumn& column, Range range) {
  ArrayNode lists, floats;
  Offsets offsets{0};
  const float* data = nullptr;
  std::int64_t count = 0;
  const auto dimension = static_cast<std::int32_t>(column.vectors == nullptr ? 0 : column.vectors->dimension);
  for (std::size_t i = range.first; i < range.last; ++i) {
    const std::uint32_t row = column.vector_row(i);
    if (row != AnnotationColumn::kNoVector) {
      if (data == nullptr)
        data = column.vectors->values.data() + std::size_t{row} * static_cast<std::size_t>(dimension);
      count += dimension;
    }
    offsets.push_back(static_cast<std::int32_t>(count));
  }
  floats.length = count;
  floats.buffers = {nullptr, data};
  floats.owners.push_back(column.vectors);
  lists.length = static_cast<std::int64_t>(range.size());
  lists.buffers.push_back(nullptr);
  lists.add_buffer(std::move(offsets));
  lists.children.push_back(std::move(floats));
  return lists;
}

/// Bytes of an annotation's texts: its result, and its metadata in so far as it was given as texts.
std::int64_t text_bytes(const AnnotationColumn& column, std::size_t annotation) {
  std::size_t bytes = column.result.views[annotation].size();
  for (const MetadataField& field : column.metadata) {
    if (const auto* texts = std::get_if<Strings>(&field.value)) {
      bytes += std::max(texts->views[annotation].size(), field.key.size());
    }
  }
  return static_cast<std::int64_t>(bytes);
}

class Exporter {
 public:
  Exporter(std::shared_ptr<const AnnotationColumn> column, const std::string& name,
           const ArrowMetadata& metadata)
      : column_(std::move(column)), name_(name), metadata_(metadata) {}

  void schema(ArrowSchema* out) const { write_schema(schema_of(name_, metadata_), out); }

  /// The next array, or false behind the last one.
  bool next(ArrowArray* out) {
    if (row_ == column_->rows() && started_) return false;
    started_ = true;
    const std::size_t end = end_of_chunk();
    write_array(rows(row_, end), out);
    row_ = end;
    return true;
  }

  std::string error;

 private:
  // At least one row; a column without rows gives one empty array, so that its type is known.
  [[nodiscard]] std::size_t end_of_chunk() const {
    const std::int64_t first = column_->row_splits[row_];
    const std::int64_t dimension =
        column_->vectors == nullptr ? 1 : std::max<std::int64_t>(1, column_->vectors->dimension);
    const std::int64_t most = std::min(kMaxAnnotations, kMaxOffset / dimension);
    std::int64_t bytes = 0;
    std::size_t row = row_;
    while (row < column_->rows()) {
      for (std::int64_t i = column_->row_splits[row]; i < column_->row_splits[row + 1]; ++i) {
        bytes += text_bytes(*column_, static_cast<std::size_t>(i));
      }
      if (column_->row_splits[row + 1] - first > most || bytes > kMaxTextBytes) break;
      ++row;
    }
    if (row == row_ && row < column_->rows()) {
      throw std::length_error("row " + std::to_string(row) +
                              " has more annotations, or longer texts, than one Arrow array holds");
    }
    return row;
  }

  [[nodiscard]] ArrayNode rows(std::size_t first, std::size_t last) const {
    const AnnotationColumn& column = *column_;
    const Range range{static_cast<std::size_t>(column.row_splits[first]),
                      static_cast<std::size_t>(column.row_splits[last])};
    Offsets splits;
    for (std::size_t row = first; row <= last; ++row) {
      splits.push_back(static_cast<std::int32_t>(column.row_splits[row] - column.row_splits[first]));
    }
    ArrayNode annotations;
    annotations.length = static_cast<std::int64_t>(range.size());
    annotations.buffers.push_back(nullptr);
    annotations.children.push_back(
        strings(range, [&](std::size_t, std::string& out) { out += name_of(column.type); }));
    annotations.children.push_back(integers(column_, column.begin, range));
    annotations.children.push_back(integers(column_, column.end, range));
    annotations.children.push_back(
        strings(range, [&](std::size_t i, std::string& out) { out += column.result.views[i]; }));
    annotations.children.push_back(metadata_maps(column, range));
    annotations.children.push_back(vectors(column, range));
    ArrayNode lists;
    lists.length = static_cast<std::int64_t>(last - first);
    lists.buffers.push_back(nullptr);
    lists.add_buffer(std::move(splits));
    lists.children.push_back(std::move(annotations));
    return lists;
  }

  std::shared_ptr<const AnnotationColumn> column_;
  std::string name_;
  ArrowMetadata metadata_;
  std::size_t row_ = 0;
  bool started_ = false;
};

Exporter& exporter_of(ArrowArrayStream* stream) { return *static_cast<Exporter*>(stream->private_data); }

template <class Work>
int guarded(ArrowArrayStream* stream, Work work) noexcept {
  try {
    work(exporter_of(stream));
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::exception& error) {
    try {
      exporter_of(stream).error = error.what();
    } catch (...) {
      return ENOMEM;
    }
    return EINVAL;
  }
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [out](const Exporter& exporter) { exporter.schema(out); });
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  return guarded(stream, [out](Exporter& exporter) {
    if (!exporter.next(out)) *out = {};
  });
}

const char* get_last_error(ArrowArrayStream* stream) {
  const std::string& error = exporter_of(stream).error;
  return error.empty() ? nullptr : error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
  delete &exporter_of(stream);
  stream->release = nullptr;
}

}  // namespace

void export_schema(const std::string& name, const ArrowMetadata& metadata, ArrowSchema* out) {
  write_schema(schema_of(name, metadata), out);
}

void export_stream(std::shared_ptr<const AnnotationColumn> column, const std::string& name,
                   const ArrowMetadata& metadata, ArrowArrayStream* out) {
  auto exporter = std::make_unique<Exporter>(std::move(column), name, metadata);
  *out = {&get_schema, &get_next, &get_last_error, &release_stream, exporter.get()};
  (void)exporter.release();  // the stream deletes it
}

}  // namespace albert_fast::columns
