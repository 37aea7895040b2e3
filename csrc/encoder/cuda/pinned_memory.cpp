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
// Locked memory that may be out at a time for results, and above that for the micro-batches under way.
constexpr std::size_t kMostOut = std::size_t{1} << 30;
constexpr std::size_t kMostSlots = std::size_t{256} << 20;
// All that is locked, what came back and is kept for the next taker included.
constexpr std::size_t kMostLocked = kMostOut + kMostSlots;

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
    for (const Block& block : kept_) free_block(block);
  }

  /// Null when more than `most` bytes would be out, or there are none to be had.
  void* take(std::size_t bytes, std::size_t most) {
    if (forked()) return nullptr;
    const std::lock_guard lock(mutex_);
    if (out_bytes_ + bytes > most) return nullptr;
    out_.reserve(out_.size() + 1);
    Block block = take_kept(bytes);
    if (block.address == nullptr) {
      free_oldest(bytes);
      block = {bytes, allocate(bytes)};
    }
    if (block.address == nullptr && !kept_.empty()) {  // what is kept may be what is missing
      free_oldest(kMostLocked);
      block.address = allocate(bytes);
    }
    if (block.address == nullptr) return nullptr;
    out_.push_back(block);
    out_bytes_ += block.bytes;
    return block.address;
  }

  // No device memory, no CUDA call in a child of fork: there the context does not exist.
  void give_back(const void* address) noexcept {
    if (forked()) return;
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(out_.begin(), out_.end(), [&](const Block& block) { return block.address == address; });
    const Block block = *found;
    out_.erase(found);
    out_bytes_ -= block.bytes;
    try {
      kept_.push_back(block);
      kept_bytes_ += block.bytes;
    } catch (...) {  // no memory for the list: let the block go
      free_block(block);
    }
    free_oldest(0);
  }

  [[nodiscard]] bool contains(const void* address) {
    const std::lock_guard lock(mutex_);
    return std::any_of(out_.begin(), out_.end(), [&](const auto& item) {
      const auto* begin = static_cast<const std::byte*>(item.address);
      return address >= begin && address < begin + item.bytes;
    });
  }

 private:
  struct Block {
    std::size_t bytes = 0;
    void* address = nullptr;
  };

  [[nodiscard]] bool forked() const noexcept { return generation_ != ort::fork_generation(); }

  /// The smallest that came back and is large enough, though not by more than a quarter.
  Block take_kept(std::size_t bytes) {
    auto best = kept_.end();
    for (auto block = kept_.begin(); block != kept_.end(); ++block) {
      if (block->bytes < bytes || block->bytes > bytes + bytes / 4) continue;
      if (best == kept_.end() || block->bytes < best->bytes) best = block;
    }
    if (best == kept_.end()) return {};
    const Block found = *best;
    kept_.erase(best);
    kept_bytes_ -= found.bytes;
    return found;
  }

  /// Makes room for `bytes` more: those that came back first go first.
  void free_oldest(std::size_t bytes) noexcept {
    while (!kept_.empty() && out_bytes_ + kept_bytes_ + bytes > kMostLocked) {
      free_block(kept_.front());
      kept_bytes_ -= kept_.front().bytes;
      kept_.erase(kept_.begin());
    }
  }

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
  static void free_block(const Block& block) noexcept {
    const CaptureGate::Work work;
    const CudaRuntime& cuda = *CudaRuntime::find();
    cuda.handled(cuda.free_host(block.address));
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
  std::shared_ptr<void> owner(block, [pool = pool_](const void* pointer) { pool->give_back(pointer); });
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
