#pragma once

namespace albert_fast {

/// The thread that the process began with, and ends with as a rule.
[[nodiscard]] bool is_main_thread() noexcept;

/// What a thread does that the end of the process has overtaken: it waits until it is no more.
[[noreturn]] void wait_for_the_end() noexcept;

}  // namespace albert_fast
