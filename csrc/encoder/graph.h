#pragma once

#include <string>
#include <vector>

#include "encoder/constants.h"
#include "encoder/geometry.h"

namespace albert_fast::encoder {

/// Names of the graph's inputs and output, in the order in which a run passes them.
inline constexpr const char* kGraphInputs[] = {"input_ids", "position_ids", "cu_seqlens", "kept_tokens",
                                               "cu_kept",   "row_splits",   "row_places", "reduction"};
inline constexpr const char* kGraphOutput = "rows";

/// How PackedGather makes one output row of several token rows.
enum class Reduction : std::int32_t { mean = 0, max = 1, sum = 2 };

enum class Precision : std::uint8_t { fp32, int8 };

struct GraphPrecision {
  Precision precision = Precision::fp32;
  /// With int8: the highest byte of quantized rows (QuantizedRange::byte).
  std::int64_t levels = 0;
  /// With int8: how many rows of a product of ours are made at a time for the operator behind it.
  std::int64_t block_rows = 0;
};

/// The packed ALBERT graph for the CPU, as ONNX protobuf. All layers name the same constants, so a shared
/// layer is packed once. Products are ours where the constants hold a matrix in panels, else ONNX Runtime's.
/// With int8 those of the layers (but kFirstProduct) are of quantized rows with QuantizedWeights, all else is
/// in fp32. The last
/// layer goes on behind its attention with the kept tokens alone (KeptTokens). Inputs (int32): input_ids and
/// position_ids [1, tokens], cu_seqlens [sequences + 1], kept_tokens [kept], cu_kept [sequences + 1],
/// row_splits [rows + 1] and row_places [n] (which kept tokens make an output row), reduction [1]. Output:
/// rows [rows, hidden] float32.
struct Graph {
  std::string onnx;                    // ModelProto
  std::vector<std::string> constants;  // names of those that it uses; a session must fill them
};
Graph write_graph(const Geometry& geometry, const Constants& constants, const GraphPrecision& precision,
                  const OutputChoice& choice);

}  // namespace albert_fast::encoder
