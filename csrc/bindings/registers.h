#pragma once

#include <pybind11/pybind11.h>

// One function per bind_*.cpp, in the order of module.cpp.
namespace albert_fast::bindings {

void register_runtime(pybind11::module_& m);
void register_text(pybind11::module_& m);
void register_sentencepiece(pybind11::module_& m);
void register_columns(pybind11::module_& m);
void register_stages(pybind11::module_& m);
void register_device_rows(pybind11::module_& m);
void register_engine(pybind11::module_& m);
void register_cuda(pybind11::module_& m);

}  // namespace albert_fast::bindings
