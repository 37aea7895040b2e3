#pragma once

#include <string_view>

#include "columns/embedding_columns.h"
#include "encoder/rows.h"

namespace albert_fast::encoder {

/// Fills everything but the vectors: where each row stands in its text, its piece, its sentence, its text.
void describe_rows(const Encoding& encoding, const std::vector<Window>& windows,
                   const std::vector<std::string_view>& texts, const EmbedOptions& options,
                   SpecialIds special, columns::EmbeddingColumns& out);

}  // namespace albert_fast::encoder
