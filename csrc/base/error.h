#pragma once

#include <stdexcept>  // std::runtime_error
#include <string>
#include <utility>

namespace albert_fast {

/// What went wrong, in the terms of the Python exception classes (`albert_fast/errors.py`).
enum class ErrorCode {
  invalid_input,       // InputError: the caller's text, shape or option
  corrupt_model,       // CorruptModelError: a file that lies about itself
  missing_dependency,  // MissingDependencyError: no usable ONNX Runtime
  device,              // DeviceError: the device refused or is not there
  out_of_memory,       // MemoryError, with the size that was asked for
  forked,              // ForkError: a model of the parent process used in a child
  cancelled,           // KeyboardInterrupt is already set in Python
  internal,            // AlbertFastError: our own mistake, please report
};

/// The only exception that leaves the core. Messages say what, why and the fix.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

[[noreturn]] inline void fail(ErrorCode code, const std::string& message) { throw Error(code, message); }

}  // namespace albert_fast
