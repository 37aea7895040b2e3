#pragma once

#include <cstdint>
#include <vector>

#include "encoder/encoding.h"
#include "encoder/options.h"

namespace albert_fast::encoder {

/// One sequence of the model: [CLS], the pieces `[piece_begin, piece_end)`, [SEP], and `padding` more pieces
/// that are attended to (only where Spark NLP's batches are reproduced). It gives the vectors of the words
/// `[word_begin, word_end)` and of the pieces `[own_begin, own_end)`.
struct Window {
  std::uint32_t sentence = 0;
  std::uint32_t piece_begin = 0;
  std::uint32_t piece_end = 0;
  std::uint32_t word_begin = 0;
  std::uint32_t word_end = 0;
  std::uint32_t own_begin = 0;
  std::uint32_t own_end = 0;
  std::uint32_t padding = 0;

  [[nodiscard]] std::uint32_t tokens() const { return piece_end - piece_begin + 2 + padding; }
};

/// A sentence of at most `max_sentence_length - 2` pieces is one window. A longer one becomes windows that
/// start at word borders and overlap by about a quarter; a word belongs to the window in which it is farthest
/// from a cut.
std::vector<Window> plan_windows(const Encoding& encoding, std::int64_t max_sentence_length);

/// Spark NLP's plan (AlbertEmbeddings.batchAnnotate, spec section 3): groups of sentences padded to the
/// longest, cut at the end, words without a row dropped. `encoding` loses the words that get no annotation.
std::vector<Window> plan_sparknlp(Encoding& encoding, const EmbedOptions& options);

}  // namespace albert_fast::encoder
