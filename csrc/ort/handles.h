#pragma once

#include <cstdint>
#include <memory>

#include "ort/runtime.h"

namespace albert_fast::ort {

/// Owns one ONNX Runtime object. In a forked child it is leaked on purpose: destroying a session joins
/// threads that the child does not have.
template <class T, void (*Api::*Release)(T*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* object) : object_(object) {}
  Handle(Handle&& other) noexcept : object_(other.object_), generation_(other.generation_) {
    other.object_ = nullptr;
  }
  Handle& operator=(Handle&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(generation_, other.generation_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (object_ != nullptr && generation_ == fork_generation()) (Runtime::get().api().*Release)(object_);
  }
  [[nodiscard]] T* get() const { return object_; }
  /// For functions that return an object through a pointer argument.
  [[nodiscard]] T** out() { return &object_; }

 private:
  T* object_ = nullptr;
  std::uint64_t generation_ = fork_generation();
};

using SessionHandle = Handle<Session, &Api::ReleaseSession>;
using SessionOptionsHandle = Handle<SessionOptions, &Api::ReleaseSessionOptions>;
using RunOptionsHandle = Handle<RunOptions, &Api::ReleaseRunOptions>;
using ValueHandle = Handle<Value, &Api::ReleaseValue>;
using IoBindingHandle = Handle<IoBinding, &Api::ReleaseIoBinding>;
using MemoryInfoHandle = Handle<MemoryInfo, &Api::ReleaseMemoryInfo>;
using PrepackedWeightsHandle = Handle<PrepackedWeights, &Api::ReleasePrepackedWeightsContainer>;
using CudaOptionsHandle = Handle<CudaProviderOptions, &Api::ReleaseCUDAProviderOptions>;
using ShapeHandle = Handle<TensorTypeAndShape, &Api::ReleaseTensorTypeAndShapeInfo>;

}  // namespace albert_fast::ort
