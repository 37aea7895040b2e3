#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ort/handles.h"

namespace albert_fast::ort {

/// Files that a graph's external tensors name, in memory that the caller keeps: names and bytes alike.
class ExternalFiles {
 public:
  void add(const std::string& name, std::span<const std::byte> bytes) {
    names_.push_back(name.c_str());
    // The runtime only reads; its interface has no const.
    buffers_.push_back(reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data())));
    sizes_.push_back(bytes.size());
  }
  void give_to(const SessionOptionsHandle& options) {
    if (names_.empty()) return;
    const Runtime& runtime = Runtime::get();
    runtime.check(runtime.api().AddExternalInitializersFromFilesInMemory(
                      options.get(), names_.data(), buffers_.data(), sizes_.data(), names_.size()),
                  "preparing a session");
  }

 private:
  std::vector<const char*> names_;
  std::vector<char*> buffers_;
  std::vector<std::size_t> sizes_;
};

}  // namespace albert_fast::ort
