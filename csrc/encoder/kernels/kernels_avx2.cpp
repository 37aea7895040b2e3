#if defined(__x86_64__)

#define ALBERT_FAST_LANES 8
#include "encoder/kernels/attention_kernel.h"
#include "encoder/kernels/byte_product_avx2.h"
#include "encoder/kernels/product_kernel.h"
#include "encoder/kernels/row_kernels.h"

namespace albert_fast::encoder {

Kernels avx2_kernels() {
  return {"avx2",
          attention,
          add_norm,
          activation,
          quantize,
          kPanelColumns,
          multiply<Tiles<MultiplyFloats>>,
          multiply<ByteTiles>,
          ByteTiles::kRange};
}

}  // namespace albert_fast::encoder

#endif
