#pragma once

#include "encoder/kernels/attention.h"

namespace albert_fast::encoder {

void attention_portable(const AttentionProblem& problem, std::size_t sequence, std::size_t head);
#if defined(__x86_64__)
void attention_avx2(const AttentionProblem& problem, std::size_t sequence, std::size_t head);
void attention_avx512(const AttentionProblem& problem, std::size_t sequence, std::size_t head);
#endif

}  // namespace albert_fast::encoder
