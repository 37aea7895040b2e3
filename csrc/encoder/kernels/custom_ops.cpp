#include "encoder/kernels/custom_ops.h"

#include <mutex>

namespace albert_fast::encoder {

void register_custom_ops() {
  static std::once_flag once;
  std::call_once(once, [] {
    register_product_operators();
    register_gather_operator();
  });
}

}  // namespace albert_fast::encoder
