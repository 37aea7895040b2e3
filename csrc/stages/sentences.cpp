#include "stages/sentences.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/utf8.h"

namespace albert_fast::stages {
namespace {

struct Sentence {
  std::int32_t begin = 0;
  std::int32_t end = 0;
  std::string_view text;
  std::int32_t document = 0;
};

class Detector {
 public:
  Detector(const columns::AnnotationColumn& documents, const text::SentenceOptions& options,
           const CustomBreaks& breaks)
      : documents_(documents), options_(options), breaks_(breaks) {
    out_.type = columns::AnnotatorType::document;
    out_.utf16 = documents.utf16;
    out_.result.bytes = documents.result.bytes;
    out_.row_splits.push_back(0);
  }

  columns::AnnotationColumn run(const KeepGoing& keep_going) {
    Patience patience(keep_going);
    columns::MetadataField::Numbers numbers;
    for (std::size_t row = 0; row < documents_.rows(); ++row) {
      row_.clear();
      for (std::int64_t d = documents_.row_splits[row]; d < documents_.row_splits[row + 1]; ++d) {
        const auto document = static_cast<std::size_t>(d);
        add_document(document);
        patience.spend(documents_.result.views[document].size());
      }
      std::stable_sort(row_.begin(), row_.end(),
                       [](const Sentence& a, const Sentence& b) { return a.begin < b.begin; });
      for (std::size_t i = 0; i < row_.size(); ++i) {
        out_.begin.push_back(row_[i].begin);
        out_.end.push_back(row_[i].end);
        out_.result.views.push_back(row_[i].text);
        if (!documents_.documents.empty()) out_.documents.push_back(row_[i].document);
        numbers.push_back(static_cast<std::int32_t>(i));
      }
      out_.row_splits.push_back(static_cast<std::int64_t>(out_.begin.size()));
    }
    out_.metadata.push_back({"sentence", std::move(numbers)});
    return std::move(out_);
  }

 private:
  void add_document(std::size_t document) {
    const std::string_view text = documents_.result.views[document];
    find_cuts(document, text);
    spans_.clear();
    text::detect_sentences(text, options_, cuts_, spans_, scratch_);
    OffsetConverter offsets(text, documents_.utf16);
    const std::int32_t first = documents_.begin[document];
    for (const Span span : spans_) {
      const std::int32_t begin = offsets.at(span.begin);
      row_.push_back(
          {first + begin, first + offsets.at(span.end) - 1, span.of(text), documents_.document_of(document)});
    }
  }

  void find_cuts(std::size_t document, std::string_view text) {
    cuts_.clear();
    if (breaks_.splits.empty()) return;
    CodePointWalker walker(text);
    for (std::int64_t i = breaks_.splits[document]; i < breaks_.splits[document + 1]; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::uint32_t begin = walker.byte_of(breaks_.at[at]);
      cuts_.push_back({begin, walker.byte_of(breaks_.at[at] + breaks_.removed[at])});
    }
  }

  const columns::AnnotationColumn& documents_;
  const text::SentenceOptions& options_;
  const CustomBreaks& breaks_;
  columns::AnnotationColumn out_;
  std::vector<Sentence> row_;
  std::vector<Span> spans_;
  std::vector<text::Cut> cuts_;
  text::SentenceScratch scratch_;
};

void check(const CustomBreaks& breaks, std::size_t documents) {
  if (breaks.splits.empty()) return;
  const bool fits = breaks.splits.size() == documents + 1 && breaks.splits.front() == 0 &&
                    std::is_sorted(breaks.splits.begin(), breaks.splits.end()) &&
                    breaks.splits.back() == static_cast<std::int64_t>(breaks.at.size()) &&
                    breaks.at.size() == breaks.removed.size();
  if (!fits) fail(ErrorCode::internal, "the breaks do not belong to the documents; please report this");
}

}  // namespace

columns::AnnotationColumn detect_sentences(const columns::AnnotationColumn& documents,
                                           const text::SentenceOptions& options, const CustomBreaks& breaks,
                                           const KeepGoing& keep_going) {
  check(breaks, documents.size());
  return Detector(documents, options, breaks).run(keep_going);
}

}  // namespace albert_fast::stages
