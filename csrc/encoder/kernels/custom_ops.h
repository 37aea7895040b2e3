#pragma once

namespace albert_fast::encoder {

/// Makes our operators (domain albert_fast) known to the runtime. Call once, before it opens.
void register_custom_ops();

// Its two halves: what goes with a matrix product, and PackedGather.
void register_product_operators();
void register_gather_operator();

}  // namespace albert_fast::encoder
