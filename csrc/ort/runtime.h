#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnxruntime/abi.h"

namespace albert_fast::ort {

/// The one ONNX Runtime of this process: its library stays open for ever, since sessions and their threads
/// live in it.
class Runtime {
 public:
  /// Opens the shared library at `path` once; a second call with another path is an error (two runtimes in
  /// one process cannot share a model). The caller has switched telemetry off in the environment before, and
  /// knows the `remedy` for a library that is none, or too old: where the path comes from.
  static void load(const std::string& path, const std::string& remedy);
  static bool loaded() noexcept;
  /// Throws missing_dependency when `load` has not been called.
  static const Runtime& get();

  [[nodiscard]] const Api& api() const { return api_; }
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] std::uint32_t api_version() const { return api_version_; }
  /// 31 for version 1.31.1.
  [[nodiscard]] std::uint32_t minor() const { return minor_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Env* env() const { return env_; }
  [[nodiscard]] CustomOpDomain* custom_ops() const { return custom_ops_; }
  [[nodiscard]] const MemoryInfo* cpu_memory() const { return cpu_memory_; }
  [[nodiscard]] std::vector<std::string> providers() const;

  /// Turns a status into an Error and frees it.
  void check(Status* status, const char* doing) const;
  /// The custom operators that every session of ours gets (encoder/kernels); registered before the first
  /// session.
  static void register_custom_op(const CustomOp* op);

 private:
  Runtime(const std::string& path, const std::string& remedy);

  Api api_;
  std::string version_;
  std::string path_;
  std::uint32_t api_version_ = 0;
  std::uint32_t minor_ = 0;
  Env* env_ = nullptr;
  CustomOpDomain* custom_ops_ = nullptr;
  MemoryInfo* cpu_memory_ = nullptr;
};

/// Rises by one in every forked child. What was made in another generation belongs to the parent: its threads
/// do not exist here, so it must neither be run nor destroyed.
[[nodiscard]] std::uint64_t fork_generation() noexcept;

}  // namespace albert_fast::ort
