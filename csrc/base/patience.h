#pragma once

#include <cstddef>
#include <functional>

#include "base/error.h"

namespace albert_fast {

/// Asked every few milliseconds from the calling thread; false ends the call with `cancelled`.
using KeepGoing = std::function<bool()>;

/// Asks every so many bytes whether to go on: reading texts has no workers that could be stopped.
class Patience {
 public:
  explicit Patience(const KeepGoing& keep_going) : keep_going_(keep_going) {}
  void spend(std::size_t bytes) {
    constexpr std::size_t kBytesPerQuestion = std::size_t{1} << 18;
    spent_ += bytes + 64;
    if (spent_ < kBytesPerQuestion) return;
    spent_ = 0;
    if (!keep_going_()) fail(ErrorCode::cancelled, "interrupted");
  }

 private:
  const KeepGoing& keep_going_;
  std::size_t spent_ = 0;
};

}  // namespace albert_fast
