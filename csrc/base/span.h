#pragma once

#include <cstdint>
#include <string_view>

namespace albert_fast {

/// A half-open range of byte offsets, `[begin, end)`. Texts are below 2 GiB (checked where they enter).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t size() const { return end - begin; }
  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  friend bool operator==(const Span&, const Span&) = default;
};

}  // namespace albert_fast
