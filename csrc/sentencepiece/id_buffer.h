#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "sentencepiece/word_pieces.h"

namespace albert_fast::sentencepiece {

/// Piece ids, appended without a check for every single one. Memory that grows is not cleared first.
class IdBuffer {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::int32_t> ids() const { return {ids_.get(), size_}; }
  void clear() { size_ = 0; }
  void shrink(std::size_t size) { size_ = size; }
  /// Gives memory back beyond so many ids.
  void trim(std::size_t max_ids) {
    if (capacity_ > max_ids) *this = IdBuffer();
  }

  void push(std::int32_t id) {
    if (size_ == capacity_) grow();
    ids_[size_++] = id;
  }
  void push_plain(const PlainPieces& pieces) {
    if (capacity_ - size_ < WordPieces::kMaxPlainPieces) grow();
    std::int32_t* const to = ids_.get() + size_;
    for (std::size_t i = 0; i < WordPieces::kMaxPlainPieces; ++i) to[i] = pieces.id(i);
    size_ += pieces.count;
  }

 private:
  void grow() {
    const std::size_t capacity = std::max<std::size_t>(2 * capacity_, 1024);
    auto ids = std::make_unique_for_overwrite<std::int32_t[]>(capacity);
    std::copy_n(ids_.get(), size_, ids.get());
    ids_ = std::move(ids);
    capacity_ = capacity;
  }

  std::unique_ptr<std::int32_t[]> ids_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace albert_fast::sentencepiece
