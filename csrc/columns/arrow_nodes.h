#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow/c_data.h"

namespace albert_fast::columns {

using ArrowMetadata = std::vector<std::pair<std::string, std::string>>;

/// A node of a schema: its format string, name and children. Written into the C struct, which then owns them.
struct SchemaNode {
  std::string format;
  std::string name;
  bool nullable = true;
  std::vector<SchemaNode> children;
  ArrowMetadata metadata;
};
void write_schema(SchemaNode node, ArrowSchema* out);

/// A node of an array: buffers that `owner` keeps alive, and children.
struct ArrayNode {
  std::int64_t length = 0;
  std::int64_t nulls = 0;
  std::vector<const void*> buffers;
  std::vector<std::shared_ptr<const void>> owners;
  std::vector<ArrayNode> children;

  /// Adds the content of a vector as a buffer, which the node keeps.
  template <class T>
  void add_buffer(std::vector<T> values) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(values));
    buffers.push_back(kept->data());
    owners.push_back(std::move(kept));
  }
};
void write_array(ArrayNode node, ArrowArray* out);

}  // namespace albert_fast::columns
