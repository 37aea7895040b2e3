#include "stages/tokens.h"

#include <algorithm>

#include "base/utf8.h"

namespace albert_fast::stages {
namespace {

/// Calls words_of(sentence, text, spans) for every sentence and makes tokens of the spans it finds.
template <class WordsOf>
columns::AnnotationColumn make_column(const columns::AnnotationColumn& sentences, WordsOf words_of) {
  columns::AnnotationColumn out;
  out.type = columns::AnnotatorType::token;
  out.utf16 = sentences.utf16;
  out.result.bytes = sentences.result.bytes;
  out.row_splits.reserve(sentences.row_splits.size());
  out.row_splits.push_back(0);
  const columns::MetadataField::Numbers sentence_of = columns::sentence_numbers(sentences);
  columns::MetadataField::Numbers numbers;
  std::vector<Span> words;
  for (std::size_t row = 0; row < sentences.rows(); ++row) {
    for (std::int64_t s = sentences.row_splits[row]; s < sentences.row_splits[row + 1]; ++s) {
      const auto sentence = static_cast<std::size_t>(s);
      const std::string_view text = sentences.result.views[sentence];
      words.clear();
      words_of(sentence, text, words);
      OffsetConverter offsets(text, sentences.utf16);
      const std::int32_t first = sentences.begin[sentence];
      for (const Span word : words) {
        const std::int32_t begin = offsets.at(word.begin);
        out.begin.push_back(first + begin);
        out.end.push_back(first + offsets.at(word.end) - 1);
        out.result.views.push_back(word.of(text));
        numbers.push_back(sentence_of[sentence]);
        if (!sentences.documents.empty()) out.documents.push_back(sentences.documents[sentence]);
      }
    }
    out.row_splits.push_back(static_cast<std::int64_t>(out.begin.size()));
  }
  out.metadata.push_back({"sentence", std::move(numbers)});
  return out;
}

}  // namespace

columns::AnnotationColumn split_tokens(const columns::AnnotationColumn& sentences,
                                       const text::WordRules& rules, const KeepGoing& keep_going) {
  Patience patience(keep_going);
  return make_column(sentences, [&](std::size_t, std::string_view text, std::vector<Span>& words) {
    text::split_words(text, rules, words);
    patience.spend(text.size());
  });
}

columns::AnnotationColumn make_tokens(const columns::AnnotationColumn& sentences, const FoundWords& words) {
  const bool fits = words.splits.size() == sentences.size() + 1 && words.splits.front() == 0 &&
                    std::is_sorted(words.splits.begin(), words.splits.end()) &&
                    words.splits.back() == static_cast<std::int64_t>(words.begin.size()) &&
                    words.begin.size() == words.end.size();
  if (!fits) fail(ErrorCode::internal, "the words do not belong to the sentences; please report this");
  return make_column(sentences, [&](std::size_t sentence, std::string_view text, std::vector<Span>& spans) {
    CodePointWalker walker(text);
    for (std::int64_t i = words.splits[sentence]; i < words.splits[sentence + 1]; ++i) {
      const std::uint32_t begin = walker.byte_of(words.begin[static_cast<std::size_t>(i)]);
      spans.push_back({begin, walker.byte_of(words.end[static_cast<std::size_t>(i)])});
    }
  });
}

}  // namespace albert_fast::stages
