#pragma once

#include <cstddef>
#include <functional>

namespace albert_fast {

/// Runs task(worker, index) for every index below `tasks`, in order of start, on up to `threads` threads that
/// live only during the call (nothing is left behind for a fork to trip over). Meanwhile the calling thread
/// calls `poll` every few milliseconds; when it returns false, no new task starts and `stop` is called so
/// that running ones can end early. The first exception of a task stops the rest and is thrown here. Where
/// the system refuses threads, the calling thread does the work. Returns false when `poll` ended the work.
bool run_parallel(std::size_t tasks, std::size_t threads,
                  const std::function<void(std::size_t worker, std::size_t index)>& task,
                  const std::function<bool()>& poll, const std::function<void()>& stop);

}  // namespace albert_fast
