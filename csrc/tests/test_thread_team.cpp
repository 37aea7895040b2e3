#include <atomic>
#include <barrier>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/thread_team.h"
#include "tests/check.h"

namespace albert_fast {

ALBERT_FAST_TEST(a_team_of_one_does_all_work_by_the_same_other_thread) {
  ThreadTeam thread(1);
  std::thread::id first;
  thread.run([&] { first = std::this_thread::get_id(); });
  CHECK(first != std::this_thread::get_id());
  std::atomic<int> same{0};
  std::atomic<int> inside{0};
  std::vector<std::jthread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        int seen = 0;
        thread.run([&] {
          seen = inside.fetch_add(1);
          if (std::this_thread::get_id() == first) same.fetch_add(1);
          inside.fetch_sub(1);
        });
        if (seen != 0) same.store(-1000000);
      }
    });
  }
  callers.clear();
  CHECK_EQ(same.load(), 800);
}

ALBERT_FAST_TEST(what_the_work_throws_arrives_and_the_thread_goes_on) {
  ThreadTeam thread(1);
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS(thread.run([] { fail(ErrorCode::device, "no"); }), ErrorCode::device);
    bool done = false;
    thread.run([&] { done = true; });
    CHECK(done);
  }
}

ALBERT_FAST_TEST(a_team_without_work_ends) { const ThreadTeam team(3); }

ALBERT_FAST_TEST(a_team_works_at_several_things_at_once) {
  constexpr int kThreads = 3;
  ThreadTeam team(kThreads);
  std::barrier together(kThreads);  // one thread alone would never pass
  std::atomic<int> done{0};
  std::vector<std::jthread> callers;
  for (int c = 0; c < kThreads; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        team.run([&] {
          together.arrive_and_wait();
          done.fetch_add(1);
        });
      }
    });
  }
  callers.clear();
  CHECK_EQ(done.load(), 100 * kThreads);
}

ALBERT_FAST_TEST(only_the_threads_of_a_team_work_for_it) {
  constexpr std::size_t kThreads = 3;
  ThreadTeam team(kThreads);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::vector<std::jthread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        team.run([&] {
          const std::lock_guard lock(mutex);
          seen.insert(std::this_thread::get_id());
        });
      }
      const std::lock_guard lock(mutex);
      if (seen.count(std::this_thread::get_id()) != 0) seen.clear();
    });
  }
  callers.clear();
  CHECK(!seen.empty());
  CHECK(seen.size() <= kThreads);
}

}  // namespace albert_fast
