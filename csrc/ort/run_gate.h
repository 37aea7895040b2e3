#pragma once

namespace albert_fast::ort {

/// Stands around what runs sessions. ONNX Runtime takes its tables down when the process ends, and daemon
/// threads do not end before: whoever is inside then goes no further, and whoever comes later does not get
/// in.
class RunGate {
 public:
  RunGate() noexcept;
  RunGate(const RunGate&) = delete;
  RunGate& operator=(const RunGate&) = delete;
  ~RunGate();

  /// Whether the process is ending and the calling thread is not the one that ends it: time to stop.
  [[nodiscard]] static bool is_closed() noexcept;
  /// Called by the thread that ends the process, which alone may still run sessions. Waits for the others
  /// that are inside, but not long.
  static void close() noexcept;
  /// In a child of fork nobody is inside.
  static void forget_parent() noexcept;
};

}  // namespace albert_fast::ort
