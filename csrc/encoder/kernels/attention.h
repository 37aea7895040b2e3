#pragma once

#include <cstddef>
#include <cstdint>

namespace albert_fast::encoder {

/// Block-diagonal self-attention over packed sequences (Vaswani et al. 2017, equation 1, one block per
/// sequence).
struct AttentionProblem {
  const float* qkv = nullptr;   // [tokens, 3 * hidden]: query | key | value of each token, without bias
  const float* bias = nullptr;  // [3 * hidden]
  float* context = nullptr;     // [tokens, hidden]
  const std::int32_t* cu_seqlens = nullptr;  // [sequences + 1], first 0, last = tokens
  std::size_t heads = 0;
  std::size_t head_dim = 0;
};

/// Computes one head of one sequence. Every call uses the same order of operations, so a sequence's result
/// does not depend on what else is packed beside it. Thread-safe; keeps scratch memory per thread.
using AttentionKernel = void (*)(const AttentionProblem& problem, std::size_t sequence, std::size_t head);

/// The fastest kernel of this processor, and its name ("avx512", "avx2", "portable").
struct AttentionChoice {
  AttentionKernel kernel;
  const char* name;
};
AttentionChoice choose_attention();

}  // namespace albert_fast::encoder
