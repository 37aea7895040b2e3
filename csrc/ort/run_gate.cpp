#include "ort/run_gate.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "base/end_of_process.h"

namespace albert_fast::ort {
namespace {

// A micro-batch that is under way is over much sooner.
constexpr std::chrono::seconds kLongestWait{2};

std::atomic<int> inside{0};
std::atomic<bool> closed{false};
std::atomic<std::thread::id> last{};

void leave() noexcept { inside.fetch_sub(1); }

}  // namespace

bool RunGate::is_closed() noexcept { return closed.load() && last.load() != std::this_thread::get_id(); }

RunGate::RunGate() noexcept {
  inside.fetch_add(1);
  if (!is_closed()) return;
  leave();
  wait_for_the_end();
}

RunGate::~RunGate() {
  leave();
  if (is_closed()) wait_for_the_end();
}

void RunGate::close() noexcept {
  last.store(std::this_thread::get_id());
  closed.store(true);
  const auto until = std::chrono::steady_clock::now() + kLongestWait;
  while (inside.load() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void RunGate::forget_parent() noexcept { inside.store(0); }

}  // namespace albert_fast::ort
