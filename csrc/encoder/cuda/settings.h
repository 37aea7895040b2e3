#pragma once

#include <cstddef>
#include <cstdint>

namespace albert_fast::encoder::cuda {

enum class Precision : std::uint8_t {
  fp32,  // products in true fp32
  tf32,  // fp32 everywhere, but products round their factors to 10 bits of mantissa
  fp16,  // weights and activations in fp16, sums and statistics in fp32
};

struct Settings {
  int device = 0;
  Precision precision = Precision::fp16;
  std::size_t memory_limit = 0;  // bytes of device memory for one session; 0: all there is
  std::uint32_t most_tokens = 16384;
  int workers = 2;     // one packs and copies while the other's micro-batch is on the device
  bool graphs = true;  // short micro-batches run as CUDA graphs, see CapturedRuns
  /// Attention kernels that may be chosen, as bits: flash 1, memory-efficient 2, plain 16. Naming them lifts
  /// the minimum lengths, below which the packed operator would not use flash attention.
  int attention_kernels = 19;
  /// Everything but the device: the same graph, batches and retries run on the CPU, with an attention of our
  /// own in the place of ONNX Runtime's CUDA kernel. fp32 only; memory_limit bounds one hidden state. What
  /// tests do where there is no GPU.
  bool rehearsal = false;
};

}  // namespace albert_fast::encoder::cuda
