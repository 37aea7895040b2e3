#if defined(__x86_64__)

#define ALBERT_FAST_LANES 16
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/attention_variants.h"

namespace albert_fast::encoder {

void attention_avx512(const AttentionProblem& problem, std::size_t sequence, std::size_t head) {
  Attention::run(problem, sequence, head);
}

}  // namespace albert_fast::encoder

#endif
