#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace albert_fast::bindings {

/// The UTF-8 bytes of a `str`, borrowed from the object (Python caches them in it; for ASCII they are its own
/// memory). `name()` names the value in errors, for example "text 3"; it is only called for one.
template <class Name>
std::string_view utf8_of(pybind11::handle object, const Name& name) {
  if (!PyUnicode_Check(object.ptr())) {
    const std::string type = Py_TYPE(object.ptr())->tp_name;
    fail(ErrorCode::invalid_input, name() + " is " + (object.is_none() ? "None" : "of type " + type) +
                                       ", not str. Pass a string (an empty one for a missing text)");
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (data == nullptr) {
    pybind11::error_already_set error;
    if (!error.matches(PyExc_UnicodeEncodeError)) throw error;
    const std::string position = pybind11::str(error.value().attr("start"));
    fail(ErrorCode::invalid_input, name() + " holds a lone surrogate at position " + position +
                                       ", which is no character. Replace it first, for example with "
                                       "text.encode('utf-8', 'replace').decode()");
  }
  if (size >= INT32_MAX) {
    fail(ErrorCode::invalid_input, name() + " is longer than 2 GiB. Split it into several texts");
  }
  return {data, static_cast<std::size_t>(size)};
}

inline std::string_view utf8_of(pybind11::handle object, const char* name) {
  return utf8_of(object, [name] { return std::string(name); });
}

/// Views of all strings of a tuple. The tuple keeps them alive and cannot change, unlike the caller's list.
/// `name(i)` names item i in errors.
template <class Name>
std::vector<std::string_view> utf8_of_all(const pybind11::tuple& texts, const Name& name) {
  std::vector<std::string_view> views;
  views.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    views.push_back(utf8_of(texts[i], [&] { return name(i); }));
  }
  return views;
}

/// Whether a cell of a table stands for a missing text: None, NaN, or pandas' NA and NaT.
inline bool is_missing(pybind11::handle object) {
  if (object.is_none()) return true;
  if (PyFloat_Check(object.ptr())) return PyFloat_AS_DOUBLE(object.ptr()) != PyFloat_AS_DOUBLE(object.ptr());
  const std::string_view name = Py_TYPE(object.ptr())->tp_name;
  const std::string_view type = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  if (type == "NAType" || type == "NaTType") return true;
  if (!name.starts_with("numpy.float")) return false;  // NumPy's other floats are no Python floats
  const double number = PyFloat_AsDouble(object.ptr());
  return number != number;
}

}  // namespace albert_fast::bindings
