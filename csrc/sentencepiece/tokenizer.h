#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "sentencepiece/id_buffer.h"
#include "sentencepiece/model.h"
#include "sentencepiece/word_cache.h"
#include "sentencepiece/word_splitter.h"

namespace albert_fast::sentencepiece {

/// A Model with a memory for words it has seen. Results are those of the Model, only sooner: a text is cut at
/// white space and each part looked up, when `Model::words_are_separable()`; otherwise it goes the plain way.
/// Any number of threads may share one Tokenizer, each with a Scratch of its own.
class Tokenizer {
 public:
  static constexpr std::size_t kDefaultCacheBytes = std::size_t{16} << 20;
  using IsDigit = bool (*)(char32_t);

  explicit Tokenizer(std::shared_ptr<const Model> model, std::size_t cache_bytes = kDefaultCacheBytes);

  [[nodiscard]] const Model& model() const { return *model_; }

  /// Appends the ids of `word` encoded alone, bare `▁` pieces dropped, as Spark NLP does. No lower-casing.
  /// Returns how many were appended.
  std::size_t encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids);

  /// The same for many words, which is quicker: `ends` (one for each word) get the size of `ids` behind it.
  void encode_words(std::span<const WordKey> words, Scratch& scratch, IdBuffer& ids,
                    std::span<std::int64_t> ends);

  /// `Model::encode` of a whole text. Overwrites `out`.
  void encode_text(std::string_view text, Scratch& scratch, std::vector<Piece>& out);
  /// The same without places, which is quicker. Appends to `ids`.
  void encode_text_ids(std::string_view text, Scratch& scratch, IdBuffer& ids);

  /// Pieces of a text that went through ALBERT's preprocessing (Google's and Hugging Face's slow tokenizer):
  /// a piece like `▁1,` is split again without its comma. `is_digit` is Python's str.isdigit for one
  /// character.
  void encode_albert(std::string_view text, IsDigit is_digit, Scratch& scratch, std::vector<Piece>& out);

 private:
  struct TextState {     // how far a text was read
    float bound = 0.0F;  // not below the sum of the scores of all pieces so far, signs aside
    float score = 0.0F;  // of the first `scored` pieces, as the oracle sums them
    std::size_t scored = 0;
    std::uint32_t mark_at = 0;  // where the space before the next word stands
    bool is_empty = true;
  };
  struct Word {
    WordKey key;
    std::uint64_t hash;
    Span span;  // in a text
    bool was_seen;
  };

  static std::uint32_t white_space_flags(const Normalized& normalized);
  static bool depends_on_neighbours(std::uint32_t flags, std::size_t pieces, const TextState& state);
  /// Written in place: a struct that is copied right after its parts were stored makes the processor wait.
  void prepare(Word& word, const WordKey& key) const {
    word.key = key;
    word.hash = key.hash();
    word.was_seen = cache_.was_seen(word.hash);
  }
  bool look_up(const Word& word, Scratch& scratch, WordPieces& pieces);
  void search_alone(std::string_view word, Scratch& scratch, bool in_one_go) const;
  template <class Ids>
  void append_alone(const Word& word, Scratch& scratch, Ids& ids);
  template <class Ids>
  void append_alone_slowly(const Word& word, Scratch& scratch, Ids& ids);

  template <class Sink>
  bool encode_by_words(std::string_view text, Scratch& scratch, Sink& out);
  template <class Sink>
  bool append_word(const Word& word, TextState& state, Scratch& scratch, Sink& out);
  template <class Sink>
  bool append_slowly(const Word& word, TextState& state, Scratch& scratch, Sink& out);
  template <class Sink>
  bool append_searched(const Word& word, TextState& state, Scratch& scratch, Sink& out) const;
  template <class Sink>
  void settle(TextState& state, const Sink& out) const;

  void find_comma_pieces();
  [[nodiscard]] bool needs_resplit(const std::vector<Piece>& pieces, IsDigit is_digit) const;
  void resplit(Scratch& scratch, IsDigit is_digit, std::vector<Piece>& out) const;
  void append_resplit(std::string_view piece, std::size_t offset, Scratch& scratch,
                      std::vector<Piece>& out) const;

  std::shared_ptr<const Model> model_;
  WordCache cache_;
  Separators separators_;
  std::int32_t mark_id_;
  float bound_per_piece_;
  bool by_words_;
  std::vector<bool> ends_with_comma_;  // by id
  // An unknown run may end with a comma, or spell a piece that text never becomes.
  bool unknown_runs_have_names_ = false;
};

}  // namespace albert_fast::sentencepiece
