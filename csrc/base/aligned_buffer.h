#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace albert_fast {

/// Memory at a multiple of `alignment`, for std::free; from the size of a large page on, in large pages
/// (prefer_large_pages). Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes, std::size_t alignment);

/// 64-byte aligned, uninitialised storage: what SIMD kernels and Arrow ask for, which std::vector cannot
/// give.
template <class T>
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t count) : count_(count) {
    if (count > (std::numeric_limits<std::size_t>::max() - kAlignment) / sizeof(T)) throw std::bad_alloc();
    data_.reset(static_cast<T*>(allocate_aligned(count * sizeof(T), kAlignment)));
  }
  /// Memory of somebody else's, which `owner` keeps.
  AlignedBuffer(T* data, std::size_t count, std::shared_ptr<const void> owner)
      : data_(data, Free{std::move(owner)}), count_(count) {}

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), count_}; }
  [[nodiscard]] std::span<const T> span() const { return {data_.get(), count_}; }

 private:
  struct Free {
    std::shared_ptr<const void> owner;
    void operator()(T* pointer) const {
      if (owner == nullptr) std::free(pointer);
    }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t count_ = 0;
};

}  // namespace albert_fast
