#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace albert_fast {

MappedFile::MappedFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(ErrorCode::corrupt_model, path + " cannot be opened: " + std::strerror(errno));
  struct stat status{};
  if (fstat(file, &status) != 0 || status.st_size <= 0) {
    close(file);
    fail(ErrorCode::corrupt_model, path + " is empty or not a regular file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
  const int map_errno = errno;
  close(file);
  if (address == MAP_FAILED) {
    fail(ErrorCode::corrupt_model, path + " cannot be mapped into memory: " + std::strerror(map_errno));
  }
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() { munmap(const_cast<std::byte*>(data_), size_); }

void MappedFile::drop_resident_pages() const noexcept {
  madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

}  // namespace albert_fast
