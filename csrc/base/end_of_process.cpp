#include "base/end_of_process.h"

#include <unistd.h>

namespace albert_fast {

void wait_for_the_end() noexcept {
  while (true) pause();
}

}  // namespace albert_fast
