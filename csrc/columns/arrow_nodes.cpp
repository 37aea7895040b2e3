#include "columns/arrow_nodes.h"

#include <cstring>

namespace albert_fast::columns {
namespace {

void append_int(std::int32_t value, std::string& out) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

std::string encode_metadata(const ArrowMetadata& metadata) {
  std::string out;
  if (metadata.empty()) return out;
  append_int(static_cast<std::int32_t>(metadata.size()), out);
  for (const auto& [key, value] : metadata) {
    for (const std::string& text : {key, value}) {
      append_int(static_cast<std::int32_t>(text.size()), out);
      out += text;
    }
  }
  return out;
}

struct OwnedSchema {
  std::string format;
  std::string name;
  std::string metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

struct OwnedArray {
  std::vector<const void*> buffers;
  std::vector<std::shared_ptr<const void>> owners;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

// A consumer may have moved a child out; it has set the child's release to null then.
template <class Struct, class Owned>
void release(Struct* node) {
  auto* owned = static_cast<Owned*>(node->private_data);
  for (Struct& child : owned->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete owned;
  node->release = nullptr;
}

}  // namespace

void write_schema(SchemaNode node, ArrowSchema* out) {
  auto owned = std::make_unique<OwnedSchema>();
  owned->format = std::move(node.format);
  owned->name = std::move(node.name);
  owned->metadata = encode_metadata(node.metadata);
  owned->children.resize(node.children.size());
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    write_schema(std::move(node.children[i]), &owned->children[i]);
    owned->pointers.push_back(&owned->children[i]);
  }
  *out = {owned->format.c_str(),
          owned->name.c_str(),
          owned->metadata.empty() ? nullptr : owned->metadata.data(),
          node.nullable ? arrow::kNullable : 0,
          static_cast<std::int64_t>(owned->children.size()),
          owned->pointers.data(),
          nullptr,
          &release<ArrowSchema, OwnedSchema>,
          nullptr};
  out->private_data = owned.release();
}

void write_array(ArrayNode node, ArrowArray* out) {
  auto owned = std::make_unique<OwnedArray>();
  owned->buffers = std::move(node.buffers);
  owned->owners = std::move(node.owners);
  owned->children.resize(node.children.size());
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    write_array(std::move(node.children[i]), &owned->children[i]);
    owned->pointers.push_back(&owned->children[i]);
  }
  *out = {node.length,
          node.nulls,
          0,
          static_cast<std::int64_t>(owned->buffers.size()),
          static_cast<std::int64_t>(owned->children.size()),
          owned->buffers.data(),
          owned->pointers.data(),
          nullptr,
          &release<ArrowArray, OwnedArray>,
          nullptr};
  out->private_data = owned.release();
}

}  // namespace albert_fast::columns
