#include "encoder/kernels/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>

#include "base/error.h"

namespace albert_fast::encoder {
namespace {

/// Those of `wanted`, if it is not empty, among the ones that this processor runs.
Kernels choose(const std::vector<Kernels>& here, const std::string& wanted) {
  if (wanted.empty()) return here.front();
  std::string names;
  for (const Kernels& k : here) {
    if (wanted == k.name) return k;
    names += (names.empty() ? "" : ", ") + std::string(k.name);
  }
  fail(ErrorCode::device, "ALBERT_FAST_KERNELS is '" + wanted + "'; this processor runs " + names +
                              ". Set it to one of these, or leave it out to get the fastest");
}

#if defined(__x86_64__)
/// Whether products of bytes are better left to ONNX Runtime, which knows AMX.
bool has_amx_int8() {
  constexpr unsigned kAmxInt8 = 1U << 25;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxInt8) != 0;
}
#endif

}  // namespace

std::vector<Kernels> kernels_here() {
  std::vector<Kernels> all;
#if defined(__x86_64__)
  // What the files of these kernels are compiled for. GCC and clang count an instruction set only where the
  // system keeps its registers too.
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    if (__builtin_cpu_supports("avx512vnni") && !has_amx_int8()) {
      all.push_back(with_avx512_vnni(avx512_kernels()));
    }
    all.push_back(avx512_kernels());
  }
  if (has_avx2) all.push_back(avx2_kernels());
#endif
  all.push_back(portable_kernels());
  return all;
}

const Kernels& kernels() {
  static const Kernels chosen = [] {
    const char* wanted = std::getenv("ALBERT_FAST_KERNELS");
    return choose(kernels_here(), wanted == nullptr ? "" : wanted);
  }();
  return chosen;
}

}  // namespace albert_fast::encoder
