#pragma once

#include "base/patience.h"
#include "columns/annotation_column.h"

namespace albert_fast::stages {

struct PoolingOptions {
  bool average = true;    // false: sum
  bool sparknlp = false;  // choose words by Spark NLP's rules, defects included
  bool skip_oov = true;   // chunks: leave unknown words out unless nothing else is there
};

/// Spark NLP's SentenceEmbeddings: a vector for every sentence (or document) from the vectors of its words;
/// none where there are no words. Its rule takes the words that carry the sentence's number, so a document
/// gets the words of its first sentence only; ours takes the words that lie in a row's only document.
columns::AnnotationColumn pool_sentences(const columns::AnnotationColumn& sentences,
                                         const columns::AnnotationColumn& words,
                                         const PoolingOptions& options, const KeepGoing& keep_going);

/// Spark NLP's ChunkEmbeddings: a vector for every chunk from the words in it; a chunk without any is left
/// out. Its rule looks only into the sentence that the chunk names, which is the first one for chunks that
/// come from a document; ours looks into the others then.
columns::AnnotationColumn pool_chunks(const columns::AnnotationColumn& chunks,
                                      const columns::AnnotationColumn& words, const PoolingOptions& options,
                                      const KeepGoing& keep_going);

}  // namespace albert_fast::stages
