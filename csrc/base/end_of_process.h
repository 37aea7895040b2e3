#pragma once

namespace albert_fast {

/// What a thread does that the end of the process has overtaken: it waits until it is no more.
[[noreturn]] void wait_for_the_end() noexcept;

}  // namespace albert_fast
