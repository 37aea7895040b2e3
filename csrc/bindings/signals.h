#pragma once

#include <pybind11/pybind11.h>

namespace albert_fast::bindings {

/// Lets Python's signal handlers run; false when one of them raised.
inline bool no_signal_raised() {
  const pybind11::gil_scoped_acquire gil;
  return PyErr_CheckSignals() == 0;
}

}  // namespace albert_fast::bindings
