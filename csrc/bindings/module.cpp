#include <pybind11/pybind11.h>

#include "base/error.h"
#include "bindings/registers.h"
#include "ort/run_gate.h"

namespace py = pybind11;

namespace {

const char* class_of(albert_fast::ErrorCode code) {
  using albert_fast::ErrorCode;
  switch (code) {
    case ErrorCode::invalid_input:
      return "InputError";
    case ErrorCode::corrupt_model:
      return "CorruptModelError";
    case ErrorCode::missing_dependency:
      return "MissingDependencyError";
    case ErrorCode::device:
      return "DeviceError";
    case ErrorCode::forked:
      return "ForkError";
    case ErrorCode::out_of_memory:
    case ErrorCode::cancelled:
    case ErrorCode::internal:
      break;
  }
  return "AlbertFastError";
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const albert_fast::Error& error) {
    // Cancelled means that a signal handler has raised (KeyboardInterrupt, as a rule): that is the error to
    // show.
    if (error.code() == albert_fast::ErrorCode::cancelled && PyErr_Occurred() != nullptr) return;
    if (error.code() == albert_fast::ErrorCode::out_of_memory) {
      PyErr_SetString(PyExc_MemoryError, error.what());
      return;
    }
    const py::object type = py::module_::import("albert_fast.errors").attr(class_of(error.code()));
    PyErr_SetString(type.ptr(), error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled core of albert_fast. Its names are private; use the package.";
  m.attr("__version__") = ALBERT_FAST_VERSION;
  py::register_local_exception_translator(translate);
  // When the interpreter has gone and before ONNX Runtime goes. Not earlier, by Python's atexit: handlers of
  // the user's may still embed then, and wait for threads that do.
  Py_AtExit(&albert_fast::ort::RunGate::close);
  albert_fast::bindings::register_runtime(m);
  albert_fast::bindings::register_text(m);
  albert_fast::bindings::register_sentencepiece(m);
  albert_fast::bindings::register_columns(m);
  albert_fast::bindings::register_stages(m);
  albert_fast::bindings::register_device_rows(m);
  albert_fast::bindings::register_engine(m);
  albert_fast::bindings::register_cuda(m);
}
