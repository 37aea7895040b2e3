#include "encoder/cuda/provider.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace albert_fast::encoder::cuda {
namespace {

// From this version on SkipLayerNormalization sums fp16 in fp32 by itself.
constexpr std::uint32_t kSumsInFp32 = 28;
// From this version on cuDNN can be left out.
constexpr std::uint32_t kCudnnIsOptional = 28;

[[noreturn]] void refuse(const Settings& settings, const std::string& why) {
  fail(ErrorCode::device, "device cuda:" + std::to_string(settings.device) + " cannot be used: " + why +
                              ". `albert-fast doctor` shows what is missing; device='cpu' needs none of it");
}

void check(ort::Status* status, const Settings& settings, const char* doing) {
  try {
    ort::Runtime::get().check(status, doing);
  } catch (const Error& error) {
    refuse(settings, readable(error.what()));
  }
}

ort::CudaOptionsHandle make_options(const Settings& settings, void* stream) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const std::vector<std::string> built_in = runtime.providers();
  if (std::find(built_in.begin(), built_in.end(), "CUDAExecutionProvider") == built_in.end()) {
    refuse(settings, "the ONNX Runtime at " + runtime.path() +
                         " is built without CUDA. Install onnxruntime-gpu in the place of onnxruntime: "
                         "pip uninstall -y onnxruntime, then pip install \"albert_fast[gpu]\"");
  }
  ort::CudaOptionsHandle options;
  check(runtime.api().CreateCUDAProviderOptions(options.out()), settings, "making CUDA options");
  auto wanted = provider_options(settings, runtime.minor());
  if (stream != nullptr) wanted.emplace_back("enable_cuda_graph", "1");
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : wanted) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  // The first call that opens the provider's library: its message names the file that is missing.
  check(runtime.api().UpdateCUDAProviderOptions(options.get(), keys.data(), values.data(), keys.size()),
        settings, "opening its CUDA provider");
  if (stream != nullptr) {  // an address cannot be given as text
    check(runtime.api().UpdateCUDAProviderOptionsWithValue(options.get(), "user_compute_stream", stream),
          settings, "giving it a stream");
  }
  return options;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> provider_options(const Settings& settings,
                                                                  std::uint32_t minor) {
  std::vector<std::pair<std::string, std::string>> options{
      {"device_id", std::to_string(settings.device)},
      {"arena_extend_strategy", "kSameAsRequested"},  // powers of two would take twice what is needed
      {"use_tf32", settings.precision == Precision::tf32 ? "1" : "0"},
      {"sdpa_kernel", std::to_string(settings.attention_kernels)},
  };
  if (settings.memory_limit > 0) {
    options.emplace_back("gpu_mem_limit", std::to_string(settings.memory_limit));
  }
  if (settings.precision == Precision::fp16 && minor < kSumsInFp32) {
    options.emplace_back("enable_skip_layer_norm_strict_mode", "1");
  }
  if (minor >= kCudnnIsOptional) options.emplace_back("enable_cudnn", "0");
  return options;
}

std::string readable(std::string_view message) {
  // "... failed while X: /source.cc:63 function [ONNXRuntimeError] : 1 : FAIL : reason ; GPU=0 ;
  // hostname=..."
  std::string prefix;
  constexpr std::string_view kMark = "[ONNXRuntimeError]";
  if (const std::size_t mark = message.find(kMark); mark != std::string_view::npos) {
    const std::size_t doing = message.find(": ");
    if (doing < mark) prefix = std::string(message.substr(0, doing + 2));
    message.remove_prefix(mark + kMark.size());
    for (int part = 0; part < 3; ++part) {  // : code : name : reason
      const std::size_t colon = message.find(": ");
      if (colon == std::string_view::npos) break;
      message.remove_prefix(colon + 2);
    }
  }
  for (const std::string_view tail : {std::string_view(" ; GPU="), std::string_view("\n")}) {
    message = message.substr(0, message.find(tail));
  }
  // What the arena says carries the signature of the C++ function that says it.
  if (const std::size_t place = message.find("/onnxruntime_src/"); place != std::string_view::npos) {
    const std::size_t end = message.find(") ", place);
    if (end != std::string_view::npos) {
      return prefix + std::string(message.substr(0, place)) + std::string(message.substr(end + 2));
    }
  }
  return prefix + std::string(message);
}

void append_cuda(const ort::SessionOptionsHandle& options, const Settings& settings, void* stream) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::CudaOptionsHandle cuda = make_options(settings, stream);
  check(runtime.api().SessionOptionsAppendExecutionProvider_CUDA_V2(options.get(), cuda.get()), settings,
        "adding its CUDA provider");
  // A node without a CUDA kernel would run on the CPU in silence, with copies before and after it.
  check(runtime.api().AddSessionConfigEntry(options.get(), "session.disable_cpu_ep_fallback", "1"), settings,
        "preparing a session");
}

void probe_cuda(const Settings& settings) {
  const ort::Runtime& runtime = ort::Runtime::get();
  ort::SessionOptionsHandle options;
  runtime.check(runtime.api().CreateSessionOptions(options.out()), "preparing a session");
  append_cuda(options, settings);
}

bool is_out_of_memory(std::string_view message) {
  constexpr std::array kSigns{"Failed to allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
                              "CUDA failure 2:", "Available memory of"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return message.find(sign) != std::string_view::npos; });
}

}  // namespace albert_fast::encoder::cuda
