#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "encoder/cuda/settings.h"
#include "encoder/device_memory.h"
#include "ort/handles.h"

namespace albert_fast::encoder::cuda {

/// The memory of a card; in a rehearsal, memory of the host in its place.
class CardMemory final : public DeviceMemory {
 public:
  CardMemory(int device, bool rehearsal) : device_(device), rehearsal_(rehearsal) {}

  [[nodiscard]] columns::DeviceRows make_rows(std::size_t count) const override;
  void upload(std::span<const float> host, float* device) const override;
  void download(const float* device, std::span<float> host) const override;
  void copy(std::span<const Copy> copies) const override;

  /// Bytes on the card. The last owner frees them, which waits for whatever still uses them there. `advice`
  /// ends the message when there are not so many.
  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes, const std::string& advice = "") const;
  /// Bytes of the host that the card copies from and to without a detour.
  [[nodiscard]] std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) const;
  /// It in the terms of ONNX Runtime.
  [[nodiscard]] ort::MemoryInfoHandle describe() const;
  [[nodiscard]] int device() const { return device_; }
  [[nodiscard]] bool rehearsal() const { return rehearsal_; }

 private:
  void move(void* to, const void* from, std::size_t bytes) const;

  int device_;
  bool rehearsal_;
};

/// A stream of our own on a card: what is put into it is done in order, and done when wait() has returned.
/// Its users pass the CaptureGate.
class Stream {
 public:
  explicit Stream(const CardMemory& memory);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  void copy(void* to, const void* from, std::size_t bytes) const;
  void wait() const;
  /// Ends a capture that was left half done, if there is one.
  void abandon_capture() const noexcept;
  /// CUDA's; null in a rehearsal.
  [[nodiscard]] void* handle() const { return handle_; }

 private:
  int device_;
  bool rehearsal_;
  void* handle_ = nullptr;
  std::uint64_t generation_;
};

}  // namespace albert_fast::encoder::cuda
