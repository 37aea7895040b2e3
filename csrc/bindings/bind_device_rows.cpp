#include <pybind11/numpy.h>

#include <array>
#include <memory>
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/device_rows.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "dlpack/dlpack.h"
#include "encoder/cuda/card_memory.h"
#include "ort/runtime.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

DLDevice device_of(const DeviceMatrix& m) {
  return m.rows.on_host ? DLDevice{kDLCPU, 0} : DLDevice{kDLCUDA, m.rows.device};
}

DeviceMatrix part(const DeviceMatrix& m, std::int64_t first, std::int64_t last) {
  if (first < 0 || first > last || last > m.count) {
    fail(ErrorCode::invalid_input, "rows " + std::to_string(first) + " to " + std::to_string(last) +
                                       " are not among the " + std::to_string(m.count) + " of these vectors");
  }
  DeviceMatrix result = m;
  result.rows.data += first * m.hidden;
  result.count = last - first;
  return result;
}

py::array_t<float> to_numpy(const DeviceMatrix& m) {
  if (m.rows.generation != ort::fork_generation()) {
    fail(ErrorCode::forked,
         "these vectors were made before the process forked, and the child cannot reach the device's memory. "
         "Copy them to the host in the parent, or start children with the 'spawn' or 'forkserver' method");
  }
  AlignedBuffer<float> host(static_cast<std::size_t>(m.count * m.hidden));
  {
    const ReleasedGil released;
    encoder::cuda::CardMemory(m.rows.device, m.rows.on_host).download(m.rows.data, host.span());
  }
  return to_matrix(std::move(host), m.count, m.hidden);
}

/// A tensor in the form of one or the other version, and what it points at.
template <class Managed>
struct Exported {
  Managed tensor{};
  std::array<std::int64_t, 2> shape{};
  std::array<std::int64_t, 2> strides{};
  std::shared_ptr<const void> owner;
};

template <class Managed>
py::object export_as(const DeviceMatrix& m, const char* name) {
  auto exported = std::make_unique<Exported<Managed>>();
  exported->shape = {m.count, m.hidden};
  exported->strides = {m.hidden, 1};
  exported->owner = m.rows.owner;
  exported->tensor.dl_tensor = {
      m.rows.data, device_of(m), 2, {kDLFloat, 32, 1}, exported->shape.data(), exported->strides.data(), 0};
  exported->tensor.manager_ctx = exported.get();
  exported->tensor.deleter = [](Managed* tensor) {
    delete static_cast<Exported<Managed>*>(tensor->manager_ctx);
  };
  if constexpr (requires { exported->tensor.version; }) exported->tensor.version = {1, 0};
  PyObject* capsule = PyCapsule_New(&exported->tensor, name, [](PyObject* object) {
    // A taker renames the capsule; one that still has its name was never taken.
    const char* own = PyCapsule_GetName(object);
    if (own == nullptr || std::string_view(own).starts_with("used")) return;
    auto* tensor = static_cast<Managed*>(PyCapsule_GetPointer(object, own));
    if (tensor != nullptr) tensor->deleter(tensor);
  });
  if (capsule == nullptr) throw py::error_already_set();
  (void)exported.release();  // the capsule or its taker deletes it
  return py::reinterpret_steal<py::object>(capsule);
}

py::object dlpack(const DeviceMatrix& m, bool versioned) {
  return versioned ? export_as<DLManagedTensorVersioned>(m, "dltensor_versioned")
                   : export_as<DLManagedTensor>(m, "dltensor");
}

}  // namespace

void register_device_rows(py::module_& m) {
  py::class_<DeviceMatrix>(m, "DeviceMatrix", "Rows of float32 in the memory of a device.")
      .def_property_readonly("shape",
                             [](const DeviceMatrix& self) { return py::make_tuple(self.count, self.hidden); })
      .def_property_readonly("address",
                             [](const DeviceMatrix& self) { return std::uintptr_t(self.rows.data); })
      .def_property_readonly("device",
                             [](const DeviceMatrix& self) {
                               const DLDevice device = device_of(self);
                               return py::make_tuple(device.device_type, device.device_id);
                             })
      .def("part", &part, py::arg("first"), py::arg("last"))
      .def("to_numpy", &to_numpy)
      .def("dlpack", &dlpack, py::arg("versioned"));
}

}  // namespace albert_fast::bindings
