#include "encoder/annotate.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "columns/places.h"
#include "text/lower.h"

namespace albert_fast::encoder {
namespace {

using columns::AnnotationColumn;

constexpr std::size_t kMaxWords = 0x7FFFFFFF;

// Spark NLP reads the first words of a sentence only.
std::size_t sparknlp_words(const EmbedOptions& options) {
  return static_cast<std::size_t>(std::max<std::int64_t>(options.max_sentence_length, 2) - 2);
}

class Joiner {
 public:
  Joiner(const AnnotationColumn& sentences, const AnnotationColumn& tokens, const EmbedOptions& options)
      : sentences_(sentences),
        tokens_(tokens),
        places_(sentences, tokens, options.sparknlp ? columns::FindBy::offsets : columns::FindBy::place),
        most_(options.sparknlp ? sparknlp_words(options) : kMaxWords) {}

  AnnotatedSentences join() {
    out_.row_splits.push_back(0);
    out_.word_splits.push_back(0);
    out_.words.reserve(tokens_.size());
    for (std::size_t row = 0; row < sentences_.rows(); ++row) {
      places_.use_row(row);
      const auto first = static_cast<std::size_t>(sentences_.row_splits[row]);
      const auto last = static_cast<std::size_t>(sentences_.row_splits[row + 1]);
      for (std::size_t s = first; s < last; ++s) add_sentence(s, static_cast<std::int32_t>(s - first));
      out_.row_splits.push_back(static_cast<std::uint32_t>(out_.texts.size()));
    }
    return std::move(out_);
  }

 private:
  void add_sentence(std::size_t sentence, std::int32_t number) {
    auto found = places_.within(sentence, std::max(most_, std::size_t{1}));
    if (found.empty()) return;
    found = found.first(std::min(most_, found.size()));
    if (found.size() > kMaxWords - out_.words.size()) {
      fail(ErrorCode::invalid_input,
           "the sentences of the table have more than 2^31 tokens, because those of one row overlap; give it "
           "in "
           "parts, or every document in a row of its own");
    }
    for (const std::uint32_t token : found) out_.words.push_back({tokens_.result.views[token], token});
    out_.word_splits.push_back(static_cast<std::uint32_t>(out_.words.size()));
    out_.texts.push_back(sentences_.result.views[sentence]);
    out_.numbers.push_back(number);
  }

  const AnnotationColumn& sentences_;
  const AnnotationColumn& tokens_;
  columns::RowPlaces places_;
  std::size_t most_;  // words of a sentence
  AnnotatedSentences out_;
};

}  // namespace

AnnotatedSentences join_sentences(const AnnotationColumn& sentences, const AnnotationColumn& tokens,
                                  const EmbedOptions& options) {
  if (sentences.rows() != tokens.rows()) {
    fail(ErrorCode::invalid_input, "the columns of sentences and tokens have " +
                                       std::to_string(sentences.rows()) + " and " +
                                       std::to_string(tokens.rows()) + " rows; give columns of one table");
  }
  if (tokens.size() > kMaxWords) {
    fail(ErrorCode::invalid_input, "the table has more than 2^31 tokens; give it in parts");
  }
  return Joiner(sentences, tokens, options).join();
}

namespace {

// Spark NLP looks the token of a vector up by its begin, so of several that begin at one place (the row's
// documents overlap) it is the first that gets all their vectors.
std::uint32_t first_with_begin(std::span<const AnnotatedWord> words, const AnnotationColumn& tokens,
                               std::uint32_t token) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const AnnotatedWord& word) {
    return tokens.begin[word.token] == tokens.begin[token];
  });
  return found->token;
}

bool have_distinct_begins(std::span<const AnnotatedWord> words, const AnnotationColumn& tokens) {
  return std::adjacent_find(words.begin(), words.end(), [&](const AnnotatedWord& a, const AnnotatedWord& b) {
           return tokens.begin[a.token] >= tokens.begin[b.token];
         }) == words.end();
}

class WordTable {
 public:
  WordTable(const AnnotationColumn& tokens, const EmbedOptions& options)
      : tokens_(tokens), options_(options) {
    out_.type = columns::AnnotatorType::word_embeddings;
    out_.utf16 = tokens.utf16;
    out_.row_splits.push_back(0);
  }

  AnnotationColumn fill(const Encoding& encoding, const AnnotatedSentences& joined) {
    reserve(encoding.words.size());
    for (std::size_t row = 0; row + 1 < joined.row_splits.size(); ++row) {
      for (std::uint32_t s = joined.row_splits[row]; s < joined.row_splits[row + 1]; ++s) {
        const std::span<const AnnotatedWord> given = joined.words_of(s);
        const bool distinct = !options_.sparknlp || have_distinct_begins(given, tokens_);
        const Sentence& sentence = encoding.sentences[s];
        for (std::uint32_t w = sentence.word_begin; w < sentence.word_end; ++w) {
          const Word& word = encoding.words[w];
          add(distinct ? word.token : first_with_begin(given, tokens_, word.token));
          sentence_.push_back(joined.numbers[s]);
          piece_id_.push_back(encoding.piece_ids[word.piece_begin]);
          is_oov_.push_back(word.out_of_vocabulary ? 1 : 0);
        }
      }
      out_.row_splits.push_back(static_cast<std::int64_t>(out_.begin.size()));
    }
    if (options_.case_sensitive) {
      out_.result.bytes = tokens_.result.bytes;
    } else {
      out_.result = lowered_.take();
    }
    add_metadata();
    return std::move(out_);
  }

 private:
  void reserve(std::size_t words) {
    out_.begin.reserve(words);
    out_.end.reserve(words);
    sentence_.reserve(words);
    piece_id_.reserve(words);
    is_oov_.reserve(words);
  }

  void add(std::uint32_t token) {
    out_.begin.push_back(tokens_.begin[token]);
    out_.end.push_back(tokens_.end[token]);
    const std::string_view surface = tokens_.result.views[token];
    if (!tokens_.documents.empty()) out_.documents.push_back(tokens_.documents[token]);
    if (options_.case_sensitive) {
      out_.result.views.push_back(surface);
    } else {
      text::to_lower(surface, lower_);
      lowered_.add(lower_);
    }
  }

  void add_metadata() {
    using columns::MetadataField;
    if (options_.sparknlp) {
      out_.metadata.push_back({"isOOV", std::string("false")});
    } else {
      out_.metadata.push_back({"isOOV", std::move(is_oov_)});
    }
    out_.metadata.push_back({"pieceId", std::move(piece_id_)});
    out_.metadata.push_back({"isWordStart", std::string("true")});
    out_.metadata.push_back({"token", MetadataField::Result{}});
    out_.metadata.push_back({"sentence", std::move(sentence_)});
  }

  const AnnotationColumn& tokens_;
  const EmbedOptions& options_;
  AnnotationColumn out_;
  columns::MetadataField::Numbers sentence_;
  columns::MetadataField::Numbers piece_id_;
  columns::MetadataField::Flags is_oov_;
  columns::StringsBuilder lowered_;
  std::string lower_;
};

}  // namespace

AnnotationColumn describe_words(const Encoding& encoding, const AnnotatedSentences& joined,
                                const AnnotationColumn& tokens, const EmbedOptions& options) {
  return WordTable(tokens, options).fill(encoding, joined);
}

}  // namespace albert_fast::encoder
