#include "encoder/cuda/capture_gate.h"

#include <mutex>
#include <shared_mutex>

namespace albert_fast::encoder::cuda {
namespace {

// std::shared_mutex lets readers overtake a writer for ever; `entrance` is where they queue.
struct Gate {
  std::mutex entrance;
  std::shared_mutex inside;
};

Gate& gate() {
  static Gate& one = *new Gate;  // results that outlive everything are freed through it
  return one;
}

}  // namespace

CaptureGate::Work::Work() {
  const std::lock_guard queue(gate().entrance);
  gate().inside.lock_shared();
}
CaptureGate::Work::~Work() { gate().inside.unlock_shared(); }

CaptureGate::Capture::Capture() {
  const std::lock_guard queue(gate().entrance);
  gate().inside.lock();
}
CaptureGate::Capture::~Capture() { gate().inside.unlock(); }

}  // namespace albert_fast::encoder::cuda
