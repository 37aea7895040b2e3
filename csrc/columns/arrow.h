#pragma once

#include <memory>

#include "arrow/c_data.h"
#include "columns/annotation_column.h"
#include "columns/arrow_nodes.h"

namespace albert_fast::columns {

/// The schema of an annotation column, as Spark NLP's: a list of structs of annotatorType, begin, end,
/// result, metadata (a map) and embeddings (a list of float32).
void export_schema(const std::string& name, const ArrowMetadata& metadata, ArrowSchema* out);

/// The column as a stream of arrays of that schema, one as a rule, more where 32-bit offsets would not reach.
/// The vectors are not copied: the arrays keep them alive. No exception leaves the stream's functions.
void export_stream(std::shared_ptr<const AnnotationColumn> column, const std::string& name,
                   const ArrowMetadata& metadata, ArrowArrayStream* out);

}  // namespace albert_fast::columns
