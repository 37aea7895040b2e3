#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "encoder/model.h"

namespace albert_fast::encoder {

/// The graph itself, or a file of tensors that it names: mapped, or copied out of an archive.
class GraphFile {
 public:
  static GraphFile mapped(std::string name, const std::string& path, std::size_t begin, std::size_t end);
  static GraphFile copied(std::string name, std::string bytes);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const std::byte> bytes() const;

 private:
  std::string name_;
  std::unique_ptr<MappedFile> file_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string copy_;
};

/// How a foreign graph is called.
struct GraphSignature {
  enum class Role : std::uint8_t { input_ids, attention_mask, token_type_ids };
  struct Input {
    std::string name;
    Role role = Role::input_ids;
    bool is_int64 = true;
  };
  std::vector<Input> inputs;
  std::string hidden_output;  // [batch, length, hidden] float32
  std::string pooler_output;  // [batch, hidden] float32; empty: the graph gives none
};

/// A user's ONNX graph, run as it is: sequences are laid side by side, padded and masked, a few at a time so
/// that a long one does not make the short ones dear. It gives the last hidden state, and the pooler where
/// the graph has that output.
class GraphModel final : public Model {
 public:
  /// `files` are what the graph's external tensors name.
  GraphModel(GraphFile graph, std::vector<GraphFile> files, GraphSignature signature,
             const Geometry& geometry);
  ~GraphModel() override { drop_sessions(); }

  [[nodiscard]] bool has_pooler() const override { return !signature_.pooler_output.empty(); }
  [[nodiscard]] bool has_layers() const override { return false; }
  bool run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
           const PackedBatch& batch, const Destination& out) const override;

 private:
  [[nodiscard]] SharedSession make_session(const OutputChoice& choice, int threads) const override;
  void run_group(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                 const PackedBatch& batch, std::size_t first, std::size_t last, std::span<float> rows) const;

  GraphFile graph_;
  std::vector<GraphFile> files_;
  GraphSignature signature_;
};

}  // namespace albert_fast::encoder
