#pragma once

#include <cstdint>
#include <vector>

#include "base/patience.h"
#include "columns/annotation_column.h"
#include "text/words.h"

namespace albert_fast::stages {

/// Spark NLP's Tokenizer over a column of sentences or documents, where only the context characters and the
/// lengths differ from its defaults.
columns::AnnotationColumn split_tokens(const columns::AnnotationColumn& sentences,
                                       const text::WordRules& rules, const KeepGoing& keep_going);

/// Words that a user's patterns found: half-open places in code points of each sentence.
struct FoundWords {
  std::vector<std::int64_t> splits;  // [sentences + 1]
  std::vector<std::int32_t> begin;   // [words]
  std::vector<std::int32_t> end;
};

/// The same column of tokens, made of words that are known already.
columns::AnnotationColumn make_tokens(const columns::AnnotationColumn& sentences, const FoundWords& words);

}  // namespace albert_fast::stages
