#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace albert_fast::text {

/// The cleanup modes of Spark NLP's DocumentAssembler. "full" ones also look for line breaks and tabs that
/// were written out, as a backslash and a letter.
enum class Cleanup : std::uint8_t {
  disabled,
  inplace,
  inplace_full,
  shrink,
  shrink_full,
  each,
  each_full,
  delete_full
};

/// Appends `text` after cleanup to `out`. Blanks are ASCII ones, as in Java's \s.
void append_clean(std::string_view text, Cleanup mode, std::string& out);

}  // namespace albert_fast::text
