#if defined(__x86_64__)

#define ALBERT_FAST_LANES 8
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/row_kernels.h"

namespace albert_fast::encoder {

Kernels avx2_kernels() { return {"avx2", attention, add_norm, activation, quantize}; }

}  // namespace albert_fast::encoder

#endif
