#include <pybind11/stl.h>

#include "bindings/gil.h"
#include "bindings/registers.h"
#include "encoder/cuda/rehearsal.h"
#include "encoder/kernels/custom_ops.h"
#include "encoder/kernels/kernels.h"
#include "encoder/kernels/processor.h"
#include "ort/runtime.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

std::vector<std::string> cpu_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  const encoder::Processor processor;
  if (processor.avx2()) features.emplace_back("avx2");
  if (processor.fma()) features.emplace_back("fma");
  if (processor.avx512f()) features.emplace_back("avx512f");
  if (processor.avx512vnni()) features.emplace_back("avx512vnni");
#elif defined(__aarch64__)
  features.emplace_back("neon");
#endif
  return features;
}

}  // namespace

void register_runtime(py::module_& m) {
  m.def(
      "load_runtime",
      [](const std::string& path, const std::string& remedy) {
        encoder::register_custom_ops();
        encoder::cuda::register_rehearsal_op();
        ort::Runtime::load(path, remedy);
      },
      py::arg("path"), py::arg("remedy"), py::call_guard<ReleasedGil>(),
      "Open ONNX Runtime's shared library at `path` (once per process).");
  m.def("runtime_loaded", [] { return ort::Runtime::loaded(); }, "Whether ONNX Runtime is open.");
  m.def("runtime_version", [] { return ort::Runtime::get().version(); }, "Version of the open ONNX Runtime.");
  m.def("runtime_api", [] { return ort::Runtime::get().api_version(); }, "Version of the C API in use.");
  m.def("runtime_providers", [] { return ort::Runtime::get().providers(); }, "Providers compiled into it.");
  m.def("cpu_features", &cpu_features, "Instruction sets of this processor that matter here.");
  m.def(
      "kernels", [] { return std::string(encoder::kernels().name); },
      "Name of the set of kernels in use, see ALBERT_FAST_KERNELS.");
  m.def(
      "kernel_sets",
      [] {
        std::vector<std::string> names;
        for (const encoder::Kernels& kernels : encoder::kernels_here()) names.emplace_back(kernels.name);
        return names;
      },
      "Names of the sets that this processor runs, the fastest first.");
}

}  // namespace albert_fast::bindings
