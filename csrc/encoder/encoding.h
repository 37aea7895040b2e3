#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"

namespace albert_fast::encoder {

/// A word of a sentence: its place in the text and its pieces, `[piece_begin, piece_end)` of
/// Encoding::piece_ids.
struct Word {
  Span span;  // bytes of the text
  std::uint32_t piece_begin = 0;
  std::uint32_t piece_end = 0;
  bool out_of_vocabulary = false;  // read as <unk>
  std::uint32_t token = 0;         // its number in the column of tokens that it came from, if any

  friend bool operator==(const Word&, const Word&) = default;
};

struct Sentence {
  std::uint32_t text = 0;
  Span span;
  std::uint32_t word_begin = 0;
  std::uint32_t word_end = 0;
  std::uint32_t piece_begin = 0;
  std::uint32_t piece_end = 0;

  friend bool operator==(const Sentence&, const Sentence&) = default;
};

/// Texts as sentences, words and piece ids, in order. A plain value: what the planner and the packer read.
struct Encoding {
  std::vector<Sentence> sentences;
  std::vector<Word> words;
  std::vector<std::int32_t> piece_ids;
  std::vector<Span> piece_spans;  // bytes of the text, for level piece and text tokenization, else empty
  std::vector<std::uint32_t> text_sentences;  // [texts + 1]: the sentences of each text
  std::uint64_t cut_pieces = 0;               // pieces not read because one word had more than a window holds
  std::uint64_t cut_words = 0;                // the words that lost them

  friend bool operator==(const Encoding&, const Encoding&) = default;
};

/// Ids of the pieces that frame and fill a sequence.
struct SpecialIds {
  std::int32_t cls = 0;
  std::int32_t sep = 0;
  std::int32_t padding = 0;
};

}  // namespace albert_fast::encoder
