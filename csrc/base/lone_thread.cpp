#include "base/lone_thread.h"

#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace albert_fast {

class LoneThread::State {
 public:
  State() : process_(getpid()), thread_([this] { serve(); }) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  [[nodiscard]] bool is_of_parent() const { return process_ != getpid(); }

  void run(const std::function<void()>& work) {
    const std::lock_guard turn(turn_);
    std::unique_lock lock(mutex_);
    work_ = &work;
    changed_.notify_all();
    changed_.wait(lock, [this] { return work_ == nullptr; });
    if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void serve() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return work_ != nullptr || ended_; });
      if (work_ == nullptr) return;
      lock.unlock();
      std::exception_ptr error;
      try {
        (*work_)();
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      error_ = std::move(error);
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  pid_t process_;
  std::mutex turn_;  // held by the caller whose work it is
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  // guarded by mutex_, as what follows
  std::exception_ptr error_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses all of the above
};

LoneThread::LoneThread() : state_(std::make_unique<State>()) {}

LoneThread::~LoneThread() {
  // In a child even the condition variable would wait for the thread of the parent: nothing of it is touched.
  if (state_->is_of_parent()) (void)state_.release();
}

void LoneThread::run(const std::function<void()>& work) {
  if (state_->is_of_parent()) {
    fail(ErrorCode::forked, "a thread of the parent process does not exist here");
  }
  state_->run(work);
}

}  // namespace albert_fast
