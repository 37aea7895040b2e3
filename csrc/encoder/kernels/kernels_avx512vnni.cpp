#if defined(__x86_64__)

#define ALBERT_FAST_LANES 16
#include "encoder/kernels/byte_product_vnni.h"

namespace albert_fast::encoder {

Kernels with_avx512_vnni(Kernels avx512) {
  avx512.name = "avx512vnni";
  avx512.byte_product = multiply<Tiles<MultiplyBytes>>;
  return avx512;
}

}  // namespace albert_fast::encoder

#endif
