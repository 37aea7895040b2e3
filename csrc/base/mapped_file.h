#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace albert_fast {

/// A file mapped read-only. Its pages belong to the system's cache and are shared between processes.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives the pages back to the system; they are read again from the file when touched.
  void drop_resident_pages() const noexcept;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace albert_fast
