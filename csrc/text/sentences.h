#pragma once

#include <cstdint>
#include <limits>
#include <span>
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
  std::uint32_t split_length = 0;    // longer sentences are dealt out at single blanks; 0: they are not
  bool use_rules = true;             // false: only the caller's cuts
  bool abbreviations_first = false;  // before numbers, as where the caller has cuts of his own
};

/// Where a sentence ends and the next one begins; the stretch between belongs to neither.
using Cut = Span;

/// Buffers of one thread; they only save allocations.
struct SentenceScratch {
  MarkedText text;
  std::vector<Cut> breaks;
};

/// Appends the sentences of a document, in order, as slices without the blanks around them (bytes of the
/// document). The rules are those of Spark NLP's pragmatic SentenceDetector. Linear time. The document holds
/// fewer than 2^31 bytes of UTF-8; invalid bytes are read as letters of no known script. `cuts` are breaks
/// known beforehand (customBounds), ascending and disjoint; inside quotes and brackets a rule may undo one,
/// and its stretch stays in the sentence.
void detect_sentences(std::string_view document, const SentenceOptions& options, std::span<const Cut> cuts,
                      std::vector<Span>& sentences, SentenceScratch& scratch);

inline void detect_sentences(std::string_view document, const SentenceOptions& options,
                             std::vector<Span>& sentences, SentenceScratch& scratch) {
  detect_sentences(document, options, {}, sentences, scratch);
}

inline void detect_sentences(std::string_view document, std::vector<Span>& sentences,
                             SentenceScratch& scratch) {
  detect_sentences(document, SentenceOptions{}, sentences, scratch);
}

}  // namespace albert_fast::text
