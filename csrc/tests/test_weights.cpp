#include <unistd.h>

#include <bit>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "encoder/weights.h"
#include "tests/check.h"

namespace albert_fast::encoder {
namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(std::filesystem::temp_directory_path() / ("albert_fast_" + std::to_string(getpid()))) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

ALBERT_FAST_TEST(a_tensor_outside_the_file_is_refused) {
  const TemporaryFile file(std::string(64, 'x'));
  const Geometry geometry;
  const auto load = [&](TensorEntry entry) { return Weights(file.path(), {std::move(entry)}, geometry); };
  CHECK_THROWS(load({"a", "F32", {4}, 56, 72}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {4}, 60, 56}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {5}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {-4}, 0, 16}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "F32", {std::int64_t{1} << 62, 16}, 0, 0}), ErrorCode::corrupt_model);
  CHECK_THROWS(load({"a", "I64", {8}, 0, 16}), ErrorCode::corrupt_model);
  // A tensor that is fine leads to the next question: where are the others?
  CHECK_THROWS(load({"a", "F32", {4}, 0, 16}), ErrorCode::corrupt_model);
}

ALBERT_FAST_TEST(a_file_that_is_missing_or_empty_is_refused) {
  CHECK_THROWS(MappedFile("/nonexistent/file"), ErrorCode::corrupt_model);
  const TemporaryFile empty("");
  CHECK_THROWS(MappedFile(empty.path()), ErrorCode::corrupt_model);
}

}  // namespace albert_fast::encoder
