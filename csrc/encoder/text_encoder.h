#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/annotate.h"
#include "encoder/encoding.h"
#include "encoder/options.h"
#include "sentencepiece/tokenizer.h"
#include "text/albert_preprocess.h"
#include "text/sentences.h"
#include "text/words.h"

namespace albert_fast::encoder {

/// A text given as one sentence of words that are already split. A word's place is the one it would have if
/// the words were joined by single blanks.
struct WordList {
  std::vector<std::string_view> words;
};

/// Texts -> sentences -> words -> pieces. One call's worker: it keeps scratch memory and collects an
/// Encoding.
class TextEncoder {
 public:
  TextEncoder(sentencepiece::Tokenizer& tokenizer, const EmbedOptions& options, bool keep_accents);

  void add_text(std::string_view text);
  void add_words(const WordList& list);
  /// A sentence whose words are known; `end_text` closes the text that it belongs to.
  void add_annotated(std::string_view sentence, std::span<const AnnotatedWord> words);
  void end_text();
  [[nodiscard]] Encoding take();

 private:
  void add_sentence(std::string_view text, Span span);
  void begin_sentence(Span span);
  void end_sentence();
  void encode_annotated_whole(std::string_view sentence, std::span<const AnnotatedWord> words);
  void encode_word_by_word(std::string_view text);
  void encode_whole(std::string_view text, Span sentence);
  void encode_stretch(std::string_view text, Span stretch);
  void encode_word(std::string_view surface, Word& word);
  void locate_pieces(std::string_view surface, std::string_view original, const Word& word);
  void align_words(std::uint32_t first_word, std::uint32_t first_piece);
  void cut_long_word(Word& word, std::size_t& pieces);
  [[nodiscard]] bool is_unknown(const Word& word) const;

  sentencepiece::Tokenizer& tokenizer_;
  const EmbedOptions& options_;
  bool keep_accents_;
  text::WordRules word_rules_;
  std::uint32_t capacity_;  // pieces of a window
  std::int32_t mark_id_;    // the bare ▁
  bool wants_spans_;
  Encoding encoding_;

  struct Literal {  // a special token that stands in a text as it is written, such as [MASK]
    Span span;
    std::int32_t id = -1;
  };
  void find_literals(std::string_view text, Span within);

  sentencepiece::Scratch scratch_;
  text::SentenceScratch sentence_scratch_;
  std::vector<Span> sentences_;
  std::vector<Span> words_;
  std::vector<sentencepiece::Piece> pieces_;
  std::vector<Literal> literals_;
  text::Preprocessed preprocessed_;
  std::string lowered_;
};

/// Throws where one call has more pieces than their numbers can count.
void check_size(std::size_t pieces);

}  // namespace albert_fast::encoder
