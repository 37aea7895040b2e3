#if defined(__x86_64__)

#define ALBERT_FAST_LANES 16
#include "encoder/kernels/byte_product_vnni.h"

namespace albert_fast::encoder {

void add_avx512_vnni(Kernels& kernels) {
  kernels.byte_product = multiply<Tiles<MultiplyBytes>>;
  kernels.byte_range = {};
}

}  // namespace albert_fast::encoder

#endif
