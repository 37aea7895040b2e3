#include "encoder/cuda/card_memory.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <string>

#include "base/checked.h"
#include "base/error.h"
#include "encoder/cuda/capture_gate.h"
#include "encoder/cuda/cuda_runtime.h"
#include "ort/runtime.h"

namespace albert_fast::encoder::cuda {
namespace {

// The default stream of the calling thread. Like every stream that was not made otherwise it takes turns with
// the default stream of the process, which is PyTorch's.
void* const kThreadsStream = reinterpret_cast<void*>(std::uintptr_t{2});

[[noreturn]] void refuse(const std::string& what, int device, const std::string& why) {
  fail(ErrorCode::device, "cuda:" + std::to_string(device) + ": " + what + ": " + why);
}

const CudaRuntime& runtime_of(int device) {
  const CudaRuntime* cuda = CudaRuntime::find();
  if (cuda == nullptr) refuse("no memory can be had", device, "CUDA's runtime library is not open");
  return *cuda;
}

void check(const CudaRuntime& cuda, int code, int device, const char* what) {
  if (cuda.handled(code) != 0) refuse(what, device, cuda.error_string(code));
}

void move_async(const CudaRuntime& cuda, int device, void* to, const void* from, std::size_t bytes,
                void* stream) {
  check(cuda, cuda.memcpy_async(to, from, bytes, kCopyDefault, stream), device, "a copy failed");
}

// The last owner frees the block, where it was made: a child has no context to free it in.
std::shared_ptr<std::byte> owned(void* block, const CudaRuntime& cuda, int (*free_block)(void*), int device) {
  return {static_cast<std::byte*>(block),
          [&cuda, free_block, device, generation = ort::fork_generation()](std::byte* memory) {
            if (generation != ort::fork_generation()) return;
            const CaptureGate::Work freeing;
            const CurrentDevice of_block(device);
            cuda.handled(free_block(memory));
          }};
}

std::shared_ptr<std::byte> allocate_on_host(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{256};
  return {static_cast<std::byte*>(::operator new(bytes, kAlignment)),
          [](std::byte* block) { ::operator delete(block, kAlignment); }};
}

}  // namespace

std::shared_ptr<std::byte> CardMemory::allocate_pinned(std::size_t bytes) const {
  if (rehearsal_) return allocate_on_host(bytes);
  const CudaRuntime& cuda = runtime_of(device_);
  const CaptureGate::Work work;
  const CurrentDevice current(device_);
  void* block = nullptr;
  check(cuda, current.code() != 0 ? current.code() : cuda.host_alloc(&block, bytes, kPortable), device_,
        "no pinned memory can be had");
  return owned(block, cuda, cuda.free_host, device_);
}

std::shared_ptr<std::byte> CardMemory::allocate(std::size_t bytes, const std::string& advice) const {
  if (rehearsal_) return allocate_on_host(bytes);
  const CudaRuntime& cuda = runtime_of(device_);
  const CaptureGate::Work work;
  const CurrentDevice current(device_);
  void* block = nullptr;
  const int code = current.code() != 0 ? current.code() : cuda.handled(cuda.malloc(&block, bytes));
  if (code != 0) {
    refuse(std::to_string((bytes >> 20) + 1) + " MiB of its memory cannot be had", device_,
           cuda.error_string(code) + advice);
  }
  return owned(block, cuda, cuda.free, device_);
}

ort::MemoryInfoHandle CardMemory::describe() const {
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::MemoryInfoHandle place;
  runtime.check(runtime.api().CreateMemoryInfo(rehearsal_ ? "Cpu" : "Cuda", ort::kDeviceAllocator,
                                               rehearsal_ ? 0 : device_, ort::kMemoryDefault, place.out()),
                "describing device memory");
  return place;
}

columns::DeviceRows CardMemory::make_rows(std::size_t count) const {
  const std::size_t bytes = checked_multiply(count, sizeof(float), ErrorCode::out_of_memory, "the result");
  std::shared_ptr<std::byte> block = allocate(
      bytes == 0 ? sizeof(float) : bytes,
      ". Embed fewer texts per call (stream() does), drop results that are no longer needed, or take "
      "them to the host: output_device='cpu'");
  auto* data = reinterpret_cast<float*>(block.get());
  return {data, count, device_, rehearsal_, ort::fork_generation(), std::move(block)};
}

void CardMemory::move(void* to, const void* from, std::size_t bytes) const {
  if (bytes == 0) return;
  if (rehearsal_) {
    std::memmove(to, from, bytes);
    return;
  }
  const CudaRuntime& cuda = runtime_of(device_);
  const CaptureGate::Work work;
  const CurrentDevice current(device_);
  move_async(cuda, device_, to, from, bytes, kThreadsStream);
  check(cuda, cuda.stream_synchronize(kThreadsStream), device_, "a copy failed");
}

void CardMemory::upload(std::span<const float> host, float* device) const {
  move(device, host.data(), host.size_bytes());
}

void CardMemory::download(const float* device, std::span<float> host) const {
  move(host.data(), device, host.size_bytes());
}

void CardMemory::copy(std::span<const Copy> copies) const {
  if (copies.empty()) return;
  if (rehearsal_) {
    for (const Copy& one : copies) std::memmove(one.to, one.from.data(), one.from.size_bytes());
    return;
  }
  const CudaRuntime& cuda = runtime_of(device_);
  const CaptureGate::Work work;
  const CurrentDevice current(device_);
  for (const Copy& one : copies) {
    if (!one.from.empty()) {
      move_async(cuda, device_, one.to, one.from.data(), one.from.size_bytes(), kThreadsStream);
    }
  }
  check(cuda, cuda.stream_synchronize(kThreadsStream), device_, "a copy failed");
}

Stream::Stream(const CardMemory& memory)
    : device_(memory.device()), rehearsal_(memory.rehearsal()), generation_(ort::fork_generation()) {
  if (rehearsal_) return;
  const CudaRuntime& cuda = runtime_of(device_);
  const CaptureGate::Work work;
  const CurrentDevice current(device_);
  check(cuda, cuda.stream_create(&handle_, kNonBlocking), device_, "a stream cannot be made");
}

Stream::~Stream() {
  if (rehearsal_ || generation_ != ort::fork_generation()) return;
  const CaptureGate::Work work;
  const CudaRuntime& cuda = *CudaRuntime::find();
  cuda.handled(cuda.stream_destroy(handle_));
}

void Stream::copy(void* to, const void* from, std::size_t bytes) const {
  if (rehearsal_) {
    std::memmove(to, from, bytes);
  } else {
    move_async(runtime_of(device_), device_, to, from, bytes, handle_);
  }
}

void Stream::abandon_capture() const noexcept {
  if (rehearsal_) return;
  const CudaRuntime& cuda = *CudaRuntime::find();  // it made the stream
  void* graph = nullptr;
  if (cuda.handled(cuda.stream_end_capture(handle_, &graph)) == 0 && graph != nullptr) {
    cuda.handled(cuda.graph_destroy(graph));
  }
}

void Stream::wait() const {
  if (rehearsal_) return;
  const CudaRuntime& cuda = runtime_of(device_);
  check(cuda, cuda.stream_synchronize(handle_), device_, "a run failed");
}

}  // namespace albert_fast::encoder::cuda
