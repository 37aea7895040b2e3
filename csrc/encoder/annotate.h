#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "columns/annotation_column.h"
#include "encoder/encoding.h"
#include "encoder/options.h"

namespace albert_fast::encoder {

/// A word of an annotated sentence. `token` is its number in the column of tokens.
struct AnnotatedWord {
  std::string_view surface;
  std::uint32_t token = 0;
};

/// The sentences of a table's rows with their words, ready to be encoded: what Spark NLP's
/// TokenizedWithSentence.unpack makes. Sentences without words are left out, but counted in `number`.
struct AnnotatedSentences {
  std::vector<std::uint32_t> row_splits;   // [rows + 1]: the sentences of each row
  std::vector<std::string_view> texts;     // [sentences]
  std::vector<std::int32_t> numbers;       // [sentences]: position in the row's column of sentences
  std::vector<std::uint32_t> word_splits;  // [sentences + 1]
  std::vector<AnnotatedWord> words;

  [[nodiscard]] std::span<const AnnotatedWord> words_of(std::size_t sentence) const {
    return {words.data() + word_splits[sentence], words.data() + word_splits[sentence + 1]};
  }
};

/// Finds the tokens of every sentence: in its own document, or where Spark NLP is reproduced by offsets
/// alone, so that documents of one row, which all begin at 0, share tokens. Of these only the first are
/// taken, which Spark NLP reads: each of n documents has the tokens of all n.
AnnotatedSentences join_sentences(const columns::AnnotationColumn& sentences,
                                  const columns::AnnotationColumn& tokens, const EmbedOptions& options);

/// The annotations of the words that `encoding` kept, without their vectors. Sentence i of `encoding` is
/// sentence i of `joined`.
columns::AnnotationColumn describe_words(const Encoding& encoding, const AnnotatedSentences& joined,
                                         const columns::AnnotationColumn& tokens,
                                         const EmbedOptions& options);

}  // namespace albert_fast::encoder
