#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "encoder/cuda/settings.h"
#include "ort/handles.h"

namespace albert_fast::encoder::cuda {

/// What ONNX Runtime's CUDA provider is told, as it takes it: names and values. `minor` is the runtime's
/// minor version, since an option that it does not know is an error.
std::vector<std::pair<std::string, std::string>> provider_options(const Settings& settings,
                                                                  std::uint32_t minor);

/// Puts the CUDA provider into a session's options, and forbids that any node runs elsewhere. With a `stream`
/// of CUDA's all work goes there, and runs are captured as CUDA graphs.
void append_cuda(const ort::SessionOptionsHandle& options, const Settings& settings, void* stream = nullptr);

/// Opens the provider and says with a `device` error why it cannot be used; without a session.
void probe_cuda(const Settings& settings);

/// ONNX Runtime's message without the places in its source and the lines after the first.
std::string readable(std::string_view message);

/// Whether an error of a run says that device memory ran out.
bool is_out_of_memory(std::string_view message);

}  // namespace albert_fast::encoder::cuda
