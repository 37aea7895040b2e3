#pragma once

#include <functional>
#include <span>

#include "columns/embedding_columns.h"
#include "encoder/packing.h"

namespace albert_fast::encoder {

/// Everything a worker needs to turn micro-batches into rows. Borrowed for the length of one call.
struct RunPlan {
  const Model& model;
  const Encoding& encoding;
  const std::vector<Window>& windows;
  const RowPlan& rows;
  const std::vector<std::uint32_t>& source;  // see find_repeats
  OutputChoice choice;
  SpecialIds special;
  int threads = 1;
};

/// Computes the rows of every new window into `out` [rows, hidden], then copies those of repeated windows.
/// Throws `cancelled` when `keep_going` said no.
void run_windows(const RunPlan& plan, const Destination& out, const std::function<bool()>& keep_going,
                 columns::EmbeddingStats& stats);

}  // namespace albert_fast::encoder
