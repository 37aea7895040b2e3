#include <cstdio>
#include <cstring>
#include <exception>

#include "tests/check.h"

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
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
