#include "stages/documents.h"

#include "base/utf8.h"

namespace albert_fast::stages {
namespace {

std::size_t total_size(const std::vector<std::string_view>& texts) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  return bytes;
}

}  // namespace

columns::AnnotationColumn assemble_documents(const std::vector<std::string_view>& texts,
                                             std::vector<std::int64_t> row_splits,
                                             const DocumentOptions& options, const KeepGoing& keep_going) {
  columns::AnnotationColumn column;
  column.type = columns::AnnotatorType::document;
  column.utf16 = options.utf16;
  columns::StringsBuilder results;
  results.reserve(texts.size(), total_size(texts));
  Patience patience(keep_going);
  for (const std::string_view text : texts) {
    text::append_clean(text, options.cleanup, results.bytes());
    results.end_string();
    patience.spend(text.size());
  }
  column.result = results.take();
  column.begin.assign(texts.size(), 0);
  column.end.reserve(texts.size());
  for (const std::string_view text : column.result.views) {
    const std::size_t length = options.utf16 ? count_utf16_units(text) : count_code_points(text);
    column.end.push_back(static_cast<std::int32_t>(length) - 1);
  }
  std::vector<std::int32_t> numbers(texts.size());
  bool several = false;
  for (std::size_t row = 0; row + 1 < row_splits.size(); ++row) {
    for (std::int64_t i = row_splits[row]; i < row_splits[row + 1]; ++i) {
      numbers[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i - row_splits[row]);
      several = several || i > row_splits[row];
    }
  }
  if (several) column.documents = numbers;
  if (options.sentence_metadata) column.metadata.push_back({"sentence", std::move(numbers)});
  column.row_splits = std::move(row_splits);
  return column;
}

}  // namespace albert_fast::stages
