#include "encoder/cuda/pinned_memory.h"

#include <dlfcn.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "ort/runtime.h"

namespace albert_fast::encoder::cuda {
namespace {

// Less than this is copied as fast without, and somebody may keep a million small results.
constexpr std::size_t kLeast = std::size_t{1} << 20;
// Locked memory that is out at a time, and what is kept of that which came back.
constexpr std::size_t kMostOut = std::size_t{1} << 30;
constexpr std::size_t kMostKept = std::size_t{256} << 20;

struct CudaRuntime {
  int (*get_device)(int*) = nullptr;
  int (*set_device)(int) = nullptr;
  int (*host_alloc)(void**, std::size_t, unsigned) = nullptr;
  int (*free_host)(void*) = nullptr;
  [[nodiscard]] bool complete() const {
    return get_device != nullptr && set_device != nullptr && host_alloc != nullptr && free_host != nullptr;
  }
};

template <class Function>
void find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(library, name));
}

// Only a library that is open already: it is the one that the provider uses.
CudaRuntime open_cuda_runtime() {
  CudaRuntime cuda;
  for (const char* name : {"libcudart.so.13", "libcudart.so.12"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) continue;
    find(library, "cudaGetDevice", cuda.get_device);
    find(library, "cudaSetDevice", cuda.set_device);
    find(library, "cudaHostAlloc", cuda.host_alloc);
    find(library, "cudaFreeHost", cuda.free_host);
    if (cuda.complete()) return cuda;
  }
  return {};
}

std::size_t block_size(std::size_t bytes) {
  const std::size_t step = std::bit_floor(bytes) / 8;  // an eighth of an octave: few sizes, little waste
  return (bytes + step - 1) / step * step;
}

}  // namespace

class PinnedMemory::Pool {
 public:
  explicit Pool(int device) : device_(device) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    if (forked()) return;
    for (const auto& [size, block] : kept_) cuda_.free_host(block);
  }

  void* take(std::size_t bytes) {
    if (forked()) return nullptr;
    const std::lock_guard lock(mutex_);
    if (out_bytes_ + bytes > kMostOut) return nullptr;
    if (!cuda_.complete()) cuda_ = open_cuda_runtime();
    if (!cuda_.complete()) return nullptr;
    const auto same = [&](const auto& item) { return item.first == bytes; };
    void* block = nullptr;
    if (const auto found = std::find_if(kept_.begin(), kept_.end(), same); found != kept_.end()) {
      block = found->second;
      kept_.erase(found);
      kept_bytes_ -= bytes;
    } else {
      block = allocate(bytes);
    }
    if (block != nullptr) out_bytes_ += bytes;
    return block;
  }

  // No device memory, no CUDA call in a child of fork: there the context does not exist.
  void give_back(std::size_t bytes, void* block) noexcept {
    if (forked()) return;
    try {
      const std::lock_guard lock(mutex_);
      out_bytes_ -= bytes;
      if (kept_bytes_ + bytes <= kMostKept) {
        kept_.emplace_back(bytes, block);
        kept_bytes_ += bytes;
        return;
      }
    } catch (...) {  // no memory for the list: let the block go
    }
    cuda_.free_host(block);
  }

 private:
  [[nodiscard]] bool forked() const noexcept { return generation_ != ort::fork_generation(); }

  // The calling thread's current device is the caller's business (PyTorch keeps its own there).
  void* allocate(std::size_t bytes) const {
    constexpr unsigned kPortable = 1;
    int before = 0;
    if (cuda_.get_device(&before) != 0 || cuda_.set_device(device_) != 0) return nullptr;
    void* block = nullptr;
    const int code = cuda_.host_alloc(&block, bytes, kPortable);
    cuda_.set_device(before);
    return code == 0 ? block : nullptr;
  }

  int device_;
  std::uint64_t generation_ = ort::fork_generation();
  std::mutex mutex_;
  CudaRuntime cuda_;
  std::vector<std::pair<std::size_t, void*>> kept_;
  std::size_t kept_bytes_ = 0;
  std::size_t out_bytes_ = 0;
};

PinnedMemory::PinnedMemory(int device) : pool_(std::make_shared<Pool>(device)) {}
PinnedMemory::~PinnedMemory() = default;

AlignedBuffer<float> PinnedMemory::take(std::size_t count) {
  if (count < kLeast / sizeof(float) || count > kMostOut / sizeof(float)) return {};
  const std::size_t bytes = block_size(count * sizeof(float));
  void* block = pool_->take(bytes);
  if (block == nullptr) return {};
  // The last owner of the block gives it back to the pool, which lives as long as a block is out.
  std::shared_ptr<void> owner(block,
                              [pool = pool_, bytes](void* pointer) { pool->give_back(bytes, pointer); });
  return AlignedBuffer<float>(static_cast<float*>(block), count, std::move(owner));
}

}  // namespace albert_fast::encoder::cuda
