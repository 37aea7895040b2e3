#pragma once

namespace albert_fast::encoder {

/// Makes PackedSelfAttention and PackedGather (domain albert_fast) known to the runtime. Call once, before it
/// opens.
void register_custom_ops();

/// Where the last PackedGather of this thread wrote its rows: how the engine proves that no copy lies
/// between.
const float* last_gather_destination() noexcept;

}  // namespace albert_fast::encoder
