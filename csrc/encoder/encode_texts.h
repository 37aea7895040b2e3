#pragma once

#include <cstddef>
#include <functional>

#include "base/patience.h"
#include "encoder/encoding.h"
#include "encoder/text_encoder.h"

namespace albert_fast::encoder {

/// What a call reads: `add` puts text i into an encoder, and is called once for each, from any thread.
struct TextSource {
  std::size_t count = 0;
  std::function<std::size_t(std::size_t)> bytes;  // about how many there are to read in text i
  std::function<void(TextEncoder&, std::size_t)> add;
};

/// The encoding of all texts in order. Where there is enough to read, up to `threads` threads each read
/// stretches of neighbouring texts, and the stretches are joined.
Encoding encode_texts(const TextSource& source, const std::function<TextEncoder()>& make_encoder, int threads,
                      const KeepGoing& keep_going);

/// Puts the texts of `more` behind those of `all`.
void append(Encoding& all, const Encoding& more);

}  // namespace albert_fast::encoder
