#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace albert_fast {
namespace {

constexpr std::chrono::milliseconds kPollInterval{20};

struct Progress {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::condition_variable finished;
  std::size_t running = 0;         // guarded by mutex
  std::exception_ptr first_error;  // guarded by mutex
};

}  // namespace

bool run_parallel(std::size_t tasks, std::size_t threads,
                  const std::function<void(std::size_t, std::size_t)>& task,
                  const std::function<bool()>& poll, const std::function<void()>& stop) {
  Progress progress;
  const auto work = [&](std::size_t worker) noexcept {
    try {
      while (!progress.stopped.load()) {
        const std::size_t index = progress.next.fetch_add(1);
        if (index >= tasks) break;
        task(worker, index);
      }
    } catch (...) {
      progress.stopped.store(true);
      const std::lock_guard lock(progress.mutex);
      if (progress.first_error == nullptr) progress.first_error = std::current_exception();
    }
    const std::lock_guard lock(progress.mutex);
    if (--progress.running == 0) progress.finished.notify_all();
  };

  std::vector<std::jthread> workers;
  const std::size_t count = std::min(threads, tasks);
  for (std::size_t worker = 0; worker < count; ++worker) {
    {
      const std::lock_guard lock(progress.mutex);
      ++progress.running;
    }
    try {
      workers.emplace_back(work, worker);
    } catch (...) {  // the system refused a thread
      const std::lock_guard lock(progress.mutex);
      --progress.running;
      break;  // fewer threads do the same work
    }
  }
  if (workers.empty()) {
    for (std::size_t index = 0; index < tasks; ++index) {
      if (!poll()) return false;
      task(0, index);
    }
    return true;
  }
  bool interrupted = false;
  std::unique_lock lock(progress.mutex);
  while (!progress.finished.wait_for(lock, kPollInterval, [&] { return progress.running == 0; })) {
    lock.unlock();
    if (!interrupted && !poll()) {
      interrupted = true;
      progress.stopped.store(true);
    }
    // Again and again: a task may have begun its run just after the last call.
    if (progress.stopped.load()) stop();
    lock.lock();
  }
  if (progress.first_error != nullptr && !interrupted) std::rethrow_exception(progress.first_error);
  return !interrupted;
}

}  // namespace albert_fast
