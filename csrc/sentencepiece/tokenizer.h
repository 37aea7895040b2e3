#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "sentencepiece/model.h"
#include "sentencepiece/word_cache.h"

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

  /// The same for many words, which is quicker: `splits` gets the end of each word's ids.
  void encode_words(std::span<const std::string_view> words, Scratch& scratch, std::vector<std::int32_t>& ids,
                    std::vector<std::int64_t>& splits);

  /// `Model::encode` of a whole text. Overwrites `out`.
  void encode_text(std::string_view text, Scratch& scratch, std::vector<Piece>& out);

  /// Pieces of a text that went through ALBERT's preprocessing (Google's and Hugging Face's slow tokenizer):
  /// a piece like `▁1,` is split again without its comma. `is_digit` is Python's str.isdigit for one
  /// character.
  void encode_albert(std::string_view text, IsDigit is_digit, Scratch& scratch, std::vector<Piece>& out);

 private:
  struct TextState {            // how far a text was read
    float score = 0.0F;         // of all pieces so far, as the oracle sums them
    std::uint32_t mark_at = 0;  // where the space before the next word stands
    bool is_empty = true;
  };
  struct Word {  // what stands before the next separator
    Span span;
    WordKey key;  // empty when the word is, or too long to remember
  };

  static bool depends_on_neighbours(std::uint32_t flags, std::size_t pieces, const TextState& state);
  void append_alone(std::string_view word, const WordKey& key, Scratch& scratch,
                    std::vector<std::int32_t>& ids);
  bool look_up(std::string_view word, const WordKey& key, Scratch& scratch, WordPieces& pieces);
  void search_alone(std::string_view word, Scratch& scratch, bool in_one_go) const;
  [[nodiscard]] std::uint32_t find_separator(std::string_view text, std::uint32_t at) const;
  bool encode_by_words(std::string_view text, Scratch& scratch, std::vector<Piece>& out);
  [[nodiscard]] Word find_word(std::string_view text, std::uint32_t begin) const;
  bool append_word(std::string_view text, const Word& word, TextState& state, Scratch& scratch,
                   std::vector<Piece>& out);
  bool append_searched(std::string_view text, Span word, TextState& state, Scratch& scratch,
                       std::vector<Piece>& out) const;

  void find_comma_pieces();
  [[nodiscard]] bool needs_resplit(const std::vector<Piece>& pieces, IsDigit is_digit) const;
  void resplit(Scratch& scratch, IsDigit is_digit, std::vector<Piece>& out) const;
  void append_resplit(std::string_view piece, std::size_t offset, Scratch& scratch,
                      std::vector<Piece>& out) const;

  std::shared_ptr<const Model> model_;
  WordCache cache_;
  std::int32_t mark_id_;
  bool by_words_, separators_are_low_ = false;
  std::vector<bool> ends_with_comma_;  // by id
  // An unknown run may end with a comma, or spell a piece that text never becomes.
  bool unknown_runs_have_names_ = false;
};

}  // namespace albert_fast::sentencepiece
