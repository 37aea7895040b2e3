#include "base/end_of_process.h"

#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#else
#include <pthread.h>
#endif

namespace albert_fast {

bool is_main_thread() noexcept {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

void wait_for_the_end() noexcept {
  while (true) pause();
}

}  // namespace albert_fast
