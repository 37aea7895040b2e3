#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bindings/strings.h"
#include "sentencepiece/word_key.h"

namespace albert_fast::bindings {

/// UTF-8 of a str (cached inside it) or the content of bytes; valid while the object lives.
template <class Name>
std::string_view text_view(pybind11::handle text, const Name& name) {
  if (PyBytes_Check(text.ptr())) {
    return {PyBytes_AS_STRING(text.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(text.ptr()))};
  }
  if (!PyUnicode_Check(text.ptr())) {
    fail(ErrorCode::invalid_input,
         name() + " must be str or bytes, not " + Py_TYPE(text.ptr())->tp_name + "; convert it first");
  }
  return utf8_of(text, name);
}

inline std::string_view text_view(pybind11::handle text, const char* name = "text") {
  return text_view(text, [name] { return std::string(name); });
}

/// Appends the keys of a list of words. A key holds a short word itself, so only long ones need their objects
/// afterwards: those go to `owners`. Runs no Python code, so the list stays as it is meanwhile.
inline void append_keys(const pybind11::list& words, std::vector<sentencepiece::WordKey>& keys,
                        std::vector<pybind11::object>& owners) {
  using sentencepiece::WordKey;
  // What ends where the characters of an ASCII str begin can be read.
  static_assert(sizeof(PyASCIIObject) >= WordKey::kShortBytes);
  const std::size_t count = words.size();
  PyObject* const* const items = reinterpret_cast<PyListObject*>(words.ptr())->ob_item;
  keys.resize(keys.size() + count);
  WordKey* const to = keys.data() + keys.size() - count;
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 16 < count) __builtin_prefetch(items[i + 16]);  // the strings lie all over the heap
    PyObject* const item = items[i];
    if (PyUnicode_Check(item) && PyUnicode_IS_COMPACT_ASCII(item)) [[likely]] {
      const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(item));
      if (size <= WordKey::kShortBytes) [[likely]] {
        to[i] = WordKey::ending_at(static_cast<const char*>(PyUnicode_DATA(item)) + size, size);
        continue;
      }
    }
    to[i] = WordKey(text_view(item, [i] { return "text " + std::to_string(i); }));
    if (!to[i].is_short()) owners.push_back(pybind11::reinterpret_borrow<pybind11::object>(item));
  }
}

}  // namespace albert_fast::bindings
