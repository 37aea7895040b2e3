#pragma once

#include "bindings/gil.h"

namespace albert_fast::bindings {

/// Lets Python's signal handlers run; false when one of them raised, or when the process is ending. For a
/// thread that released the interpreter's lock.
inline bool no_signal_raised() {
  if (is_left_behind()) return false;
  PyGILState_STATE before{};
  take_gil([&] { before = PyGILState_Ensure(); });
  const bool none = PyErr_CheckSignals() == 0;
  PyGILState_Release(before);
  return none;
}

}  // namespace albert_fast::bindings
