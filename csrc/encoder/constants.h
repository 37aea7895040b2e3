#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace albert_fast::encoder {

/// A constant of a graph: its type (ort::ElementType), its shape, and where its numbers lie, which belong to
/// somebody else.
struct Constant {
  int element_type = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

using Constants = std::map<std::string, Constant>;

}  // namespace albert_fast::encoder
