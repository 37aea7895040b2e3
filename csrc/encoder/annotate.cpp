#include "encoder/annotate.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "base/error.h"
#include "text/lower.h"

namespace albert_fast::encoder {
namespace {

using columns::AnnotationColumn;

/// Where a token begins and ends: an address in the text, or an offset.
struct Place {
  std::intptr_t begin = 0;
  std::intptr_t end = 0;  // behind the last
};

Place place_in_text(const AnnotationColumn& column, std::size_t annotation) {
  const std::string_view view = column.result.views[annotation];
  const auto begin = reinterpret_cast<std::intptr_t>(view.data());
  return {begin, begin + static_cast<std::intptr_t>(view.size())};
}

Place place_by_offsets(const AnnotationColumn& column, std::size_t annotation) {
  return {column.begin[annotation], std::intptr_t{column.end[annotation]} + 1};
}

template <class PlaceOf>
class Joiner {
 public:
  Joiner(const AnnotationColumn& sentences, const AnnotationColumn& tokens, PlaceOf place_of)
      : sentences_(sentences), tokens_(tokens), place_of_(place_of) {}

  AnnotatedSentences join() {
    out_.row_splits.push_back(0);
    out_.word_splits.push_back(0);
    out_.words.reserve(tokens_.size());
    for (std::size_t row = 0; row < sentences_.rows(); ++row) {
      sort_tokens(row);
      const auto first = static_cast<std::size_t>(sentences_.row_splits[row]);
      const auto last = static_cast<std::size_t>(sentences_.row_splits[row + 1]);
      for (std::size_t s = first; s < last; ++s) add_sentence(s, static_cast<std::int32_t>(s - first));
      out_.row_splits.push_back(static_cast<std::uint32_t>(out_.texts.size()));
    }
    return std::move(out_);
  }

 private:
  void sort_tokens(std::size_t row) {
    order_.resize(static_cast<std::size_t>(tokens_.row_splits[row + 1] - tokens_.row_splits[row]));
    std::iota(order_.begin(), order_.end(), static_cast<std::uint32_t>(tokens_.row_splits[row]));
    const auto before = [this](std::uint32_t a, std::uint32_t b) {
      return place_of_(tokens_, a).begin < place_of_(tokens_, b).begin;
    };
    sorted_ = std::is_sorted(order_.begin(), order_.end(), before);
    if (!sorted_) std::stable_sort(order_.begin(), order_.end(), before);
  }

  void add_sentence(std::size_t sentence, std::int32_t number) {
    const Place place = place_of_(sentences_, sentence);
    found_.clear();
    auto token = std::partition_point(order_.begin(), order_.end(), [&](std::uint32_t t) {
      return place_of_(tokens_, t).begin < place.begin;
    });
    for (; token != order_.end(); ++token) {
      const Place of_token = place_of_(tokens_, *token);
      if (of_token.begin > place.end) break;
      if (of_token.end <= place.end) found_.push_back(*token);
    }
    if (found_.empty()) return;
    if (!sorted_) std::sort(found_.begin(), found_.end());
    for (const std::uint32_t t : found_) out_.words.push_back({tokens_.result.views[t], t});
    out_.word_splits.push_back(static_cast<std::uint32_t>(out_.words.size()));
    out_.texts.push_back(sentences_.result.views[sentence]);
    out_.numbers.push_back(number);
  }

  const AnnotationColumn& sentences_;
  const AnnotationColumn& tokens_;
  PlaceOf place_of_;
  AnnotatedSentences out_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> found_;
  bool sorted_ = true;
};

template <class PlaceOf>
AnnotatedSentences join(const AnnotationColumn& sentences, const AnnotationColumn& tokens, PlaceOf place_of) {
  return Joiner<PlaceOf>(sentences, tokens, place_of).join();
}

}  // namespace

AnnotatedSentences join_sentences(const AnnotationColumn& sentences, const AnnotationColumn& tokens,
                                  bool sparknlp) {
  if (sentences.rows() != tokens.rows()) {
    fail(ErrorCode::invalid_input, "the columns of sentences and tokens have " +
                                       std::to_string(sentences.rows()) + " and " +
                                       std::to_string(tokens.rows()) + " rows; give columns of one table");
  }
  if (tokens.size() > 0x7FFFFFFF) {
    fail(ErrorCode::invalid_input, "the table has more than 2^31 tokens; give it in parts");
  }
  const bool same_text = sentences.result.bytes != nullptr && sentences.result.bytes == tokens.result.bytes;
  return same_text && !sparknlp ? join(sentences, tokens, place_in_text)
                                : join(sentences, tokens, place_by_offsets);
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
    if (!options_.case_sensitive) {
      out_.result = lowered_.take();
    } else {
      out_.result.bytes = tokens_.result.bytes;
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
    if (options_.case_sensitive) out_.result.views.reserve(words);
  }

  void add(std::uint32_t token) {
    out_.begin.push_back(tokens_.begin[token]);
    out_.end.push_back(tokens_.end[token]);
    const std::string_view surface = tokens_.result.views[token];
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
