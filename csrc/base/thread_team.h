#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace albert_fast {

/// Threads that live as long as the team and do what they are given, first come, first served. For libraries
/// that keep something for every thread that ever called them; work given to a team of one is all done by
/// the same thread. In a forked child a team does not exist: there nothing can be run on it, and it is not
/// waited for.
class ThreadTeam {
 public:
  explicit ThreadTeam(std::size_t threads);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  /// Has one of the threads do `work`, and returns when that is done. What it throws is thrown here. Any
  /// number of threads may call, those of the team excepted. Throws `forked` in a child.
  void run(const std::function<void()>& work);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace albert_fast
