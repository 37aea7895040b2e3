#if defined(__x86_64__)

#define ALBERT_FAST_LANES 16
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/product_kernel.h"
#include "encoder/kernels/row_kernels.h"

namespace albert_fast::encoder {

Kernels avx512_kernels() {
  return {
      "avx512", attention, add_norm, activation, quantize, kPanelColumns, multiply<Tiles<MultiplyFloats>>};
}

}  // namespace albert_fast::encoder

#endif
