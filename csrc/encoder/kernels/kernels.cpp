#include "encoder/kernels/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>

#include "base/error.h"

namespace albert_fast::encoder {
namespace {

/// Those of `wanted`, if it is not empty, among the ones that this processor runs.
Kernels choose(const std::vector<Kernels>& here, const std::string& wanted) {
  if (wanted.empty()) return here.front();
  std::string names;
  for (const Kernels& k : here) {
    if (wanted == k.name) return k;
    names += (names.empty() ? "" : ", ") + std::string(k.name);
  }
  fail(ErrorCode::device, "ALBERT_FAST_KERNELS is '" + wanted + "'; this processor runs " + names +
                              ". Set it to one of these, or leave it out to get the fastest");
}

#if defined(__x86_64__)
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

  [[nodiscard]] bool avx2() const { return keeps(kYmm) && bit(ecx1_, 12) && bit(ebx7_, 5); }  // with FMA
  /// F, DQ, BW and VL.
  [[nodiscard]] bool avx512() const {
    return avx2() && keeps(kZmm) && bit(ebx7_, 16) && bit(ebx7_, 17) && bit(ebx7_, 30) && bit(ebx7_, 31);
  }
  [[nodiscard]] bool avx512_vnni() const { return avx512() && bit(ecx7_, 11); }
  [[nodiscard]] bool amx_int8() const { return bit(edx7_, 25); }

 private:
  // Registers that the system keeps when it changes threads: bits of XCR0.
  static constexpr unsigned kYmm = 0b110, kZmm = 0b11100110;

  static bool bit(unsigned word, int number) { return (word >> number & 1U) != 0; }
  [[nodiscard]] bool keeps(unsigned registers) const { return (kept_ & registers) == registers; }

  unsigned ecx1_ = 0, ebx7_ = 0, ecx7_ = 0, edx7_ = 0;  // of leaves 1 and 7
  unsigned kept_ = 0;
};
#endif

}  // namespace

std::vector<Kernels> kernels_here() {
  std::vector<Kernels> all;
#if defined(__x86_64__)
  // In each case what the file of these kernels is compiled for.
  const Processor processor;
  // Where there is AMX, products of bytes are better left to ONNX Runtime, which knows it.
  if (processor.avx512_vnni() && !processor.amx_int8()) all.push_back(with_avx512_vnni(avx512_kernels()));
  if (processor.avx512()) all.push_back(avx512_kernels());
  if (processor.avx2()) all.push_back(avx2_kernels());
#endif
  all.push_back(portable_kernels());
  return all;
}

const Kernels& kernels() {
  static const Kernels chosen = [] {
    const char* wanted = std::getenv("ALBERT_FAST_KERNELS");
    return choose(kernels_here(), wanted == nullptr ? "" : wanted);
  }();
  return chosen;
}

}  // namespace albert_fast::encoder
