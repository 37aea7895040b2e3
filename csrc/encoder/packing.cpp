#include "encoder/packing.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace albert_fast::encoder {
namespace {

template <class T>
std::string_view bytes_of(const T* data, std::size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

std::string_view pieces_of(const Encoding& encoding, const Window& window) {
  return bytes_of(encoding.piece_ids.data() + window.piece_begin, window.piece_end - window.piece_begin);
}

// Two windows with the same pieces may still be split into other words; then their rows differ.
bool same_rows(const RowPlan& rows, std::uint32_t a, std::uint32_t b) {
  const std::uint32_t count = rows.window_rows[a + 1] - rows.window_rows[a];
  if (count != rows.window_rows[b + 1] - rows.window_rows[b]) return false;
  const std::uint32_t* splits_a = rows.row_splits.data() + rows.window_rows[a];
  const std::uint32_t* splits_b = rows.row_splits.data() + rows.window_rows[b];
  for (std::uint32_t r = 0; r <= count; ++r) {
    if (splits_a[r] - splits_a[0] != splits_b[r] - splits_b[0]) return false;
  }
  return std::equal(rows.row_tokens.begin() + splits_a[0], rows.row_tokens.begin() + splits_a[count],
                    rows.row_tokens.begin() + splits_b[0]);
}

}  // namespace

std::vector<std::uint32_t> find_repeats(const Encoding& encoding, const std::vector<Window>& windows,
                                        const RowPlan& rows) {
  std::vector<std::uint32_t> source(windows.size());
  std::unordered_map<std::string_view, std::uint32_t> first;
  first.reserve(windows.size());
  for (std::uint32_t w = 0; w < windows.size(); ++w) {
    const auto [found, is_new] = first.try_emplace(pieces_of(encoding, windows[w]), w);
    source[w] = !is_new && same_rows(rows, found->second, w) ? found->second : w;
  }
  return source;
}

namespace {

/// `is_full(batch, tokens)` says whether a window of so many tokens goes into the next batch.
template <class IsFull>
std::vector<MicroBatch> cut(const std::vector<Window>& windows, const std::vector<std::uint32_t>& source,
                            IsFull is_full) {
  std::vector<MicroBatch> batches;
  for (std::uint32_t w = 0; w < windows.size(); ++w) {
    if (source[w] != w) {  // only its rows pass by, untouched
      if (!batches.empty()) batches.back().window_end = w + 1;
      continue;
    }
    const std::uint32_t tokens = windows[w].tokens();
    if (batches.empty() || is_full(batches, tokens)) batches.push_back({w, w + 1, 0});
    batches.back().window_end = w + 1;
    batches.back().tokens += tokens;
  }
  return batches;
}

}  // namespace

std::vector<MicroBatch> cut_batches(const std::vector<Window>& windows,
                                    const std::vector<std::uint32_t>& source, std::uint32_t token_budget,
                                    std::uint64_t place_budget) {
  std::size_t batch = 0;        // the batch that is being filled
  std::uint64_t sequences = 0;  // in it
  std::uint32_t longest = 0;
  return cut(windows, source, [&](const std::vector<MicroBatch>& batches, std::uint32_t tokens) {
    if (batches.size() != batch) {  // it has one sequence so far
      batch = batches.size();
      sequences = 1;
      longest = batches.back().tokens;
    }
    ++sequences;
    longest = std::max(longest, tokens);
    return batches.back().tokens + tokens > token_budget || sequences * longest > place_budget;
  });
}

std::vector<MicroBatch> cut_evenly(const std::vector<Window>& windows,
                                   const std::vector<std::uint32_t>& source, std::uint64_t tokens,
                                   std::uint32_t count) {
  std::uint64_t before = 0;  // tokens of the batches that are complete
  return cut(windows, source, [&](const std::vector<MicroBatch>& batches, std::uint32_t next) {
    const std::uint64_t until_middle = before + batches.back().tokens + next / 2;
    const bool is_full = until_middle * count >= tokens * batches.size();
    if (is_full) before += batches.back().tokens;
    return is_full;
  });
}

PackedBatch Packer::pack(const MicroBatch& batch, const std::vector<std::uint32_t>& source) {
  input_ids_.clear();
  position_ids_.clear();
  row_tokens_.clear();
  cu_seqlens_.assign(1, 0);
  row_splits_.assign(1, 0);
  for (std::uint32_t w = batch.window_begin; w < batch.window_end; ++w) {
    const auto first_token = static_cast<std::int32_t>(input_ids_.size());
    const bool computed = source[w] == w;
    if (computed) add_sequence(windows_[w]);
    add_rows(w, first_token, computed);
  }
  return {input_ids_,  position_ids_, cu_seqlens_,
          row_splits_, row_tokens_,   static_cast<std::int32_t>(rows_.reduction)};
}

void Packer::add_sequence(const Window& window) {
  input_ids_.push_back(special_.cls);
  const auto* pieces = encoding_.piece_ids.data();
  input_ids_.insert(input_ids_.end(), pieces + window.piece_begin, pieces + window.piece_end);
  input_ids_.push_back(special_.sep);
  input_ids_.insert(input_ids_.end(), window.padding, special_.padding);
  for (std::uint32_t position = 0; position < window.tokens(); ++position) {
    position_ids_.push_back(static_cast<std::int32_t>(position));
  }
  cu_seqlens_.push_back(static_cast<std::int32_t>(input_ids_.size()));
}

void Packer::add_rows(std::uint32_t window, std::int32_t first_token, bool computed) {
  for (std::uint32_t r = rows_.window_rows[window]; r < rows_.window_rows[window + 1]; ++r) {
    if (computed) {
      for (std::uint32_t t = rows_.row_splits[r]; t < rows_.row_splits[r + 1]; ++t) {
        row_tokens_.push_back(first_token + rows_.row_tokens[t]);
      }
    }
    row_splits_.push_back(static_cast<std::int32_t>(row_tokens_.size()));
  }
}

}  // namespace albert_fast::encoder
