#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/engine_arguments.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "encoder/cuda/device_batch.h"
#include "encoder/cuda/device_graph.h"
#include "encoder/cuda/provider.h"
#include "onnxruntime/abi.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

namespace cuda = encoder::cuda;

py::bytes bytes_of(const cuda::DeviceWeights::Item& item) {
  return {reinterpret_cast<const char*>(item.bytes.data()), item.bytes.size()};
}

/// (the graph, {name: (dtype, shape, bytes)}): what a session gets.
py::tuple device_graph(encoder::TensorStore& store, const py::dict& geometry, const py::dict& settings,
                       const std::vector<std::int64_t>& layers, bool pooler, bool means, bool keeps) {
  const encoder::Geometry g = geometry_from(geometry);
  const cuda::Precision precision = cuda_settings_from(settings).precision;
  const cuda::DeviceWeights weights(encoder::Weights(std::exchange(store, encoder::TensorStore()), g), g,
                                    precision);
  const cuda::DeviceGraph graph =
      cuda::write_device_graph(g, weights, {layers, pooler, means}, precision, keeps);
  py::dict tensors;
  for (const std::string& name : graph.weights) {
    const cuda::DeviceWeights::Item& item = weights.at(name);
    const char* dtype = item.element_type == ort::kFloat16 ? "float16" : "float32";
    tensors[py::str(name)] = py::make_tuple(dtype, item.shape, bytes_of(item));
  }
  return py::make_tuple(py::bytes(graph.onnx), tensors);
}

py::dict device_batch(const Array<std::int32_t>& input_ids, const Array<std::int32_t>& position_ids,
                      const Array<std::int32_t>& cu_seqlens, const Array<std::int32_t>& row_splits,
                      const Array<std::int32_t>& row_tokens, std::int32_t reduction) {
  const auto view = [](const Array<std::int32_t>& a) {
    return std::span<const std::int32_t>(a.data(), static_cast<std::size_t>(a.size()));
  };
  cuda::DeviceBatch batch;
  cuda::lay_out(
      {view(input_ids), view(position_ids), view(cu_seqlens), view(row_splits), view(row_tokens), reduction},
      batch);
  py::dict d;
  d["input_ids"] = to_array(std::move(batch.input_ids));
  d["position_ids"] = to_array(std::move(batch.position_ids));
  d["cu_seqlens"] = to_array(std::move(batch.cu_seqlens));
  d["token_offset"] = to_array(std::move(batch.token_offset));
  d["longest"] = batch.longest;
  d["kept_tokens"] = to_array(std::move(batch.kept_tokens));
  d["row_index"] = to_array(std::move(batch.row_index));
  d["row_mask"] = to_array(std::move(batch.row_mask));
  d["row_share"] = to_array(std::move(batch.row_share));
  d["rows"] = batch.rows;
  d["width"] = batch.width;
  d["means"] = batch.means;
  d["host_splits"] = to_array(std::move(batch.host_splits));
  d["host_tokens"] = to_array(std::move(batch.host_tokens));
  return d;
}

}  // namespace

void register_cuda(py::module_& m) {
  m.def("device_graph", &device_graph, py::arg("weights"), py::arg("geometry"), py::arg("settings"),
        py::arg("layers"), py::arg("pooler") = false, py::arg("means") = false, py::arg("keeps") = true,
        "The ONNX graph for CUDA and its weights; the store is empty afterwards.");
  m.def("device_batch", &device_batch, py::arg("input_ids"), py::arg("position_ids"), py::arg("cu_seqlens"),
        py::arg("row_splits"), py::arg("row_tokens"), py::arg("reduction"),
        "A packed micro-batch as the CUDA graph takes it.");
  m.def(
      "cuda_options",
      [](const py::dict& settings, std::uint32_t minor) {
        return cuda::provider_options(cuda_settings_from(settings), minor);
      },
      py::arg("settings"), py::arg("minor"), "What ONNX Runtime 1.<minor>'s CUDA provider is told.");
  m.def(
      "cuda_probe",
      [](const py::dict& settings) {
        const cuda::Settings s = cuda_settings_from(settings);
        const ReleasedGil released;
        cuda::probe_cuda(s);
      },
      py::arg("settings"), "Open the CUDA provider; DeviceError says why it cannot be used.");
}

}  // namespace albert_fast::bindings
