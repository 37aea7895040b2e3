#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sentencepiece/lattice.h"
#include "sentencepiece/model_file.h"
#include "sentencepiece/normalizer.h"
#include "sentencepiece/piece_trie.h"

namespace albert_fast::sentencepiece {

/// One piece of a text and where it stands in it, in bytes. Spans follow each other without gaps and may be
/// empty.
struct Piece {
  std::int32_t id = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

/// Memory of one thread, reused between calls. Not to be shared by threads at the same time.
struct Scratch {
  Normalized normalized;
  Lattice lattice;
  std::vector<Piece> pieces;
  std::vector<std::uint32_t> nodes_per_piece;

  std::unique_ptr<Scratch> nested;  // for pieces that are encoded once more

  /// Gives memory back that an unusually long text needed.
  void trim(std::size_t max_bytes = std::size_t{1} << 20);
};

/// A SentencePiece unigram vocabulary. Immutable once parsed, so any number of threads may use it.
class Model {
 public:
  /// Reads the bytes of a `.model` file; keeps no view of them. Throws Error(corrupt_model) naming the field.
  static Model parse(std::string_view bytes);

  [[nodiscard]] std::size_t size() const { return types_.size(); }
  /// Text of a piece; `id` must be in [0, size()).
  [[nodiscard]] std::string_view piece(std::int32_t id) const;
  [[nodiscard]] float score(std::int32_t id) const { return file_scores_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view piece) const;
  /// Like find, but the id of the unknown piece for a name that does not exist.
  [[nodiscard]] std::int32_t piece_to_id(std::string_view piece) const {
    return find(piece).value_or(unk_id());
  }
  [[nodiscard]] std::int32_t unk_id() const { return unknown_id_; }

  [[nodiscard]] PieceType type(std::int32_t id) const { return types_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool is_control(std::int32_t id) const { return type(id) == PieceType::control; }
  [[nodiscard]] bool is_unknown(std::int32_t id) const { return type(id) == PieceType::unknown; }
  [[nodiscard]] bool is_user_defined(std::int32_t id) const { return type(id) == PieceType::user_defined; }
  [[nodiscard]] bool is_byte(std::int32_t id) const { return type(id) == PieceType::byte; }

  /// Pieces of a text, ids and spans as the oracle gives them. Any bytes are allowed: what is not UTF-8
  /// counts as U+FFFD, byte by byte. Throws Error(invalid_input) for a text of 2 GiB or more.
  void encode(std::string_view text, Scratch& scratch, std::vector<Piece>& out) const;
  void encode_ids(std::string_view text, Scratch& scratch, std::vector<std::int32_t>& out) const;

  // Below: what Tokenizer builds on.

  [[nodiscard]] const Normalizer& normalizer() const { return normalizer_; }
  /// No piece has a space mark beyond its start and the mark itself is a piece: so every mark begins a new
  /// piece, and what stands between two marks can be segmented alone.
  [[nodiscard]] bool marks_are_borders() const { return marks_are_borders_; }
  /// A text may be cut at `normalizer().separators()` and its parts looked up alone.
  [[nodiscard]] bool words_are_separable() const {
    return marks_are_borders_ && scores_are_modest_ && normalizer_.separable();
  }
  /// Pieces that text never becomes: control, unknown, byte and unused ones.
  [[nodiscard]] std::span<const std::int32_t> unmatched_ids() const { return not_in_trie_; }
  /// Whether text can become this piece.
  [[nodiscard]] bool is_matched(std::string_view piece) const { return trie_.find(piece) >= 0; }
  /// What one lattice node with this piece adds to the sum of a path.
  [[nodiscard]] float node_score(std::int32_t id) const {
    return node_scores_[static_cast<std::size_t>(id) + 1];
  }

  /// No node's score is larger, signs aside.
  [[nodiscard]] float largest_score() const { return largest_score_; }

  /// Normalizes and segments one text whose pieces follow others with the sum `score` (updated). Appends
  /// pieces and, if wanted, how many lattice nodes each stands for. `in_one_go` searches it as a whole, so
  /// that the lattice knows its safe start score; otherwise in parts where that gives the same.
  void segment(std::string_view text, Scratch& scratch, float& score, std::vector<Piece>& out,
               std::vector<std::uint32_t>* nodes_per_piece = nullptr, bool in_one_go = false) const;

 private:
  void index_pieces(const ModelFile& file);
  void score_pieces(const ModelFile& file);
  void check_marks(const ModelFile& file);
  void append_path(const Normalized& text, std::size_t offset, const Lattice& lattice,
                   std::vector<Piece>& out, std::vector<std::uint32_t>* nodes_per_piece,
                   bool& after_unknown) const;

  std::string texts_;
  std::vector<std::uint32_t> text_ends_;
  std::vector<PieceType> types_;
  std::vector<float> file_scores_;
  std::vector<float> node_scores_;         // by id + 1, as LatticeTables wants them
  std::vector<std::int32_t> not_in_trie_;  // ids of pieces that text never matches, by text
  std::vector<std::int32_t> byte_ids_;     // 256 of them, or none: no byte fallback
  PieceTrie trie_;
  PieceTrie::Unit mark_;  // where the space mark leads
  Normalizer normalizer_;
  std::size_t longest_piece_ = 0;
  float unknown_score_ = 0.0F, largest_score_ = 0.0F;
  std::int32_t unknown_id_ = 0;
  bool marks_are_borders_ = false, scores_are_modest_ = false;
};

}  // namespace albert_fast::sentencepiece
