#pragma once

#include <cstdint>
#include <vector>

#include "base/patience.h"
#include "columns/annotation_column.h"
#include "text/sentences.h"

namespace albert_fast::stages {

/// Where a user's patterns (customBounds) break the documents of a column, in code points of each document.
struct CustomBreaks {
  std::vector<std::int64_t> splits;   // [documents + 1]; empty: no patterns
  std::vector<std::int32_t> at;       // [breaks]
  std::vector<std::int32_t> removed;  // [breaks]: characters that belong to no sentence
};

/// Spark NLP's SentenceDetector over a column of documents. The sentences of a row are sorted by begin and
/// numbered anew, whichever of its documents they come from, as there.
columns::AnnotationColumn detect_sentences(const columns::AnnotationColumn& documents,
                                           const text::SentenceOptions& options, const CustomBreaks& breaks,
                                           const KeepGoing& keep_going);

}  // namespace albert_fast::stages
