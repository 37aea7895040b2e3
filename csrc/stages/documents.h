#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/patience.h"
#include "columns/annotation_column.h"
#include "text/cleanup.h"

namespace albert_fast::stages {

struct DocumentOptions {
  text::Cleanup cleanup = text::Cleanup::disabled;
  bool utf16 = false;
  bool sentence_metadata = true;  // Spark NLP's LightPipeline makes documents without any metadata
};

/// Spark NLP's DocumentAssembler: one annotation for every text, numbered within its row. The texts are
/// copied, once: everything later looks into that copy.
columns::AnnotationColumn assemble_documents(const std::vector<std::string_view>& texts,
                                             std::vector<std::int64_t> row_splits,
                                             const DocumentOptions& options, const KeepGoing& keep_going);

}  // namespace albert_fast::stages
