#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "text/marked_text.h"

namespace albert_fast::text {

/// Parameters of Spark NLP's SentenceDetector, with its defaults. Lengths count UTF-16 units, as there.
struct SentenceOptions {
  bool use_abbreviations = true;
  bool detect_lists = true;
  std::uint32_t min_length = 0;
  std::uint32_t max_length = std::numeric_limits<std::uint32_t>::max();
};

/// Buffers of one thread; they only save allocations.
struct SentenceScratch {
  MarkedText text;
  std::vector<std::uint32_t> breaks;
};

/// Appends the sentences of a document, in order, as slices without the blanks around them (bytes of the
/// document). The rules are those of Spark NLP's pragmatic SentenceDetector without custom bounds. Linear
/// time. The document holds fewer than 2^31 bytes of UTF-8; invalid bytes are read as letters of no known
/// script.
void detect_sentences(std::string_view document, const SentenceOptions& options, std::vector<Span>& sentences,
                      SentenceScratch& scratch);

inline void detect_sentences(std::string_view document, std::vector<Span>& sentences,
                             SentenceScratch& scratch) {
  detect_sentences(document, SentenceOptions{}, sentences, scratch);
}

}  // namespace albert_fast::text
