#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/patience.h"
#include "columns/annotation_column.h"
#include "columns/embedding_columns.h"
#include "encoder/encode_texts.h"
#include "encoder/model.h"
#include "encoder/options.h"
#include "encoder/rows.h"

namespace albert_fast::encoder {

/// What a model folder says about its tokenizer beside the pieces themselves.
struct TokenizerSettings {
  bool keep_accents = false;
  std::int32_t cls_id = -1;  // below 0: the piece "[CLS]" of the vocabulary
  std::int32_t sep_id = -1;
};

struct AnnotatedWords {
  columns::AnnotationColumn column;
  columns::EmbeddingStats stats;
};

/// Texts in, rows out: the road through the rooms. Immutable; calls may come from any number of threads.
class Engine {
 public:
  Engine(std::shared_ptr<const Model> model, std::shared_ptr<sentencepiece::Tokenizer> tokenizer,
         const TokenizerSettings& settings);

  columns::EmbeddingColumns embed(const std::vector<std::string_view>& texts, const EmbedOptions& options,
                                  const KeepGoing& keep_going) const;
  columns::EmbeddingColumns embed_words(const std::vector<WordList>& sentences, const EmbedOptions& options,
                                        const KeepGoing& keep_going) const;
  /// The vectors of a table's tokens: Spark NLP's AlbertEmbeddings over its two columns, one annotation for
  /// every token that has one. Without vectors when nobody will look at them.
  AnnotatedWords annotate(const columns::AnnotationColumn& sentences, const columns::AnnotationColumn& tokens,
                          const EmbedOptions& options, bool with_vectors, const KeepGoing& keep_going) const;
  /// Every row of sequences of piece ids that already hold [CLS] and [SEP]: [sum of lengths, hidden]. What
  /// the golden tests use to reach the model without any text.
  columns::EmbeddingColumns embed_ids(const std::vector<std::vector<std::int32_t>>& sequences,
                                      const EmbedOptions& options, const KeepGoing& keep_going) const;

  /// Makes short calls with these options as fast as they get; see Model::prepare.
  void prepare(const EmbedOptions& options) const;

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const sentencepiece::Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  void check(const EmbedOptions& options) const;
  [[nodiscard]] SpecialIds special_ids(const EmbedOptions& options) const;
  columns::EmbeddingColumns encode(Encoding encoding, const std::vector<std::string_view>& texts,
                                   const EmbedOptions& options, const KeepGoing& keep_going) const;
  [[nodiscard]] Encoding read(const TextSource& source, const EmbedOptions& options,
                              const KeepGoing& keep_going) const;
  [[nodiscard]] columns::DeviceRows compute_on_device(const Encoding& encoding,
                                                      const std::vector<Window>& windows, const RowPlan& rows,
                                                      const EmbedOptions& options,
                                                      const KeepGoing& keep_going,
                                                      columns::EmbeddingStats& stats) const;
  columns::Matrix compute(const Encoding& encoding, const std::vector<Window>& windows, const RowPlan& rows,
                          const EmbedOptions& options, const KeepGoing& keep_going,
                          columns::EmbeddingStats& stats) const;

  void run(const Encoding& encoding, const std::vector<Window>& windows, const RowPlan& rows,
           const EmbedOptions& options, const KeepGoing& keep_going, const Destination& out,
           columns::EmbeddingStats& stats) const;

  std::shared_ptr<const Model> model_;
  std::shared_ptr<sentencepiece::Tokenizer> tokenizer_;
  TokenizerSettings settings_;
};

}  // namespace albert_fast::encoder
