#include "stages/pooling.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <string>

#include "columns/places.h"

namespace albert_fast::stages {
namespace {

using columns::AnnotationColumn;
using columns::MetadataField;

void check_inputs(const AnnotationColumn& spans, const AnnotationColumn& words) {
  if (spans.rows() != words.rows()) {
    fail(ErrorCode::invalid_input, "the columns have " + std::to_string(spans.rows()) + " and " +
                                       std::to_string(words.rows()) + " rows; give columns of one table");
  }
  if (words.size() >= AnnotationColumn::kNoVector || spans.size() >= AnnotationColumn::kNoVector) {
    fail(ErrorCode::invalid_input,
         "the table has more than 2^32 words, sentences or chunks; give it in parts");
  }
}

/// Words of one row by the number of their sentence.
class RowWords {
 public:
  RowWords(const AnnotationColumn& words, const MetadataField::Numbers& number)
      : words_(words), number_(number) {}

  void use_row(std::size_t row) {
    order_.resize(static_cast<std::size_t>(words_.row_splits[row + 1] - words_.row_splits[row]));
    std::iota(order_.begin(), order_.end(), static_cast<std::uint32_t>(words_.row_splits[row]));
    const auto before = [this](std::uint32_t a, std::uint32_t b) { return number_[a] < number_[b]; };
    if (!std::is_sorted(order_.begin(), order_.end(), before)) {
      std::stable_sort(order_.begin(), order_.end(), before);
    }
  }

  [[nodiscard]] std::span<const std::uint32_t> of_sentence(std::int32_t number) const {
    const auto first = std::partition_point(order_.begin(), order_.end(),
                                            [&](std::uint32_t w) { return number_[w] < number; });
    const auto last =
        std::partition_point(first, order_.end(), [&](std::uint32_t w) { return number_[w] == number; });
    return {first, last};
  }

 private:
  const AnnotationColumn& words_;
  const MetadataField::Numbers& number_;
  std::vector<std::uint32_t> order_;
};

/// Those of `candidates` that lie in the annotation `span` of `spans`.
void keep_inside(const AnnotationColumn& words, std::span<const std::uint32_t> candidates,
                 const AnnotationColumn& spans, std::size_t span, std::vector<std::uint32_t>& members) {
  members.clear();
  for (const std::uint32_t w : candidates) {
    if (words.begin[w] >= spans.begin[span] && words.end[w] <= spans.end[span]) members.push_back(w);
  }
}

/// Adds up vectors in float32 and in order, as Spark NLP does, one result after the other.
class Pool {
 public:
  Pool(const AnnotationColumn& words, bool average, std::size_t most)
      : words_(words), average_(average), matrix_(std::make_shared<columns::Matrix>()) {
    if (words.vectors == nullptr) return;
    matrix_->dimension = words.vectors->dimension;
    matrix_->values = AlignedBuffer<float>(most * dimension());
  }

  /// Row of the result, or kNoVector when none of the words has a vector.
  std::uint32_t add(std::span<const std::uint32_t> members) {
    if (words_.vectors == nullptr) return AnnotationColumn::kNoVector;
    float* sum = matrix_->values.data() + static_cast<std::size_t>(matrix_->rows) * dimension();
    std::size_t count = 0;
    for (const std::uint32_t word : members) {
      const std::uint32_t row = words_.vector_row(word);
      if (row == AnnotationColumn::kNoVector) continue;
      const float* vector = words_.vectors->values.data() + row * dimension();
      if (count++ == 0) {
        std::memcpy(sum, vector, dimension() * sizeof(float));
      } else {
        for (std::size_t d = 0; d < dimension(); ++d) sum[d] += vector[d];
      }
    }
    if (count == 0) return AnnotationColumn::kNoVector;
    if (average_) {
      const auto divisor = static_cast<float>(count);
      for (std::size_t d = 0; d < dimension(); ++d) sum[d] /= divisor;
    }
    return static_cast<std::uint32_t>(matrix_->rows++);
  }

  void give_to(AnnotationColumn& out) {
    if (words_.vectors == nullptr) {
      out.vector_rows.clear();
      return;
    }
    const bool all = matrix_->rows == static_cast<std::int64_t>(out.size());
    if (all) out.vector_rows.clear();
    out.vectors = std::move(matrix_);
  }

 private:
  [[nodiscard]] std::size_t dimension() const { return static_cast<std::size_t>(matrix_->dimension); }

  const AnnotationColumn& words_;
  bool average_;
  std::shared_ptr<columns::Matrix> matrix_;
};

// "token", "pieceId" and "isWordStart", which stand in both classes' metadata.
void add_common_metadata(AnnotationColumn& out) {
  out.metadata.push_back({"token", MetadataField::Result{}});
  out.metadata.push_back({"pieceId", std::string("-1")});
  out.metadata.push_back({"isWordStart", std::string("true")});
}

/// For every word the position of its sentence among those of its row that have words, by number. What a
/// chunk calls its sentence is such a position.
MetadataField::Numbers sentence_positions(const AnnotationColumn& words,
                                          const MetadataField::Numbers& sentence_of) {
  MetadataField::Numbers positions(words.size());
  std::vector<std::int32_t> seen;
  for (std::size_t row = 0; row < words.rows(); ++row) {
    const auto first = words.row_splits[row], last = words.row_splits[row + 1];
    seen.assign(sentence_of.begin() + first, sentence_of.begin() + last);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (auto w = static_cast<std::size_t>(first); w < static_cast<std::size_t>(last); ++w) {
      positions[w] = static_cast<std::int32_t>(std::lower_bound(seen.begin(), seen.end(), sentence_of[w]) -
                                               seen.begin());
    }
  }
  return positions;
}

// Unknown words go, unless nothing else is there.
void skip_oov(const AnnotationColumn& words, std::vector<std::uint32_t>& members) {
  const MetadataField* field = words.find("isOOV");
  const auto* flags = field == nullptr ? nullptr : std::get_if<MetadataField::Flags>(&field->value);
  if (flags == nullptr) return;
  const auto unknown = [flags](std::uint32_t word) { return (*flags)[word] != 0; };
  if (!std::all_of(members.begin(), members.end(), unknown)) std::erase_if(members, unknown);
}

}  // namespace

AnnotationColumn pool_sentences(const AnnotationColumn& sentences, const AnnotationColumn& words,
                                const PoolingOptions& options, const KeepGoing& keep_going) {
  check_inputs(sentences, words);
  Patience patience(keep_going);
  AnnotationColumn out;
  out.type = columns::AnnotatorType::sentence_embeddings;
  out.utf16 = sentences.utf16;
  out.row_splits = sentences.row_splits;
  out.begin = sentences.begin;
  out.end = sentences.end;
  out.documents = sentences.documents;
  out.result = sentences.result;
  const MetadataField::Numbers sentence_of = columns::sentence_numbers(sentences);
  const MetadataField::Numbers word_sentence = columns::sentence_numbers(words);
  Pool pool(words, options.average, sentences.size());
  RowWords numbered(words, word_sentence);
  columns::RowPlaces placed(sentences, words, columns::FindBy::place);
  for (std::size_t row = 0; row < sentences.rows(); ++row) {
    if (options.sparknlp) {
      numbered.use_row(row);
    } else {
      placed.use_row(row);
    }
    for (auto s = static_cast<std::size_t>(sentences.row_splits[row]);
         s < static_cast<std::size_t>(sentences.row_splits[row + 1]); ++s) {
      out.vector_rows.push_back(
          pool.add(options.sparknlp ? numbered.of_sentence(sentence_of[s]) : placed.within(s)));
    }
    patience.spend(static_cast<std::size_t>(words.row_splits[row + 1] - words.row_splits[row]) * 1024);
  }
  pool.give_to(out);
  out.metadata.push_back({"sentence", sentence_of});
  add_common_metadata(out);
  return out;
}

AnnotationColumn pool_chunks(const AnnotationColumn& chunks, const AnnotationColumn& words,
                             const PoolingOptions& options, const KeepGoing& keep_going) {
  check_inputs(chunks, words);
  Patience patience(keep_going);
  AnnotationColumn out;
  out.type = columns::AnnotatorType::word_embeddings;
  out.utf16 = chunks.utf16;
  out.row_splits.push_back(0);
  out.result.bytes = chunks.result.bytes;
  const MetadataField::Numbers chunk_sentence = columns::sentence_numbers(chunks);
  const MetadataField::Numbers position = sentence_positions(words, columns::sentence_numbers(words));
  const MetadataField* chunk_number = chunks.find("chunk");
  MetadataField::Numbers sentences;
  columns::StringsBuilder numbers;
  Pool pool(words, options.average, chunks.size());
  RowWords numbered(words, position);
  columns::RowPlaces placed(chunks, words, columns::FindBy::loose_place);
  std::vector<std::uint32_t> members;
  for (std::size_t row = 0; row < chunks.rows(); ++row) {
    if (options.sparknlp) {
      numbered.use_row(row);
    } else {
      placed.use_row(row);
    }
    for (auto c = static_cast<std::size_t>(chunks.row_splits[row]);
         c < static_cast<std::size_t>(chunks.row_splits[row + 1]); ++c) {
      if (options.sparknlp) {
        patience.spend(static_cast<std::size_t>(words.row_splits[row + 1] - words.row_splits[row]));
        keep_inside(words, numbered.of_sentence(chunk_sentence[c]), chunks, c, members);
      } else {
        const auto found = placed.within(c);
        members.assign(found.begin(), found.end());
      }
      if (members.empty()) continue;
      if (options.skip_oov) skip_oov(words, members);
      out.vector_rows.push_back(pool.add(members));
      out.begin.push_back(chunks.begin[c]);
      out.end.push_back(chunks.end[c]);
      if (!chunks.documents.empty()) out.documents.push_back(chunks.documents[c]);
      out.result.views.push_back(chunks.result.views[c]);
      sentences.push_back(chunk_sentence[c]);
      if (chunk_number == nullptr || !columns::append_value(chunks, *chunk_number, c, numbers.bytes())) {
        numbers.bytes() += '0';
      }
      numbers.end_string();
      patience.spend(members.size() * 1024);
    }
    out.row_splits.push_back(static_cast<std::int64_t>(out.begin.size()));
  }
  pool.give_to(out);
  out.metadata.push_back({"sentence", std::move(sentences)});
  out.metadata.push_back({"chunk", numbers.take()});
  add_common_metadata(out);
  return out;
}

}  // namespace albert_fast::stages
