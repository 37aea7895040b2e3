#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace albert_fast::columns {

/// Rows of float32 that stay in the memory of the device that made them. The address means nothing to the
/// processor unless `on_host` says so (a rehearsal of the device).
struct DeviceRows {
  float* data = nullptr;
  std::size_t count = 0;  // numbers
  int device = 0;
  bool on_host = false;
  std::uint64_t generation = 0;       // of the process that made them, see ort::fork_generation
  std::shared_ptr<const void> owner;  // frees the memory
};

}  // namespace albert_fast::columns
