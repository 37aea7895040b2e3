#include "encoder/row_table.h"

#include <optional>

#include "base/utf8.h"

namespace albert_fast::encoder {
namespace {

class RowTable {
 public:
  RowTable(const Encoding& encoding, const std::vector<std::string_view>& texts, const EmbedOptions& options,
           columns::EmbeddingColumns& out)
      : encoding_(encoding), texts_(texts), options_(options), out_(out) {
    out_.row_splits.assign(1, 0);
  }

  void fill(const std::vector<Window>& windows, SpecialIds special) {
    std::size_t window = 0;
    for (std::size_t text = 0; text < texts_.size(); ++text) {
      converter_.emplace(texts_[text], options_.utf16_offsets);
      const std::uint32_t first = encoding_.text_sentences[text];
      const std::uint32_t last = encoding_.text_sentences[text + 1];
      for (std::uint32_t s = first; s < last; ++s) {
        const auto number = static_cast<std::int32_t>(s - first);
        if (options_.level == Level::word) words_of(s, number);
        if (options_.level == Level::sentence) row(encoding_.sentences[s].span, number, -1, false);
        if (options_.level == Level::piece) {
          if (options_.special_tokens) special_row(number, special.cls);
          for (; window < windows.size() && windows[window].sentence == s; ++window)
            pieces_of(windows[window], number);
          if (options_.special_tokens) special_row(number, special.sep);
        }
      }
      if (options_.level == Level::document)
        row({0, static_cast<std::uint32_t>(texts_[text].size())}, 0, -1, false);
      out_.row_splits.push_back(static_cast<std::int64_t>(out_.begin.size()));
    }
  }

 private:
  void row(Span span, std::int32_t sentence, std::int32_t piece, bool out_of_vocabulary) {
    out_.begin.push_back(converter_->at(span.begin));
    out_.end.push_back(converter_->at(span.end) - 1);
    describe(sentence, piece, out_of_vocabulary);
  }

  void special_row(std::int32_t sentence, std::int32_t piece) {
    out_.begin.push_back(-1);
    out_.end.push_back(-1);
    describe(sentence, piece, false);
  }

  void describe(std::int32_t sentence, std::int32_t piece, bool out_of_vocabulary) {
    out_.sentence.push_back(sentence);
    out_.piece_id.push_back(piece);
    out_.out_of_vocabulary.push_back(out_of_vocabulary ? 1 : 0);
  }

  void words_of(std::uint32_t sentence, std::int32_t number) {
    const Sentence& s = encoding_.sentences[sentence];
    for (std::uint32_t w = s.word_begin; w < s.word_end; ++w) {
      const Word& word = encoding_.words[w];
      row(word.span, number, encoding_.piece_ids[word.piece_begin], word.out_of_vocabulary);
    }
  }

  void pieces_of(const Window& window, std::int32_t number) {
    for (std::uint32_t p = window.own_begin; p < window.own_end; ++p) {
      row(encoding_.piece_spans[p], number, encoding_.piece_ids[p], false);
    }
  }

  const Encoding& encoding_;
  const std::vector<std::string_view>& texts_;
  const EmbedOptions& options_;
  columns::EmbeddingColumns& out_;
  std::optional<OffsetConverter> converter_;
};

}  // namespace

void describe_rows(const Encoding& encoding, const std::vector<Window>& windows,
                   const std::vector<std::string_view>& texts, const EmbedOptions& options,
                   SpecialIds special, columns::EmbeddingColumns& out) {
  RowTable(encoding, texts, options, out).fill(windows, special);
}

}  // namespace albert_fast::encoder
