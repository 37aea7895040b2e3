#include "sentencepiece/tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace albert_fast::sentencepiece {
namespace {

// A word without pieces changes no sum.
constexpr float kAnyScore = 90000.0F;

class VectorOfIds {
 public:
  explicit VectorOfIds(std::vector<std::int32_t>& ids) : ids_(ids) {}

  void push(std::int32_t id) { ids_.push_back(id); }
  void push_plain(const PlainPieces& pieces) {
    for (std::size_t i = 0; i < pieces.count; ++i) push(pieces.id(i));
  }

 private:
  std::vector<std::int32_t>& ids_;
};

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Model> model, std::size_t cache_bytes)
    : model_(std::move(model)),
      cache_(cache_bytes),
      separators_(model_->normalizer().separators()),
      mark_id_(model_->piece_to_id(Normalizer::kSpaceMark)),
      // Above the largest score by more than what rounding takes from any sum below the exact range's end.
      bound_per_piece_(model_->largest_score() * 1.001F + 0.1F),
      by_words_(cache_bytes != 0 && model_->words_are_separable()) {
  find_comma_pieces();
}

/// Pieces of a word encoded alone: from memory, or searched and remembered. False when the word is new, or
/// too rich to remember.
bool Tokenizer::look_up(const Word& word, Scratch& scratch, WordPieces& pieces) {
  if (word.key.size() > WordKey::kMaxBytes) return false;
  if (!word.was_seen) {
    cache_.note(word.hash);
    return false;
  }
  if (cache_.look(word.key, word.hash, pieces)) return true;
  search_alone(word.key.view(), scratch, true);
  std::array<WordPieces::Item, WordPieces::kMaxPieces> items;
  const std::size_t count = scratch.pieces.size();
  if (count > items.size() || scratch.normalized.size() > Lattice::kWindow) return false;
  for (std::size_t i = 0; i < count; ++i) {
    items[i] = {scratch.pieces[i].id, scratch.pieces[i].end, scratch.nodes_per_piece[i]};
  }
  const float safe_score = count == 0 ? kAnyScore : scratch.lattice.safe_start_score();
  const std::uint32_t flags = white_space_flags(scratch.normalized);
  if (!pieces.pack(word.key, {items.data(), count}, flags, safe_score, mark_id_)) return false;
  cache_.keep(word.hash, pieces);
  return true;
}

std::uint32_t Tokenizer::white_space_flags(const Normalized& normalized) {
  std::uint32_t flags = 0;
  if (normalized.skipped_leading_space) flags |= WordPieces::kSkippedLeadingSpace;
  if (normalized.dropped_trailing_space) flags |= WordPieces::kDroppedTrailingSpace;
  return flags;
}

void Tokenizer::search_alone(std::string_view word, Scratch& scratch, bool in_one_go) const {
  scratch.pieces.clear();
  scratch.nodes_per_piece.clear();
  float score = 0.0F;
  model_->segment(word, scratch, score, scratch.pieces, &scratch.nodes_per_piece, in_one_go);
}

std::size_t Tokenizer::encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) {
  const std::size_t before = ids.size();
  VectorOfIds out(ids);
  Word prepared;
  prepare(prepared, WordKey(word));
  append_alone(prepared, scratch, out);
  return ids.size() - before;
}

void Tokenizer::encode_words(std::span<const WordKey> words, Scratch& scratch, IdBuffer& ids,
                             std::span<std::int64_t> ends) {
  // Some at a time, so that their entries are on the way from memory while others are appended.
  constexpr std::size_t kAhead = 32;
  std::array<Word, kAhead> prepared;
  for (std::size_t first = 0; first < words.size(); first += kAhead) {
    const std::size_t count = std::min(kAhead, words.size() - first);
    for (std::size_t i = 0; i < count; ++i) prepare(prepared[i], words[first + i]);
    for (std::size_t i = 0; i < count; ++i) {
      append_alone(prepared[i], scratch, ids);
      ends[first + i] = static_cast<std::int64_t>(ids.size());
    }
  }
}

/// Ids of a word encoded alone, without bare marks.
template <class Ids>
void Tokenizer::append_alone(const Word& word, Scratch& scratch, Ids& ids) {
  PlainPieces pieces;
  if (!word.was_seen || !cache_.look_plain(word.key, word.hash, pieces)) {
    return append_alone_slowly(word, scratch, ids);
  }
  pieces.drop_first_id(mark_id_);  // a plain word has no other bare mark
  ids.push_plain(pieces);
}

template <class Ids>
void Tokenizer::append_alone_slowly(const Word& word, Scratch& scratch, Ids& ids) {
  if (word.key.size() == 0) return;
  WordPieces pieces;
  if (look_up(word, scratch, pieces)) {
    for (std::size_t i = 0; i < pieces.count(); ++i) {
      if (const std::int32_t id = pieces.id(i); id != mark_id_) ids.push(id);
    }
  } else {
    search_alone(word.key.view(), scratch, false);
    for (const Piece& piece : scratch.pieces) {
      if (piece.id != mark_id_) ids.push(piece.id);
    }
  }
}

}  // namespace albert_fast::sentencepiece
