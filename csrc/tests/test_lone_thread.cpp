#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/lone_thread.h"
#include "tests/check.h"

namespace albert_fast {

ALBERT_FAST_TEST(all_work_is_done_by_the_same_other_thread) {
  LoneThread thread;
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
  LoneThread thread;
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS(thread.run([] { fail(ErrorCode::device, "no"); }), ErrorCode::device);
    bool done = false;
    thread.run([&] { done = true; });
    CHECK(done);
  }
}

ALBERT_FAST_TEST(a_thread_without_work_ends) { const LoneThread thread; }

}  // namespace albert_fast
