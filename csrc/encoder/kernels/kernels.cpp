#include "encoder/kernels/kernels.h"

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "encoder/kernels/processor.h"

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

}  // namespace

std::vector<Kernels> kernels_here() {
  std::vector<Kernels> all;
#if defined(__x86_64__)
  // In each case what the file of these kernels is compiled for.
  const Processor processor;
  // Where there is AMX, products of bytes are better left to ONNX Runtime, which knows it.
  if (processor.avx512() && processor.avx512vnni() && !processor.amx_int8()) {
    all.push_back(with_avx512_vnni(avx512_kernels()));
  }
  if (processor.avx512()) all.push_back(avx512_kernels());
  if (processor.avx2() && processor.fma()) all.push_back(avx2_kernels());
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
