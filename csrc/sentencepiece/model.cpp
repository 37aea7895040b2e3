#include "sentencepiece/model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr float kUnknownPenalty = 10.0F;
// Scores are log probabilities. With larger ones a sum could overflow within a word, so words are not looked
// up.
constexpr float kModestScore = 1000.0F;

bool is_matched_in_text(PieceType type) {
  return type == PieceType::normal || type == PieceType::user_defined;
}

void check_size(std::string_view text) {
  if (text.size() > 0x7FFFFFFF) {
    fail(ErrorCode::invalid_input, "A text has " + std::to_string(text.size()) +
                                       " bytes; spans are 32-bit, so cut it into texts below 2 GiB");
  }
}

}  // namespace

void Scratch::trim(std::size_t max_bytes) {
  if (normalized.capacity() > max_bytes) normalized = {};
  lattice.trim(max_bytes / sizeof(Lattice::Node));
  if (pieces.capacity() > max_bytes / sizeof(Piece)) pieces = {};
  if (nodes_per_piece.capacity() > max_bytes / sizeof(std::uint32_t)) nodes_per_piece = {};
  nested.reset();
}

Model Model::parse(std::string_view bytes) {
  const ModelFile file = read_model_file(bytes);
  Model model;
  model.index_pieces(file);
  model.score_pieces(file);
  model.normalizer_ = Normalizer(file);
  model.check_marks(file);
  return model;
}

void Model::index_pieces(const ModelFile& file) {
  std::vector<PieceTrie::Key> keys(file.pieces.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const PieceRecord& piece = file.pieces[i];
    keys[i] = {piece.text, static_cast<std::int32_t>(i)};
    texts_ += piece.text;
    text_ends_.push_back(static_cast<std::uint32_t>(texts_.size()));
    types_.push_back(piece.type);
    file_scores_.push_back(piece.score);
    if (piece.type == PieceType::unknown) unknown_id_ = static_cast<std::int32_t>(i);
    if (piece.type == PieceType::byte) {
      byte_ids_.resize(256);
      byte_ids_[static_cast<std::size_t>(byte_of_piece(piece.text))] = static_cast<std::int32_t>(i);
    }
  }
  std::ranges::sort(keys, {}, &PieceTrie::Key::text);
  const auto repeated = std::ranges::adjacent_find(keys, {}, &PieceTrie::Key::text);
  if (repeated != keys.end()) {
    fail_field("pieces[" + std::to_string(std::next(repeated)->value) + "].piece",
               "repeats an earlier piece");
  }
  std::vector<PieceTrie::Key> matched;
  matched.reserve(keys.size());
  for (const PieceTrie::Key& key : keys) {
    if (is_matched_in_text(type(key.value))) {
      matched.push_back(key);
    } else {
      not_in_trie_.push_back(key.value);
    }
  }
  trie_ = PieceTrie::build(matched);
}

void Model::score_pieces(const ModelFile& file) {
  float least = std::numeric_limits<float>::max();
  for (const PieceRecord& piece : file.pieces) {
    if (piece.type == PieceType::normal) least = std::min(least, piece.score);
  }
  if (least == std::numeric_limits<float>::max()) fail_field("pieces", "has no normal piece");
  unknown_score_ = least - kUnknownPenalty;
  node_scores_.assign(1, -std::numeric_limits<float>::infinity());
  node_scores_.insert(node_scores_.end(), file_scores_.begin(), file_scores_.end());
  largest_score_ = std::fabs(unknown_score_);
  for (std::size_t i = 0; i < types_.size(); ++i) {
    longest_piece_ = std::max(longest_piece_, file.pieces[i].text.size());
    float& score = node_scores_[i + 1];
    if (types_[i] == PieceType::user_defined) {
      // The oracle's bonus for user-defined symbols: by length in bytes, rounded to float once.
      score = static_cast<float>(0.1 * (static_cast<int>(file.pieces[i].text.size()) - 1));
    } else if (types_[i] == PieceType::unknown || types_[i] == PieceType::byte) {
      score = unknown_score_;
    }
    largest_score_ = std::max(largest_score_, std::fabs(score));
  }
  scores_are_modest_ = largest_score_ <= kModestScore;
}

void Model::check_marks(const ModelFile& file) {
  mark_ = trie_.walk(Normalizer::kSpaceMark);
  marks_are_borders_ = mark_.label_value >> 8 != 0;
  for (const PieceRecord& piece : file.pieces) {
    if (is_matched_in_text(piece.type) &&
        piece.text.find(Normalizer::kSpaceMark, 1) != std::string_view::npos) {
      marks_are_borders_ = false;
    }
  }
}

std::string_view Model::piece(std::int32_t id) const {
  const auto index = static_cast<std::size_t>(id);
  const std::size_t begin = index == 0 ? 0 : text_ends_[index - 1];
  return std::string_view(texts_).substr(begin, text_ends_[index] - begin);
}

std::optional<std::int32_t> Model::find(std::string_view name) const {
  const std::int32_t id = trie_.find(name);
  if (id >= 0) return id;
  const auto text_of = [this](std::int32_t i) { return piece(i); };
  const auto place = std::ranges::lower_bound(not_in_trie_, name, {}, text_of);
  if (place != not_in_trie_.end() && piece(*place) == name) return *place;
  return std::nullopt;
}

void Model::encode(std::string_view text, Scratch& scratch, std::vector<Piece>& out) const {
  out.clear();
  check_size(text);  // before memory for a text of that size is asked for
  out.reserve(text.size() / 4);
  float score = 0.0F;
  segment(text, scratch, score, out);
}

void Model::encode_ids(std::string_view text, Scratch& scratch, std::vector<std::int32_t>& out) const {
  encode(text, scratch, scratch.pieces);
  out.clear();
  for (const Piece& piece : scratch.pieces) out.push_back(piece.id);
}

void Model::segment(std::string_view text, Scratch& scratch, float& score, std::vector<Piece>& out,
                    std::vector<std::uint32_t>* nodes_per_piece, bool in_one_go) const {
  check_size(text);
  normalizer_.run(text, scratch.normalized);
  const std::string_view normalized = scratch.normalized.view();
  const LatticeTables tables{
      &trie_,         node_scores_.data(), unknown_score_, static_cast<std::uint32_t>(unknown_id_) + 1,
      longest_piece_, largest_score_,      mark_};
  bool after_unknown = false;
  if (scratch.normalized.is_one_word() && !in_one_go &&
      scratch.lattice.solve_word(tables, normalized, score)) {
    score = scratch.lattice.end_score();
    append_path(scratch.normalized, 0, scratch.lattice, out, nodes_per_piece, after_unknown);
    return;
  }
  const bool in_parts = marks_are_borders_ && !in_one_go;
  for (std::size_t begin = 0, end = 0; begin < normalized.size();) {
    if (begin == end) {
      end = in_parts ? normalized.find(Normalizer::kSpaceMark, begin + 1) : normalized.size();
      end = std::min(end, normalized.size());
    }
    const std::size_t settled =
        scratch.lattice.solve(tables, normalized.substr(begin, end - begin), score, in_one_go);
    score = scratch.lattice.end_score();
    append_path(scratch.normalized, begin, scratch.lattice, out, nodes_per_piece, after_unknown);
    begin += settled;
  }
}

void Model::append_path(const Normalized& text, std::size_t offset, const Lattice& lattice,
                        std::vector<Piece>& out, std::vector<std::uint32_t>* nodes_per_piece,
                        bool& after_unknown) const {
  const auto path = lattice.reversed_path();
  const auto add = [&](std::int32_t id, std::uint32_t begin, std::uint32_t end, std::uint32_t nodes) {
    out.push_back({id, begin, end});
    if (nodes_per_piece != nullptr) nodes_per_piece->push_back(nodes);
  };
  for (std::size_t i = path.size(); i-- > 0;) {
    const Lattice::Step& step = path[i];
    const std::uint32_t begin = text.origin(offset + step.begin), end = text.origin(offset + step.end);
    const bool is_unknown = step.id == unknown_id_;
    if (is_unknown && !byte_ids_.empty()) {
      // Every byte of the character becomes a piece; the last one carries the span.
      for (std::uint32_t at = step.begin; at < step.end; ++at) {
        const auto byte = static_cast<std::uint8_t>(text.view()[offset + at]);
        const bool is_last = at + 1 == step.end;
        add(byte_ids_[byte], begin, is_last ? end : begin, is_last ? 1 : 0);
      }
    } else if (is_unknown && after_unknown) {
      out.back().end = end;
      if (nodes_per_piece != nullptr) ++nodes_per_piece->back();
    } else {
      add(step.id, begin, end, 1);
    }
    after_unknown = is_unknown;
  }
}

}  // namespace albert_fast::sentencepiece
