#include "encoder/kept_tokens.h"

namespace albert_fast::encoder {

KeptTokens::KeptTokens(const PackedBatch& batch) {
  std::vector<std::int32_t> place(batch.input_ids.size(), 0);  // first whether a token is read
  for (const std::int32_t token : batch.row_tokens) place[static_cast<std::size_t>(token)] = 1;
  if (batch.row_tokens.empty()) place.front() = 1;  // operators are never given nothing to do
  const std::size_t sequences = batch.cu_seqlens.size() - 1;
  tokens.reserve(batch.input_ids.size());
  cu_kept.reserve(sequences + 1);
  cu_kept.push_back(0);
  for (std::size_t s = 0; s < sequences; ++s) {
    for (std::int32_t token = batch.cu_seqlens[s]; token < batch.cu_seqlens[s + 1]; ++token) {
      std::int32_t& at = place[static_cast<std::size_t>(token)];
      if (at == 0) continue;
      at = static_cast<std::int32_t>(tokens.size());
      tokens.push_back(token);
    }
    cu_kept.push_back(static_cast<std::int32_t>(tokens.size()));
  }
  row_places.reserve(batch.row_tokens.size());
  for (const std::int32_t token : batch.row_tokens) {
    row_places.push_back(place[static_cast<std::size_t>(token)]);
  }
}

}  // namespace albert_fast::encoder
