#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "columns/device_rows.h"

namespace albert_fast::columns {

struct EmbeddingStats {
  std::uint64_t texts = 0;
  std::uint64_t sentences = 0;
  std::uint64_t words = 0;
  std::uint64_t pieces = 0;
  std::uint64_t windows = 0;
  std::uint64_t batches = 0;
  std::uint64_t tokens = 0;      // rows that went through the model, [CLS] and [SEP] included
  std::uint64_t reused = 0;      // windows whose rows were copied from an identical one
  std::uint64_t cut_words = 0;   // words with more pieces than a window holds
  std::uint64_t cut_pieces = 0;  // the pieces they lost
  std::uint64_t copies = 0;      // micro-batches whose rows were not written in place
};

/// What one call returns, one entry per row, in input order. Offsets are inclusive, in code points (or UTF-16
/// units) of the row's text; -1 where a row has no place in the text ([CLS], [SEP]).
struct EmbeddingColumns {
  AlignedBuffer<float> vectors;  // [rows, hidden]; empty where they stay on a device
  DeviceRows device_vectors;     // the same there
  std::int64_t rows = 0;
  std::int64_t hidden = 0;
  std::vector<std::int32_t> begin;
  std::vector<std::int32_t> end;
  std::vector<std::int32_t> sentence;  // number of the sentence within its text
  std::vector<std::int32_t> piece_id;  // the row's (first) piece; -1 for sentences and documents
  std::vector<std::uint8_t> out_of_vocabulary;
  std::vector<std::int64_t> row_splits;  // [texts + 1]
  EmbeddingStats stats;
};

}  // namespace albert_fast::columns
