#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "encoder/kernels/kernels.h"
#include "tests/check.h"

namespace {

/// The kernels that were tested: what this processor, or an emulated one, runs.
std::string kernel_sets() {
  std::string names;
  for (const auto& kernels : albert_fast::encoder::kernels_here()) {
    names += (names.empty() ? "" : ", ") + std::string(kernels.name);
  }
  return names;
}

}  // namespace

// usage: core_tests [NAME-PART]
int main(int argc, char** argv) {
  int passed = 0;
  int failed = 0;
  for (const auto& test : albert_fast::test::cases()) {
    if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
    try {
      test.run();
      ++passed;
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAILED %s\n  %s\n", test.name, error.what());
    }
  }
  std::printf("%d passed, %d failed; kernels: %s\n", passed, failed, kernel_sets().c_str());
  return failed == 0 ? 0 : 1;
}
