// What ALBERT's own tokenizers do on top of SentencePiece: `▁1,` is split again into `▁1` and `,`.
#include <algorithm>

#include "sentencepiece/tokenizer.h"
#include "sentencepiece/utf8_step.h"

namespace albert_fast::sentencepiece {
namespace {

char32_t decode_last(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80) --at;
  const auto lead = static_cast<std::uint8_t>(text[at]);
  if (lead < 0x80) return lead;
  const std::size_t size = text.size() - at;
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = at + 1; i < text.size(); ++i)
    value = value << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
  return value;
}

bool is_number_with_comma(std::string_view piece, Tokenizer::IsDigit is_digit) {
  return piece.size() > 1 && piece.ends_with(',') && is_digit(decode_last(piece.substr(0, piece.size() - 1)));
}

/// Bytes of normalized text behind a piece; `nodes` lattice nodes are in it, one per character if unknown.
std::size_t normalized_size(const Model& model, const Piece& piece, std::uint32_t nodes,
                            std::string_view rest) {
  if (model.is_byte(piece.id)) return 1;
  if (!model.is_unknown(piece.id)) return model.piece(piece.id).size();
  std::size_t size = 0;
  for (; nodes > 0; --nodes) size += char_size(rest[size]);
  return size;
}

}  // namespace

void Tokenizer::find_comma_pieces() {
  const Model& model = *model_;
  ends_with_comma_.resize(model.size());
  for (std::size_t i = 0; i < model.size(); ++i) {
    const std::string_view piece = model.piece(static_cast<std::int32_t>(i));
    ends_with_comma_[i] = piece.size() > 1 && piece.ends_with(',');
  }
  const auto only_unknown_chars = [&model](std::int32_t id) {
    const std::string_view name = model.piece(id);
    for (std::size_t at = 0; at < name.size(); at += char_size(name[at])) {
      if (model.is_matched(name.substr(at, char_size(name[at])))) return false;
    }
    return true;
  };
  unknown_runs_have_names_ =
      !model.is_matched(",") || std::ranges::any_of(model.unmatched_ids(), only_unknown_chars);
}

void Tokenizer::encode_albert(std::string_view text, IsDigit is_digit, Scratch& scratch,
                              std::vector<Piece>& out) {
  encode_text(text, scratch, out);
  if (!needs_resplit(out, is_digit)) return;
  scratch.pieces.clear();
  scratch.nodes_per_piece.clear();
  float score = 0.0F;
  model_->segment(text, scratch, score, scratch.pieces, &scratch.nodes_per_piece);
  out.clear();
  resplit(scratch, is_digit, out);
}

bool Tokenizer::needs_resplit(const std::vector<Piece>& pieces, IsDigit is_digit) const {
  return std::ranges::any_of(pieces, [&](const Piece& piece) {
    if (piece.id == model_->unk_id()) return unknown_runs_have_names_;
    return ends_with_comma_[static_cast<std::size_t>(piece.id)] &&
           is_number_with_comma(model_->piece(piece.id), is_digit);
  });
}

void Tokenizer::resplit(Scratch& scratch, IsDigit is_digit, std::vector<Piece>& out) const {
  if (scratch.nested == nullptr) scratch.nested = std::make_unique<Scratch>();
  const std::string_view normalized = scratch.normalized.view();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < scratch.pieces.size(); ++i) {
    Piece piece = scratch.pieces[i];
    const std::size_t size =
        normalized_size(*model_, piece, scratch.nodes_per_piece[i], normalized.substr(offset));
    const std::string_view piece_text = normalized.substr(offset, size);
    if (!model_->is_byte(piece.id) && is_number_with_comma(piece_text, is_digit)) {
      out.push_back(piece);  // replaced: append_resplit starts where the piece starts
      append_resplit(piece_text, offset, scratch, out);
    } else {
      // There a piece is a string, which is looked up again: an unknown run may spell a piece.
      if (model_->is_unknown(piece.id)) piece.id = model_->piece_to_id(piece_text);
      out.push_back(piece);
    }
    offset += size;
  }
}

void Tokenizer::append_resplit(std::string_view piece, std::size_t offset, Scratch& scratch,
                               std::vector<Piece>& out) const {
  const Piece whole = out.back();
  out.pop_back();
  constexpr std::string_view kMark = Normalizer::kSpaceMark;
  const std::size_t comma = piece.size() - 1;
  std::string number;
  std::vector<std::uint32_t> origins;  // of each byte of `number`, in the text; then of the comma
  for (std::size_t at = 0; at < comma;) {
    if (piece.substr(at).starts_with(kMark)) {
      at += kMark.size();
      continue;
    }
    number += piece[at];
    origins.push_back(scratch.normalized.origin(offset + at++));
  }
  origins.push_back(scratch.normalized.origin(offset + comma));
  Scratch& nested = *scratch.nested;
  nested.pieces.clear();
  nested.nodes_per_piece.clear();
  float score = 0.0F;
  model_->segment(number, nested, score, nested.pieces, &nested.nodes_per_piece);
  std::uint32_t begin = whole.begin;
  std::size_t nested_offset = 0;
  for (std::size_t i = 0; i < nested.pieces.size(); ++i) {
    const Piece& part = nested.pieces[i];
    const std::string_view rest = nested.normalized.view().substr(nested_offset);
    const std::size_t size = normalized_size(*model_, part, nested.nodes_per_piece[i], rest);
    std::string_view name = model_->is_byte(part.id) ? model_->piece(part.id) : rest.substr(0, size);
    nested_offset += size;
    const bool drops_mark = i == 0 && !piece.starts_with(kMark) && name.starts_with(kMark);
    if (drops_mark) name.remove_prefix(kMark.size());
    if (name.empty()) continue;
    const std::uint32_t end = origins[part.end];
    out.push_back({model_->piece_to_id(name), begin, end});
    begin = end;
  }
  out.push_back({model_->piece_to_id(","), begin, whole.end});
}

}  // namespace albert_fast::sentencepiece
