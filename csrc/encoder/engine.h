#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "columns/embedding_columns.h"
#include "encoder/model.h"
#include "encoder/options.h"
#include "encoder/rows.h"
#include "encoder/text_encoder.h"

namespace albert_fast::encoder {

/// What a model folder says about its tokenizer beside the pieces themselves.
struct TokenizerSettings {
  bool keep_accents = false;
  std::int32_t cls_id = -1;  // below 0: the piece "[CLS]" of the vocabulary
  std::int32_t sep_id = -1;
};

/// Texts in, rows out: the road through the rooms. Immutable; calls may come from any number of threads.
class Engine {
 public:
  Engine(std::shared_ptr<const Model> model, std::shared_ptr<sentencepiece::Tokenizer> tokenizer,
         const TokenizerSettings& settings);

  /// `keep_going` is asked every few milliseconds from the calling thread; false ends the call with
  /// `cancelled`.
  using KeepGoing = std::function<bool()>;

  columns::EmbeddingColumns embed(const std::vector<std::string_view>& texts, const EmbedOptions& options,
                                  const KeepGoing& keep_going) const;
  columns::EmbeddingColumns embed_words(const std::vector<WordList>& sentences, const EmbedOptions& options,
                                        const KeepGoing& keep_going) const;
  /// Every row of sequences of piece ids that already hold [CLS] and [SEP]: [sum of lengths, hidden]. What
  /// the golden tests use to reach the model without any text.
  columns::EmbeddingColumns embed_ids(const std::vector<std::vector<std::int32_t>>& sequences,
                                      const EmbedOptions& options, const KeepGoing& keep_going) const;

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const sentencepiece::Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  void check(const EmbedOptions& options) const;
  [[nodiscard]] SpecialIds special_ids(const EmbedOptions& options) const;
  columns::EmbeddingColumns encode(Encoding encoding, const std::vector<std::string_view>& texts,
                                   const EmbedOptions& options, const KeepGoing& keep_going) const;
  void compute(const Encoding& encoding, const std::vector<Window>& windows, const RowPlan& rows,
               const EmbedOptions& options, const KeepGoing& keep_going,
               columns::EmbeddingColumns& out) const;

  std::shared_ptr<const Model> model_;
  std::shared_ptr<sentencepiece::Tokenizer> tokenizer_;
  TokenizerSettings settings_;
};

}  // namespace albert_fast::encoder
