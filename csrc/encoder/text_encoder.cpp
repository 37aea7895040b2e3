#include "encoder/text_encoder.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "text/lower.h"
#include "unicode/unicode.h"

namespace albert_fast::encoder {
namespace {

constexpr std::uint32_t kSparkNlpMaxWord = 99'999;  // UTF-16 units; maxLength of the Python Tokenizer

bool have_same_places(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t at = 0; at < a.size();) {
    const std::uint32_t size = decode(a, at).size;
    if (size != decode(b, at).size) return false;
    at += size;
  }
  return true;
}

}  // namespace

TextEncoder::TextEncoder(sentencepiece::Tokenizer& tokenizer, const EmbedOptions& options, bool keep_accents)
    : tokenizer_(tokenizer),
      options_(options),
      keep_accents_(keep_accents),
      // Spark NLP's Tokenizer drops longer words; we give every word a vector.
      word_rules_(text::WordRules::kDefaultContext, 0,
                  options.sparknlp ? kSparkNlpMaxWord : std::numeric_limits<std::uint32_t>::max()),
      capacity_(static_cast<std::uint32_t>(std::max<std::int64_t>(options.max_sentence_length - 2, 1))),
      mark_id_(tokenizer.model().piece_to_id("\xE2\x96\x81")),
      wants_spans_(options.level == Level::piece || options.tokenization == Tokenization::text) {
  encoding_.text_sentences.push_back(0);
}

Encoding TextEncoder::take() { return std::move(encoding_); }

void TextEncoder::add_text(std::string_view text) {
  if (options_.detect_sentences) {
    sentences_.clear();
    text::detect_sentences(text, sentences_, sentence_scratch_);
    for (const Span sentence : sentences_) add_sentence(text, sentence);
  } else {
    add_sentence(text, {0, static_cast<std::uint32_t>(text.size())});
  }
  end_text();
}

void TextEncoder::add_words(const WordList& list) {
  if (!list.words.empty()) {
    begin_sentence({});
    std::uint32_t at = 0;
    for (const std::string_view surface : list.words) {
      Word word;
      word.span = {at, at + static_cast<std::uint32_t>(surface.size())};
      at = word.span.end + 1;
      encode_word(surface, word);
      encoding_.words.push_back(word);
    }
    encoding_.sentences.back().span.end = at - 1;
    end_sentence();
  }
  end_text();
}

void TextEncoder::add_annotated(std::string_view sentence, std::span<const AnnotatedWord> words) {
  begin_sentence({0, static_cast<std::uint32_t>(sentence.size())});
  if (options_.tokenization == Tokenization::text) {
    encode_annotated_whole(sentence, words);
  } else {
    for (const AnnotatedWord& given : words) {
      Word word;
      word.token = given.token;
      encode_word(given.surface, word);
      encoding_.words.push_back(word);
    }
  }
  end_sentence();
}

void TextEncoder::encode_annotated_whole(std::string_view sentence, std::span<const AnnotatedWord> words) {
  words_.clear();
  for (const AnnotatedWord& word : words) {
    const std::ptrdiff_t begin = word.surface.data() - sentence.data();
    const auto size = static_cast<std::ptrdiff_t>(sentence.size());
    if (begin < 0 || begin > size || static_cast<std::ptrdiff_t>(word.surface.size()) > size - begin) {
      fail(ErrorCode::invalid_input,
           "tokenization='text' reads whole sentences, so the tokens must lie in the text of the sentences, "
           "and "
           "these come from elsewhere. Use tokenization='word'");
    }
    words_.push_back({static_cast<std::uint32_t>(begin),
                      static_cast<std::uint32_t>(begin + static_cast<std::ptrdiff_t>(word.surface.size()))});
  }
  const std::size_t first = encoding_.words.size();
  encode_whole(sentence, {0, static_cast<std::uint32_t>(sentence.size())});
  for (std::size_t i = 0; i < words.size(); ++i) encoding_.words[first + i].token = words[i].token;
}

void TextEncoder::end_text() {
  encoding_.text_sentences.push_back(static_cast<std::uint32_t>(encoding_.sentences.size()));
  check_size(encoding_.piece_ids.size());
}

void TextEncoder::begin_sentence(Span span) {
  Sentence sentence;
  sentence.text = static_cast<std::uint32_t>(encoding_.text_sentences.size() - 1);
  sentence.span = span;
  sentence.word_begin = static_cast<std::uint32_t>(encoding_.words.size());
  sentence.piece_begin = static_cast<std::uint32_t>(encoding_.piece_ids.size());
  encoding_.sentences.push_back(sentence);
}

void TextEncoder::end_sentence() {
  encoding_.sentences.back().word_end = static_cast<std::uint32_t>(encoding_.words.size());
  encoding_.sentences.back().piece_end = static_cast<std::uint32_t>(encoding_.piece_ids.size());
}

void TextEncoder::add_sentence(std::string_view text, Span span) {
  words_.clear();
  text::split_words(span.of(text), word_rules_, words_);
  for (Span& word : words_) word = {word.begin + span.begin, word.end + span.begin};
  const bool whole = options_.tokenization == Tokenization::text;
  // Spark NLP drops a sentence without words; Hugging Face encodes even an empty text, as [CLS] [SEP].
  if (words_.empty() && (!whole || options_.detect_sentences)) return;
  begin_sentence(span);
  if (whole) {
    encode_whole(text, span);
  } else {
    encode_word_by_word(text);
  }
  end_sentence();
}

void TextEncoder::encode_word_by_word(std::string_view text) {
  for (const Span span : words_) {
    Word word;
    word.span = span;
    encode_word(span.of(text), word);
    encoding_.words.push_back(word);
  }
}

void TextEncoder::encode_word(std::string_view surface, Word& word) {
  const std::string_view original = surface;
  if (!options_.case_sensitive) {
    text::to_lower(surface, lowered_);
    surface = lowered_;
  }
  word.piece_begin = static_cast<std::uint32_t>(encoding_.piece_ids.size());
  std::size_t pieces = tokenizer_.encode_word(surface, scratch_, encoding_.piece_ids);
  if (pieces == 0 && !options_.sparknlp) {
    encoding_.piece_ids.push_back(tokenizer_.model().unk_id());
    pieces = 1;
  }
  cut_long_word(word, pieces);
  word.piece_end = static_cast<std::uint32_t>(encoding_.piece_ids.size());
  word.out_of_vocabulary = is_unknown(word);
  if (wants_spans_) locate_pieces(surface, original, word);
}

bool TextEncoder::is_unknown(const Word& word) const {
  const auto first = encoding_.piece_ids.begin();
  return std::all_of(first + word.piece_begin, first + word.piece_end,
                     [unknown = tokenizer_.model().unk_id()](std::int32_t id) { return id == unknown; });
}

void TextEncoder::cut_long_word(Word& word, std::size_t& pieces) {
  if (pieces <= capacity_ || options_.sparknlp) return;
  encoding_.cut_words += 1;
  encoding_.cut_pieces += pieces - capacity_;
  pieces = capacity_;
  encoding_.piece_ids.resize(word.piece_begin + pieces);
}

// The pieces' places are found in the (lower-cased) word and carried over to the text. Where lower-casing
// changed the size of a character, and for a word read as <unk>, a piece gets the whole word's place.
void TextEncoder::locate_pieces(std::string_view surface, std::string_view original, const Word& word) {
  const std::uint32_t count = word.piece_end - word.piece_begin;
  tokenizer_.encode_text(surface, scratch_, pieces_);
  std::erase_if(pieces_, [&](const sentencepiece::Piece& piece) { return piece.id == mark_id_; });
  const bool same_places = have_same_places(surface, original) && pieces_.size() >= count;
  for (std::uint32_t i = 0; i < count; ++i) {
    encoding_.piece_spans.push_back(
        same_places ? Span{word.span.begin + pieces_[i].begin, word.span.begin + pieces_[i].end} : word.span);
  }
}

// Hugging Face's tokenizer takes control pieces and <unk> that are written out in a text for what they say,
// and encodes what stands between them as texts of their own. In order of place, the longer first where two
// begin.
void TextEncoder::find_literals(std::string_view text, Span within) {
  const sentencepiece::Model& model = tokenizer_.model();
  const std::string_view stretch = within.of(text);
  literals_.clear();
  for (const std::int32_t id : model.unmatched_ids()) {
    if (!model.is_control(id) && !model.is_unknown(id)) continue;
    const std::string_view piece = model.piece(id);
    for (std::size_t at = stretch.find(piece); at != std::string_view::npos;
         at = stretch.find(piece, at + 1)) {
      const auto begin = static_cast<std::uint32_t>(within.begin + at);
      literals_.push_back({{begin, begin + static_cast<std::uint32_t>(piece.size())}, id});
    }
  }
  std::sort(literals_.begin(), literals_.end(), [](const Literal& a, const Literal& b) {
    return a.span.begin != b.span.begin ? a.span.begin < b.span.begin : a.span.end > b.span.end;
  });
}

void TextEncoder::encode_stretch(std::string_view text, Span stretch) {
  text::PreprocessOptions how;
  how.lower_case = !options_.case_sensitive;
  how.keep_accents = keep_accents_;
  text::albert_preprocess(stretch.of(text), how, preprocessed_);
  tokenizer_.encode_albert(preprocessed_.text, unicode::is_digit, scratch_, pieces_);
  for (const sentencepiece::Piece& piece : pieces_) {
    const Span span = preprocessed_.original({piece.begin, piece.end});
    encoding_.piece_ids.push_back(piece.id);
    encoding_.piece_spans.push_back({stretch.begin + span.begin, stretch.begin + span.end});
  }
}

void TextEncoder::encode_whole(std::string_view text, Span sentence) {
  const auto first_piece = static_cast<std::uint32_t>(encoding_.piece_ids.size());
  find_literals(text, sentence);
  std::uint32_t at = sentence.begin;
  for (const Literal& literal : literals_) {
    if (literal.span.begin < at) continue;  // inside the one before
    encode_stretch(text, {at, literal.span.begin});
    encoding_.piece_ids.push_back(literal.id);
    encoding_.piece_spans.push_back(literal.span);
    at = literal.span.end;
  }
  encode_stretch(text, {at, sentence.end});
  // Without any piece there is nothing that a word's vector could come from; pieces and pooled rows need no
  // word.
  const bool wants_words = options_.level == Level::word || options_.pooling == Pooling::words;
  if (encoding_.piece_ids.size() == first_piece && !words_.empty() && wants_words) {
    encoding_.piece_ids.push_back(tokenizer_.model().unk_id());
    encoding_.piece_spans.push_back(sentence);
  }
  const auto first_word = static_cast<std::uint32_t>(encoding_.words.size());
  for (const Span span : words_) {
    Word word;
    word.span = span;
    encoding_.words.push_back(word);
  }
  align_words(first_word, first_piece);
}

// A word has the pieces that share a character with it; a word without any borrows the piece before it (or
// the first).
void TextEncoder::align_words(std::uint32_t first_word, std::uint32_t first_piece) {
  const std::vector<Span>& spans = encoding_.piece_spans;
  const auto last_piece = static_cast<std::uint32_t>(spans.size());
  std::uint32_t piece = first_piece;
  for (std::uint32_t w = first_word; w < encoding_.words.size(); ++w) {
    Word& word = encoding_.words[w];
    while (piece < last_piece && spans[piece].end <= word.span.begin) ++piece;
    std::uint32_t end = piece;
    while (end < last_piece && spans[end].begin < word.span.end) ++end;
    word.piece_begin = piece;
    word.piece_end = end;
    const bool none = piece == end;
    if (none && last_piece > first_piece) {
      word.piece_begin = std::max(piece, first_piece + 1) - 1;
      word.piece_end = word.piece_begin + 1;
    }
    if (word.piece_end - word.piece_begin > capacity_) {
      encoding_.cut_words += 1;
      encoding_.cut_pieces += word.piece_end - word.piece_begin - capacity_;
      word.piece_end = word.piece_begin + capacity_;
    }
    word.out_of_vocabulary = none || is_unknown(word);
    // A piece that reaches into the next word serves both, so the next search starts at it again.
    piece = end > piece ? end - 1 : piece;
  }
}

void check_size(std::size_t pieces) {
  if (pieces > std::numeric_limits<std::int32_t>::max()) {
    fail(ErrorCode::invalid_input,
         "the texts of one call have more than 2^31 pieces; use stream(), which takes them "
         "chunk by chunk");
  }
}

}  // namespace albert_fast::encoder
