#pragma once

#if defined(__x86_64__)
#include <cpuid.h>

namespace albert_fast::encoder {

/// What this processor has and the system lets programs use. Asked of the processor itself: the answer of
/// `__builtin_cpu_supports` comes from the compiler's runtime, and Zig's says no to everything.
class Processor {
 public:
  Processor() {
    unsigned a = 0, b = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &ecx1_, &d) == 0) return;
    if (bit(ecx1_, 27)) {  // xgetbv is there, and the system uses it
      unsigned low = 0, high = 0;
      __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      kept_ = low;
    }
    __get_cpuid_count(7, 0, &a, &ebx7_, &ecx7_, &edx7_);
  }

  [[nodiscard]] bool fma() const { return keeps(kYmm) && bit(ecx1_, 12); }
  [[nodiscard]] bool avx2() const { return keeps(kYmm) && bit(ebx7_, 5); }
  [[nodiscard]] bool avx512f() const { return keeps(kZmm) && bit(ebx7_, 16); }
  [[nodiscard]] bool avx512vnni() const { return keeps(kZmm) && bit(ecx7_, 11); }
  /// F, DQ, BW and VL, and what every such processor has besides.
  [[nodiscard]] bool avx512() const {
    return avx2() && fma() && avx512f() && bit(ebx7_, 17) && bit(ebx7_, 30) && bit(ebx7_, 31);
  }
  [[nodiscard]] bool amx_int8() const { return bit(edx7_, 25); }

 private:
  // Registers that the system keeps when it changes threads: bits of XCR0.
  static constexpr unsigned kYmm = 0b110, kZmm = 0b11100110;

  static bool bit(unsigned word, int number) { return (word >> number & 1U) != 0; }
  [[nodiscard]] bool keeps(unsigned registers) const { return (kept_ & registers) == registers; }

  unsigned ecx1_ = 0, ebx7_ = 0, ecx7_ = 0, edx7_ = 0;  // of leaves 1 and 7
  unsigned kept_ = 0;
};

}  // namespace albert_fast::encoder
#endif
