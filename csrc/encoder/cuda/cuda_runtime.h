#pragma once

#include <cstddef>

namespace albert_fast::encoder::cuda {

/// The functions of CUDA's runtime library that we call ourselves. Nothing is linked: they are those of the
/// library that ONNX Runtime's provider has opened. Every function returns 0 for success.
struct CudaRuntime {
  int (*get_device)(int*) = nullptr;
  int (*set_device)(int) = nullptr;
  int (*host_alloc)(void**, std::size_t, unsigned flags) = nullptr;
  int (*free_host)(void*) = nullptr;
  int (*malloc)(void**, std::size_t) = nullptr;
  int (*free)(void*) = nullptr;
  int (*memcpy_async)(void* to, const void* from, std::size_t, int kind, void* stream) = nullptr;
  int (*stream_create)(void** stream, unsigned flags) = nullptr;
  int (*stream_destroy)(void*) = nullptr;
  int (*stream_synchronize)(void*) = nullptr;
  int (*stream_end_capture)(void* stream, void** graph) = nullptr;
  int (*graph_destroy)(void*) = nullptr;
  int (*get_last_error)() = nullptr;
  const char* (*error_string)(int) = nullptr;

  /// Null until a provider has been opened.
  static const CudaRuntime* find();

  /// Forgets a failure that `code` says: CUDA would tell it again to whoever asks the thread for its last
  /// error, as ONNX Runtime does after its kernels. Returns `code`.
  int handled(int code) const noexcept {
    if (code != 0) get_last_error();
    return code;
  }
};

inline constexpr unsigned kPortable = 1;     // pinned memory: for all devices
inline constexpr unsigned kNonBlocking = 1;  // a stream that does not wait for the default one
inline constexpr int kCopyDefault = 4;       // the addresses say which way

/// Makes `device` the calling thread's for as long as it lives; which one that was before is the caller's
/// business (PyTorch keeps its own there). Does nothing before a provider has been opened.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device);
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  ~CurrentDevice();
  /// What CUDA answered: 0 if the device is set.
  [[nodiscard]] int code() const { return code_; }

 private:
  const CudaRuntime* cuda_;
  int before_ = 0;
  int code_ = 0;
};

}  // namespace albert_fast::encoder::cuda
