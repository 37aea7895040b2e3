#include "encoder/cuda/cuda_runtime.h"

#include <dlfcn.h>

#include <mutex>
#include <optional>

namespace albert_fast::encoder::cuda {
namespace {

template <class Function>
bool find_function(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(library, name));
  return out != nullptr;
}

std::optional<CudaRuntime> open_runtime() {
  for (const char* name : {"libcudart.so.13", "libcudart.so.12"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) continue;
    CudaRuntime cuda;
    const bool complete = find_function(library, "cudaGetDevice", cuda.get_device) &&
                          find_function(library, "cudaSetDevice", cuda.set_device) &&
                          find_function(library, "cudaHostAlloc", cuda.host_alloc) &&
                          find_function(library, "cudaFreeHost", cuda.free_host) &&
                          find_function(library, "cudaMalloc", cuda.malloc) &&
                          find_function(library, "cudaFree", cuda.free) &&
                          find_function(library, "cudaMemcpyAsync", cuda.memcpy_async) &&
                          find_function(library, "cudaStreamCreateWithFlags", cuda.stream_create) &&
                          find_function(library, "cudaStreamDestroy", cuda.stream_destroy) &&
                          find_function(library, "cudaStreamSynchronize", cuda.stream_synchronize) &&
                          find_function(library, "cudaStreamEndCapture", cuda.stream_end_capture) &&
                          find_function(library, "cudaGraphDestroy", cuda.graph_destroy) &&
                          find_function(library, "cudaGetLastError", cuda.get_last_error) &&
                          find_function(library, "cudaGetErrorString", cuda.error_string);
    if (complete) return cuda;
    dlclose(library);
  }
  return std::nullopt;
}

}  // namespace

const CudaRuntime* CudaRuntime::find() {
  static std::mutex mutex;
  static std::optional<CudaRuntime> found;
  const std::lock_guard lock(mutex);
  if (!found) found = open_runtime();
  return found ? &*found : nullptr;
}

CurrentDevice::CurrentDevice(int device) : cuda_(CudaRuntime::find()) {
  if (cuda_ == nullptr) return;
  code_ = cuda_->handled(cuda_->get_device(&before_));
  if (code_ == 0) code_ = cuda_->handled(cuda_->set_device(device));
}

CurrentDevice::~CurrentDevice() {
  if (cuda_ != nullptr && code_ == 0) cuda_->handled(cuda_->set_device(before_));
}

}  // namespace albert_fast::encoder::cuda
