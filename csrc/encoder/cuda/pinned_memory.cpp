#include "encoder/cuda/pinned_memory.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>
#include <vector>

#include "encoder/cuda/capture_gate.h"
#include "encoder/cuda/cuda_runtime.h"
#include "ort/runtime.h"

namespace albert_fast::encoder::cuda {
namespace {

// Less than this is copied as fast without, and somebody may keep a million small results.
constexpr std::size_t kLeast = std::size_t{1} << 20;
// Locked memory that is out at a time, and what is kept of that which came back.
constexpr std::size_t kMostOut = std::size_t{1} << 30;
constexpr std::size_t kMostKept = std::size_t{256} << 20;
// What may be out above that for the micro-batches under way.
constexpr std::size_t kMostSlots = std::size_t{256} << 20;

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
    for (const auto& [size, block] : kept_) free_block(block);
  }

  /// Null when more than `most` bytes would be out, or there are none to be had.
  void* take(std::size_t bytes, std::size_t most) {
    if (forked()) return nullptr;
    const std::lock_guard lock(mutex_);
    if (out_bytes_ + bytes > most) return nullptr;
    out_.reserve(out_.size() + 1);
    const auto same = [&](const auto& item) { return item.first == bytes; };
    void* block = nullptr;
    if (const auto found = std::find_if(kept_.begin(), kept_.end(), same); found != kept_.end()) {
      block = found->second;
      kept_.erase(found);
      kept_bytes_ -= bytes;
    } else {
      block = allocate(bytes);
    }
    if (block == nullptr) return nullptr;
    out_.emplace_back(bytes, block);
    out_bytes_ += bytes;
    return block;
  }

  // No device memory, no CUDA call in a child of fork: there the context does not exist.
  void give_back(std::size_t bytes, void* block) noexcept {
    if (forked()) return;
    try {
      const std::lock_guard lock(mutex_);
      out_bytes_ -= bytes;
      std::erase_if(out_, [&](const auto& item) { return item.second == block; });
      if (kept_bytes_ + bytes <= kMostKept) {
        kept_.emplace_back(bytes, block);
        kept_bytes_ += bytes;
        return;
      }
    } catch (...) {  // no memory for the list: let the block go
    }
    free_block(block);
  }

  [[nodiscard]] bool contains(const void* address) {
    const std::lock_guard lock(mutex_);
    return std::any_of(out_.begin(), out_.end(), [&](const auto& item) {
      const auto* begin = static_cast<const std::byte*>(item.second);
      return address >= begin && address < begin + item.first;
    });
  }

 private:
  using Block = std::pair<std::size_t, void*>;

  [[nodiscard]] bool forked() const noexcept { return generation_ != ort::fork_generation(); }

  [[nodiscard]] void* allocate(std::size_t bytes) const {
    const CudaRuntime* cuda = CudaRuntime::find();
    if (cuda == nullptr) return nullptr;
    const CaptureGate::Work work;
    const CurrentDevice current(device_);
    void* block = nullptr;
    const bool made = current.code() == 0 && cuda->handled(cuda->host_alloc(&block, bytes, kPortable)) == 0;
    return made ? block : nullptr;
  }

  // A block exists, so the library was found.
  static void free_block(void* block) noexcept {
    const CaptureGate::Work work;
    const CudaRuntime& cuda = *CudaRuntime::find();
    cuda.handled(cuda.free_host(block));
  }

  int device_;
  std::uint64_t generation_ = ort::fork_generation();
  std::mutex mutex_;
  std::vector<Block> kept_;
  std::vector<Block> out_;
  std::size_t kept_bytes_ = 0;
  std::size_t out_bytes_ = 0;
};

PinnedMemory::PinnedMemory(int device) : pool_(std::make_shared<Pool>(device)) {}
PinnedMemory::~PinnedMemory() = default;

AlignedBuffer<float> PinnedMemory::take_block(std::size_t count, std::size_t bytes, std::size_t most) {
  void* block = pool_->take(bytes, most);
  if (block == nullptr) return {};
  // The last owner of the block gives it back to the pool, which lives as long as a block is out.
  std::shared_ptr<void> owner(block,
                              [pool = pool_, bytes](void* pointer) { pool->give_back(bytes, pointer); });
  return AlignedBuffer<float>(static_cast<float*>(block), count, std::move(owner));
}

AlignedBuffer<float> PinnedMemory::take(std::size_t count) {
  if (count < kLeast / sizeof(float) || count > kMostOut / sizeof(float)) return {};
  return take_block(count, block_size(count * sizeof(float)), kMostOut);
}

AlignedBuffer<float> PinnedMemory::take_slot(std::size_t count) {
  if (count < kLeast / sizeof(float) || count > kMostSlots / sizeof(float)) return {};
  return take_block(count, std::bit_ceil(count * sizeof(float)), kMostOut + kMostSlots);
}

bool PinnedMemory::contains(const float* address) const { return pool_->contains(address); }

}  // namespace albert_fast::encoder::cuda
