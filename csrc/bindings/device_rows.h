#pragma once

#include <cstdint>

#include "columns/device_rows.h"

namespace albert_fast::bindings {

/// Rows on a device as Python gets them; parts share their memory.
struct DeviceMatrix {
  columns::DeviceRows rows;
  std::int64_t count = 0;
  std::int64_t hidden = 0;
};

}  // namespace albert_fast::bindings
