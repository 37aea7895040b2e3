#include "columns/places.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "text/lower.h"

namespace albert_fast::columns {
namespace {

struct Range {
  std::size_t first;
  std::size_t last;
};

Range row_of(const AnnotationColumn& column, std::size_t row) {
  return {static_cast<std::size_t>(column.row_splits[row]),
          static_cast<std::size_t>(column.row_splits[row + 1])};
}

struct Place {
  std::int32_t document = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;  // the last character
  bool operator<(const Place& other) const {
    return document != other.document ? document < other.document : begin < other.begin;
  }
};

Place place_of(const AnnotationColumn& column, std::size_t annotation, bool by_document) {
  return {by_document ? column.documents[annotation] : 0, column.begin[annotation], column.end[annotation]};
}

/// Reads pieces of a text by offsets; those that ascend cost one pass in all.
class OffsetReader {
 public:
  OffsetReader(std::string_view text, bool utf16) : text_(text), utf16_(utf16) {}

  [[nodiscard]] std::string_view read(std::int64_t begin, std::int64_t end) {
    const std::size_t first = byte_of(begin);
    return text_.substr(first, byte_of(end) - first);
  }

 private:
  std::size_t byte_of(std::int64_t offset) {
    if (offset < offset_) byte_ = 0, offset_ = 0;
    while (offset_ < offset && byte_ < text_.size()) {
      const Decoded character = decode(text_, byte_);
      byte_ += character.size;
      offset_ += utf16_ && character.code_point > 0xFFFF ? 2 : 1;
    }
    return byte_;
  }

  std::string_view text_;
  bool utf16_;
  std::size_t byte_ = 0;
  std::int64_t offset_ = 0;
};

/// Whether every word stands in the span's text where its offsets say, as it is or in lower case.
bool stand_in(const AnnotationColumn& words, std::span<const std::uint32_t> members,
              const AnnotationColumn& spans, std::size_t span) {
  OffsetReader text(spans.result.views[span], spans.utf16);
  std::string lower;
  for (const std::uint32_t word : members) {
    if (words.begin[word] < spans.begin[span] || words.end[word] > spans.end[span]) return false;
    const std::int64_t begin = std::int64_t{words.begin[word]} - spans.begin[span];
    const std::int64_t end = std::int64_t{words.end[word]} - spans.begin[span] + 1;
    const std::string_view there = text.read(begin, std::max(begin, end));
    const std::string_view result = words.result.views[word];
    if (there == result) continue;
    text::to_lower(there, lower);
    if (lower != result) return false;
  }
  return true;
}

template <class Before>
bool sort_row(const AnnotationColumn& column, std::size_t row, std::vector<std::uint32_t>& order,
              Before before) {
  const auto [first, last] = row_of(column, row);
  order.resize(last - first);
  std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(first));
  if (std::is_sorted(order.begin(), order.end(), before)) return true;
  std::stable_sort(order.begin(), order.end(), before);
  return false;
}

bool sort_by_place(const AnnotationColumn& column, std::size_t row, std::vector<std::uint32_t>& order,
                   bool by_document) {
  return sort_row(column, row, order, [&](std::uint32_t a, std::uint32_t b) {
    return place_of(column, a, by_document) < place_of(column, b, by_document);
  });
}

// Whether all annotations of a row know their document.
bool know_documents(const AnnotationColumn& column, std::size_t row) {
  if (column.documents.empty()) return false;
  const auto [first, last] = row_of(column, row);
  for (std::size_t i = first; i < last; ++i) {
    if (column.documents[i] == AnnotationColumn::kNoDocument) return false;
  }
  return true;
}

// Whether annotations in `order` (those of one document) overlap, which sentences and words of one text do
// not.
bool overlap(const AnnotationColumn& column, const std::vector<std::uint32_t>& order, bool by_document) {
  Place last{AnnotationColumn::kNoDocument, 0, -1};
  for (const std::uint32_t i : order) {
    const Place place = place_of(column, i, by_document);
    if (place.end < place.begin) continue;  // empty: nothing lies in it
    if (place.document == last.document && place.begin <= last.end) return true;
    last = place;
  }
  return false;
}

[[noreturn]] void fail_ambiguous(const AnnotationColumn& spans, const AnnotationColumn& words,
                                 std::size_t row) {
  const std::string kind(name_of(words.type));
  fail(ErrorCode::invalid_input,
       "row " + std::to_string(row) + " has annotations of several texts, and its " + kind +
           " annotations do not say to which " + std::string(name_of(spans.type)) +
           " annotation they belong: some were made anew, or cells were put together. Give every text "
           "a row of its own, or set `document`, the number of its text within the row, on the annotations "
           "that you make (Annotation.copy keeps it)");
}

}  // namespace

RowPlaces::RowPlaces(const AnnotationColumn& spans, const AnnotationColumn& words, FindBy find_by)
    : spans_(spans), words_(words), find_by_(find_by) {}

void RowPlaces::use_row(std::size_t row) {
  by_number_ = false;
  by_document_ = find_by_ != FindBy::offsets && know_documents(spans_, row) && know_documents(words_, row);
  in_order_ = sort_by_place(words_, row, order_, by_document_);
  const bool nothing = order_.empty() || spans_.row_splits[row] == spans_.row_splits[row + 1];
  if (find_by_ == FindBy::offsets || nothing) return;
  const bool clear = !overlap(words_, order_, by_document_);
  if (find_by_ == FindBy::loose_place) {
    if (!clear) fail_ambiguous(spans_, words_, row);
    return;
  }
  (void)sort_by_place(spans_, row, found_, by_document_);
  if (clear && !overlap(spans_, found_, by_document_)) return;
  if (!use_numbers(row)) fail_ambiguous(spans_, words_, row);
}

bool RowPlaces::use_numbers(std::size_t row) {
  if (span_numbers_.empty()) span_numbers_ = sentence_numbers(spans_);
  if (word_numbers_.empty()) word_numbers_ = sentence_numbers(words_);
  by_number_ = true;
  (void)sort_row(words_, row, order_,
                 [this](std::uint32_t a, std::uint32_t b) { return word_numbers_[a] < word_numbers_[b]; });
  std::size_t explained = 0;
  const auto [first, last] = row_of(spans_, row);
  std::vector<std::int32_t> seen(span_numbers_.begin() + static_cast<std::ptrdiff_t>(first),
                                 span_numbers_.begin() + static_cast<std::ptrdiff_t>(last));
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return false;
  for (std::size_t span = first; span < last; ++span) {
    const auto members = of_number(span_numbers_[span]);
    if (!stand_in(words_, members, spans_, span)) return false;
    explained += members.size();
  }
  return explained == order_.size();
}

std::span<const std::uint32_t> RowPlaces::of_number(std::int32_t number) const {
  const auto first = std::partition_point(order_.begin(), order_.end(),
                                          [&](std::uint32_t w) { return word_numbers_[w] < number; });
  const auto last =
      std::partition_point(first, order_.end(), [&](std::uint32_t w) { return word_numbers_[w] == number; });
  return {first, last};
}

std::span<const std::uint32_t> RowPlaces::within(std::size_t span, std::size_t most) {
  if (by_number_) {
    const auto all = of_number(span_numbers_[span]);
    return all.first(std::min(most, all.size()));
  }
  const Place place = place_of(spans_, span, by_document_);
  found_.clear();
  auto next = std::partition_point(order_.begin(), order_.end(), [&](std::uint32_t w) {
    return place_of(words_, w, by_document_) < place;
  });
  for (; next != order_.end(); ++next) {
    const Place own = place_of(words_, *next, by_document_);
    if (own.document != place.document || own.begin > place.end + 1) break;
    if (own.end <= place.end) found_.push_back(*next);
    if (in_order_ && found_.size() > most) break;
  }
  if (found_.size() > most) {
    const auto behind = found_.begin() + static_cast<std::ptrdiff_t>(most);
    if (!in_order_) std::nth_element(found_.begin(), behind, found_.end());
    found_.erase(behind, found_.end());
  }
  if (!in_order_) std::sort(found_.begin(), found_.end());
  return found_;
}

}  // namespace albert_fast::columns
