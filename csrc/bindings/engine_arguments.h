#pragma once

#include <pybind11/pybind11.h>

#include "encoder/cuda/settings.h"
#include "encoder/geometry.h"

// Dicts of numbers from Python as the core's structs (bind_engine.cpp).
namespace albert_fast::bindings {

encoder::Geometry geometry_from(const pybind11::dict& d);
encoder::cuda::Settings cuda_settings_from(const pybind11::dict& d);

}  // namespace albert_fast::bindings
