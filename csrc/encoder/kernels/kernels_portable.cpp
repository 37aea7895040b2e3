// Four lanes are SSE2 on x86-64 and NEON on Arm: what every processor of the architecture has.
#define ALBERT_FAST_LANES 4
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/row_kernels.h"

namespace albert_fast::encoder {

Kernels portable_kernels() { return {"portable", attention, add_norm, activation, quantize}; }

}  // namespace albert_fast::encoder
