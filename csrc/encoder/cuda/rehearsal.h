#pragma once

#include <string_view>

namespace albert_fast::encoder::cuda {

/// The domain of the operator that stands in for com.microsoft.PackedMultiHeadAttention on the CPU.
inline constexpr std::string_view kRehearsalDomain = "albert_fast";

/// Makes it known to the runtime. Call once, before that opens.
void register_rehearsal_op();

}  // namespace albert_fast::encoder::cuda
