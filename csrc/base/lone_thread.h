#pragma once

#include <functional>
#include <memory>

namespace albert_fast {

/// A thread for work that has to be done by one and the same thread, piece after piece. In a forked child it
/// does not exist: there nothing can be run on it, and it is not waited for.
class LoneThread {
 public:
  LoneThread();
  LoneThread(const LoneThread&) = delete;
  LoneThread& operator=(const LoneThread&) = delete;
  ~LoneThread();

  /// Has the thread do `work`, and returns when that is done. What it throws is thrown here. Callers from any
  /// number of threads take turns. Throws `forked` in a child.
  void run(const std::function<void()>& work);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace albert_fast
