#include "base/thread_team.h"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace albert_fast {

class ThreadTeam::State {
 public:
  explicit State(std::size_t threads) : process_(getpid()) {
    try {
      for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { serve(); });
      }
    } catch (...) {  // the system refused a thread: those that stand must end before what they use
      if (threads_.empty()) throw;
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    there_is_work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  [[nodiscard]] bool is_of_parent() const { return process_ != getpid(); }

  void run(const std::function<void()>& work) {
    Job job{work};
    std::unique_lock lock(mutex_);
    jobs_.push_back(&job);
    there_is_work_.notify_one();
    job.ended.wait(lock, [&] { return job.done; });
    if (job.error != nullptr) std::rethrow_exception(job.error);
  }

 private:
  struct Job {
    explicit Job(const std::function<void()>& what) : work(what) {}
    const std::function<void()>& work;
    std::condition_variable ended;
    std::exception_ptr error;  // guarded by mutex_, as `done`
    bool done = false;
  };

  void serve() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
      there_is_work_.wait(lock, [this] { return !jobs_.empty() || ended_; });
      if (jobs_.empty()) return;
      Job& job = *jobs_.front();
      jobs_.pop_front();
      lock.unlock();
      std::exception_ptr error;
      try {
        job.work();
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      job.error = std::move(error);
      job.done = true;
      job.ended.notify_one();  // with the lock held: the job goes with its caller
    }
  }

  pid_t process_;
  std::mutex mutex_;
  std::condition_variable there_is_work_;
  std::deque<Job*> jobs_;  // guarded by mutex_, as what follows
  bool ended_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

ThreadTeam::ThreadTeam(std::size_t threads) : state_(std::make_unique<State>(threads)) {}

ThreadTeam::~ThreadTeam() {
  // In a child even the condition variable would wait for threads of the parent: nothing of it is touched.
  if (state_->is_of_parent()) (void)state_.release();
}

void ThreadTeam::run(const std::function<void()>& work) {
  if (state_->is_of_parent()) {
    fail(ErrorCode::forked, "the threads of the parent process do not exist here");
  }
  state_->run(work);
}

}  // namespace albert_fast
