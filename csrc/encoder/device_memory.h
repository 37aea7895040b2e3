#pragma once

#include <span>

#include "columns/device_rows.h"

namespace albert_fast::encoder {

/// The memory of the device that a model computes on, for results that stay there. Every call ends when its
/// work is done. Addresses of the device travel as pointers; nobody here follows them.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  virtual ~DeviceMemory() = default;

  /// Throws `device` when there is not so much.
  [[nodiscard]] virtual columns::DeviceRows make_rows(std::size_t count) const = 0;
  virtual void upload(std::span<const float> host, float* device) const = 0;
  virtual void download(const float* device, std::span<float> host) const = 0;
  /// From one place of the device to another, any number of times.
  struct Copy {
    std::span<const float> from;
    float* to = nullptr;
  };
  virtual void copy(std::span<const Copy> copies) const = 0;
};

}  // namespace albert_fast::encoder
