#pragma once

#include <string>
#include <vector>

#include "encoder/cuda/device_weights.h"

namespace albert_fast::encoder::cuda {

/// The graph's inputs, in the order in which a run passes them: kept_tokens only with `keeps`, the last two
/// only with OutputChoice::means.
inline constexpr const char* kInputs[] = {"input_ids", "position_ids", "cu_seqlens", "token_offset",
                                          "row_index", "kept_tokens",  "row_mask",   "row_share"};
inline constexpr const char* kOutput = "rows";

/// The packed ALBERT graph for ONNX Runtime's CUDA provider, as ONNX protobuf: every operator has a CUDA
/// kernel, none needs cuDNN, none reads a shape back to the host.
///
/// Inputs: input_ids, position_ids [tokens], cu_seqlens [sequences + 1], token_offset [sequences, longest],
/// all int32; row_index int32 [rows] (which token row is an output row) or, with `means`, [rows, width],
/// row_mask float [rows, 1, width] and row_share float [rows, 1] (row = share * sum of its masked tokens).
/// With `keeps` the last layer goes on behind its attention with the rows of kept_tokens int32 [kept] alone,
/// and row_index counts in those. Output: rows float [rows, hidden].
struct DeviceGraph {
  std::string onnx;
  std::vector<std::string> weights;  // names of the placeholders that a session must fill
};

/// `keeps`: for runs whose products take the longer, the more rows there are. `attention_domain` is
/// com.microsoft, or in a rehearsal that of our operator.
DeviceGraph write_device_graph(const Geometry& geometry, const DeviceWeights& weights,
                               const OutputChoice& choice, Precision precision, bool keeps,
                               std::string_view attention_domain = "com.microsoft");

}  // namespace albert_fast::encoder::cuda
