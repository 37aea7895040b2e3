#include "encoder/cuda/device_batch.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "encoder/graph.h"
#include "encoder/kept_tokens.h"

namespace albert_fast::encoder::cuda {
namespace {

constexpr std::int64_t kTokenStep = 64;
constexpr std::int64_t kLengthStep = 64;
constexpr std::int64_t kShortStep = 16;  // below that length
// Means are gathered as [rows, width]; more than this many numbers of a token each go to the host instead.
constexpr std::int64_t kMostGathered = 4;

std::int64_t round_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

std::int32_t longest_sequence(const PackedBatch& batch) {
  std::int32_t longest = 1;
  for (std::size_t s = 0; s + 1 < batch.cu_seqlens.size(); ++s) {
    longest = std::max(longest, batch.cu_seqlens[s + 1] - batch.cu_seqlens[s]);
  }
  return longest;
}

// With dummies up to `tokens`: sequences of their own, no longer than out.longest. No real token sees them,
// and what they hold does not matter.
void add_sequences(const PackedBatch& batch, std::int64_t tokens, DeviceBatch& out) {
  out.input_ids.assign(batch.input_ids.begin(), batch.input_ids.end());
  out.position_ids.assign(batch.position_ids.begin(), batch.position_ids.end());
  out.cu_seqlens.assign(batch.cu_seqlens.begin(), batch.cu_seqlens.end());
  auto missing = static_cast<std::int32_t>(tokens - static_cast<std::int64_t>(batch.input_ids.size()));
  while (missing > 0) {
    const std::int32_t length = std::min(missing, static_cast<std::int32_t>(out.longest));
    out.input_ids.insert(out.input_ids.end(), static_cast<std::size_t>(length), 0);
    out.position_ids.insert(out.position_ids.end(), static_cast<std::size_t>(length), 0);
    out.cu_seqlens.push_back(out.cu_seqlens.back() + length);
    missing -= length;
  }
}

// First where each packed token stands in a padded [sequences, longest] layout, then the places left over.
void add_token_offset(DeviceBatch& out) {
  const auto sequences = static_cast<std::int64_t>(out.cu_seqlens.size()) - 1;
  if (sequences * out.longest > std::numeric_limits<std::int32_t>::max()) {
    fail(ErrorCode::internal, "a micro-batch has more places than 32 bits count");
  }
  out.token_offset.resize(static_cast<std::size_t>(sequences * out.longest));
  std::int32_t* real = out.token_offset.data();
  std::int32_t* padding = real + out.cu_seqlens.back();
  const auto longest = static_cast<std::int32_t>(out.longest);
  for (std::int32_t s = 0; s < sequences; ++s) {
    const auto at = static_cast<std::size_t>(s);
    const std::int32_t length = out.cu_seqlens[at + 1] - out.cu_seqlens[at];
    std::iota(real, real + length, s * longest);
    std::iota(padding, padding + (longest - length), s * longest + length);
    real += length;
    padding += longest - length;
  }
}

// `row_tokens` are the batch's own or their places among kept tokens.
void add_token_rows(const PackedBatch& batch, std::span<const std::int32_t> row_tokens, DeviceBatch& out,
                    bool direct) {
  out.row_index.assign(row_tokens.begin(), row_tokens.end());
  out.rows = static_cast<std::int64_t>(out.row_index.size());
  if (direct) return;
  out.host_splits.assign(batch.row_splits.begin(), batch.row_splits.end());
  out.host_tokens.resize(out.row_index.size());
  std::iota(out.host_tokens.begin(), out.host_tokens.end(), 0);
}

void add_mean_rows(const PackedBatch& batch, std::span<const std::int32_t> row_tokens, DeviceBatch& out,
                   bool direct) {
  out.means = true;
  const bool sum = batch.reduction == static_cast<std::int32_t>(Reduction::sum);
  if (!direct) out.host_splits.assign(1, 0);
  for (std::size_t r = 0; r + 1 < batch.row_splits.size(); ++r) {
    const auto begin = static_cast<std::size_t>(batch.row_splits[r]);
    const auto end = static_cast<std::size_t>(batch.row_splits[r + 1]);
    if (begin < end) {
      // The places left over name the row's own first token, masked: no row can see another's numbers.
      for (std::size_t i = 0; i < static_cast<std::size_t>(out.width); ++i) {
        const bool is_real = begin + i < end;
        out.row_index.push_back(row_tokens[is_real ? begin + i : begin]);
        out.row_mask.push_back(is_real ? 1.0F : 0.0F);
      }
      out.row_share.push_back(sum ? 1.0F : 1.0F / static_cast<float>(end - begin));
      if (!direct) out.host_tokens.push_back(static_cast<std::int32_t>(out.rows));
      ++out.rows;
    }
    if (!direct) out.host_splits.push_back(static_cast<std::int32_t>(out.rows));
  }
}

void clear_rows(DeviceBatch& out) {
  out.kept_tokens.clear();
  out.row_index.clear();
  out.row_mask.clear();
  out.row_share.clear();
  out.host_splits.clear();
  out.host_tokens.clear();
  out.rows = 0;
  out.width = 1;
  out.means = false;
}

/// How many tokens make a row.
struct Widths {
  std::int64_t filled = 0;  // rows that have any
  std::int32_t widest = 0;
  bool holes = false;  // rows that have none
};

Widths widths_of(const PackedBatch& batch) {
  Widths widths;
  for (std::size_t r = 0; r + 1 < batch.row_splits.size(); ++r) {
    const std::int32_t width = batch.row_splits[r + 1] - batch.row_splits[r];
    widths.widest = std::max(widths.widest, width);
    widths.filled += width > 0 ? 1 : 0;
    widths.holes = widths.holes || width == 0;
  }
  return widths;
}

}  // namespace

std::int64_t padded_tokens(std::int64_t tokens) {
  const auto octave = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(tokens)));
  return round_up(tokens, std::max(kTokenStep, octave / 8));
}

void lay_out(const PackedBatch& batch, DeviceBatch& out) {
  clear_rows(out);
  const auto tokens = static_cast<std::int64_t>(batch.input_ids.size());
  const std::int64_t longest = longest_sequence(batch);
  out.longest = round_up(longest, longest < kLengthStep ? kShortStep : kLengthStep);
  add_sequences(batch, padded_tokens(tokens), out);
  add_token_offset(out);
  const KeptTokens kept(batch);
  const std::int64_t filled_up = padded_tokens(static_cast<std::int64_t>(kept.tokens.size()));
  out.kept_tokens.assign(kept.tokens.begin(), kept.tokens.end());
  out.kept_tokens.resize(static_cast<std::size_t>(filled_up), 0);
  const Widths widths = widths_of(batch);
  const bool is_max = batch.reduction == static_cast<std::int32_t>(Reduction::max);
  if (widths.widest <= 1 || is_max || widths.filled * widths.widest > kMostGathered * tokens) {
    add_token_rows(batch, kept.row_places, out, widths.widest <= 1 && !widths.holes);
  } else {
    out.width = widths.widest;
    add_mean_rows(batch, kept.row_places, out, !widths.holes);
  }
}

std::optional<std::size_t> bucket_of(const PackedBatch& batch) {
  const auto tokens = static_cast<std::int64_t>(batch.input_ids.size());
  const auto sequences = static_cast<std::int64_t>(batch.cu_seqlens.size()) - 1;
  const auto rows = static_cast<std::int64_t>(batch.row_tokens.size());
  const std::int64_t longest = longest_sequence(batch);
  for (std::size_t number = 0; number < std::size(kBuckets); ++number) {
    const Bucket& b = kBuckets[number];
    if (std::max(tokens, rows) > b.tokens || longest > b.longest) continue;
    const std::int64_t dummies = round_up(b.tokens - tokens, b.longest) / b.longest;
    if (sequences + dummies <= b.sequences) return number;
  }
  return std::nullopt;
}

void lay_out(const PackedBatch& batch, const Bucket& bucket, DeviceBatch& out) {
  clear_rows(out);
  out.longest = bucket.longest;
  add_sequences(batch, bucket.tokens, out);
  out.cu_seqlens.resize(static_cast<std::size_t>(bucket.sequences) + 1,
                        static_cast<std::int32_t>(bucket.tokens));
  add_token_offset(out);
  const Widths widths = widths_of(batch);
  add_token_rows(batch, batch.row_tokens, out, widths.widest <= 1 && !widths.holes);
  out.row_index.resize(static_cast<std::size_t>(bucket.tokens), 0);
}

OwnedBatch part_of(const PackedBatch& batch, std::size_t first, std::size_t last) {
  const std::int32_t token_begin = batch.cu_seqlens[first];
  const std::int32_t token_end = batch.cu_seqlens[last];
  const auto slice = [&](std::span<const std::int32_t> all) {
    return std::vector<std::int32_t>(all.begin() + token_begin, all.begin() + token_end);
  };
  OwnedBatch part;
  part.input_ids = slice(batch.input_ids);
  part.position_ids = slice(batch.position_ids);
  for (std::size_t s = first; s <= last; ++s) part.cu_seqlens.push_back(batch.cu_seqlens[s] - token_begin);
  part.row_splits.push_back(0);
  part.reduction = batch.reduction;
  // Rows stand in the order of the sequences. One without tokens goes with the row before it.
  std::int32_t place = 0;
  for (std::size_t r = 0; r + 1 < batch.row_splits.size(); ++r) {
    const auto begin = static_cast<std::size_t>(batch.row_splits[r]);
    const auto end = static_cast<std::size_t>(batch.row_splits[r + 1]);
    if (begin < end) place = batch.row_tokens[begin];
    if (place < token_begin || place >= token_end) continue;
    for (std::size_t i = begin; i < end; ++i) part.row_tokens.push_back(batch.row_tokens[i] - token_begin);
    part.row_splits.push_back(static_cast<std::int32_t>(part.row_tokens.size()));
  }
  return part;
}

}  // namespace albert_fast::encoder::cuda
