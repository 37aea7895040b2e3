#include "ort/runtime.h"

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "ort/run_gate.h"

namespace albert_fast::ort {
namespace {

std::atomic<std::uint64_t> generation{0};

std::mutex runtime_mutex;
// Never destroyed: threads of ONNX Runtime may outlive static destruction.
std::atomic<const Runtime*> runtime_instance{nullptr};

std::vector<const CustomOp*>& registered_ops() {
  static std::vector<const CustomOp*> ops;
  return ops;
}

/// "1.31.1" -> 31. The API version of a release is its minor number.
std::uint32_t minor_version(const std::string& version) {
  const std::size_t dot = version.find('.');
  std::uint32_t minor = 0;
  if (dot != std::string::npos) {
    std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
  }
  return minor;
}

}  // namespace

std::uint64_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

Runtime::Runtime(const std::string& path, const std::string& remedy) : path_(path) {
  // RTLD_LOCAL: our runtime must not lend its symbols to another copy in the process, nor borrow theirs.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto refuse = [&](const std::string& why) {
    fail(ErrorCode::missing_dependency, why + ". " + remedy);
  };
  if (library == nullptr) {
    const char* reason = dlerror();
    refuse("ONNX Runtime could not be opened: " + std::string(reason != nullptr ? reason : path));
  }
  using GetBase = const ApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) refuse(path + " is not an ONNX Runtime library: it has no OrtGetApiBase");
  version_ = get_base()->get_version_string();
  minor_ = minor_version(version_);
  if (minor_ < kOldestApi) {
    refuse("ONNX Runtime " + version_ + " in " + path + " is too old; albert_fast needs 1." +
           std::to_string(kOldestApi) + " or newer");
  }
  api_version_ = std::min(minor_, kNewestKnownApi);
  void* const* table = get_base()->get_api(api_version_);
  if (table == nullptr) {
    refuse("ONNX Runtime " + version_ + " in " + path + " does not offer API version " +
           std::to_string(api_version_));
  }
#define ALBERT_FAST_ORT_FILL(slot, since, result, name, arguments)                 \
  static_assert((since) <= kOldestApi, #name " is newer than the oldest runtime"); \
  api_.name = reinterpret_cast<decltype(api_.name)>(table[slot]);
  ALBERT_FAST_ORT_FUNCTIONS(ALBERT_FAST_ORT_FILL)
#undef ALBERT_FAST_ORT_FILL

  check(api_.CreateEnv(kLogError, "albert_fast", &env_), "creating its environment");
  check(api_.DisableTelemetryEvents(env_), "switching telemetry off");
  check(api_.CreateMemoryInfo("Cpu", kDeviceAllocator, 0, kMemoryDefault, &cpu_memory_),
        "describing CPU memory");
  check(api_.CreateCustomOpDomain("albert_fast", &custom_ops_), "creating the operator domain");
  for (const CustomOp* op : registered_ops()) {
    check(api_.CustomOpDomain_Add(custom_ops_, op), "adding an operator");
  }
}

void Runtime::load(const std::string& path, const std::string& remedy) {
  const std::lock_guard lock(runtime_mutex);
  if (const Runtime* open = runtime_instance.load()) {
    if (open->path_ == path) return;
    fail(ErrorCode::missing_dependency, "this process already runs ONNX Runtime from " + open->path_ +
                                            "; it cannot switch to " + path + ". Start a new process");
  }
  const Runtime* fresh = new Runtime(path, remedy);
  pthread_atfork(nullptr, nullptr, [] {
    generation.fetch_add(1, std::memory_order_relaxed);
    RunGate::forget_parent();
  });
  runtime_instance.store(fresh);
}

bool Runtime::loaded() noexcept { return runtime_instance.load() != nullptr; }

const Runtime& Runtime::get() {
  const Runtime* open = runtime_instance.load(std::memory_order_acquire);
  if (open == nullptr) {
    fail(ErrorCode::missing_dependency,
         "ONNX Runtime has not been opened yet; call albert_fast.runtime.prepare()");
  }
  return *open;
}

void Runtime::register_custom_op(const CustomOp* op) { registered_ops().push_back(op); }

void Runtime::check(Status* status, const char* doing) const {
  if (status == nullptr) return;
  const std::string message = api_.GetErrorMessage(status);
  api_.ReleaseStatus(status);
  // What an operator of ours throws, or one of ONNX Runtime's on the processor.
  const bool is_memory = message.find("bad_alloc") != std::string::npos;
  fail(is_memory ? ErrorCode::out_of_memory : ErrorCode::device,
       "ONNX Runtime " + version_ + " failed while " + doing + ": " + message +
           (is_memory ? ". The machine has no memory left for it: use fewer threads or free some" : ""));
}

std::vector<std::string> Runtime::providers() const {
  char** names = nullptr;
  int count = 0;
  check(api_.GetAvailableProviders(&names, &count), "listing its providers");
  std::vector<std::string> result(names, names + count);
  check(api_.ReleaseAvailableProviders(names, count), "listing its providers");
  return result;
}

}  // namespace albert_fast::ort
