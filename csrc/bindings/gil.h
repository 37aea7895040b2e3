#pragma once

#include <Python.h>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

#include "base/end_of_process.h"

namespace albert_fast::bindings {

/// Whether the interpreter is going away. A thread that asks for its lock then is ended by Python
/// before 3.14, by a forced unwinding that no C++ in between survives.
inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

/// Whether the calling thread has no more business here: the interpreter goes, and another thread ends it.
/// The thread that does may still run what objects do when they go.
inline bool is_left_behind() { return is_finalizing() && !is_main_thread(); }

/// Does something that takes the interpreter's lock, or, as in Python 3.14, waits for the process to end.
template <class Take>
void take_gil(Take take) {
  if (is_left_behind()) wait_for_the_end();
#if defined(__GLIBCXX__)
  try {
    take();
  } catch (abi::__forced_unwind&) {  // it began to end meanwhile
    wait_for_the_end();
  }
#else
  take();
#endif
}

/// Gives the interpreter's lock to others for as long as it lives.
class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;
  ~ReleasedGil() {
    take_gil([this] { PyEval_RestoreThread(state_); });
  }

 private:
  PyThreadState* state_;
};

}  // namespace albert_fast::bindings
