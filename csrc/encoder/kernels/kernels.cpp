#include "encoder/kernels/kernels.h"

namespace albert_fast::encoder {

const Kernels& kernels() {
  static const Kernels fastest = [] {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      return avx512_kernels();
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_kernels();
#endif
    return portable_kernels();
  }();
  return fastest;
}

}  // namespace albert_fast::encoder
