#include "encoder/kernels/attention.h"

// Four lanes are SSE2 on x86-64 and NEON on Arm: what every processor of the architecture has.
#define ALBERT_FAST_LANES 4
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/attention_variants.h"

namespace albert_fast::encoder {

void attention_portable(const AttentionProblem& problem, std::size_t sequence, std::size_t head) {
  Attention::run(problem, sequence, head);
}

AttentionChoice choose_attention() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return {attention_avx512, "avx512"};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {attention_avx2, "avx2"};
#endif
  return {attention_portable, "portable"};
}

}  // namespace albert_fast::encoder
