#include <algorithm>
#include <array>
#include <cmath>

#include "sentencepiece/tokenizer.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr float kExactScores = 90000.0F;

/// Pieces behind those of the same text.
class PieceSink {
 public:
  explicit PieceSink(std::vector<Piece>& out) : out_(out) {}

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::int32_t id(std::size_t i) const { return out_[i].id; }
  void push(const Piece& piece) { out_.push_back(piece); }
  /// A plain word's pieces: always as many as one can have, then those too many are taken back.
  void push_plain(const PlainPieces& pieces, std::uint32_t mark_at, std::uint32_t word_begin) {
    const std::size_t before = out_.size();
    out_.resize(before + WordPieces::kMaxPlainPieces);
    Piece* const to = out_.data() + before;
    std::uint32_t begin = mark_at;
    for (std::size_t i = 0; i < WordPieces::kMaxPlainPieces; ++i) {
      const std::uint32_t end = word_begin + pieces.end(i);
      to[i] = {pieces.id(i), begin, end};
      begin = end;
    }
    out_.resize(before + pieces.count);
  }

 private:
  std::vector<Piece>& out_;
};

/// Ids of one text, behind those of others.
class IdSink {
 public:
  explicit IdSink(IdBuffer& out) : out_(out), first_(out.size()) {}

  [[nodiscard]] std::size_t size() const { return out_.size() - first_; }
  [[nodiscard]] std::int32_t id(std::size_t i) const { return out_.ids()[first_ + i]; }
  void push(const Piece& piece) { out_.push(piece.id); }
  void push_plain(const PlainPieces& pieces, std::uint32_t, std::uint32_t) { out_.push_plain(pieces); }

 private:
  IdBuffer& out_;
  std::size_t first_;
};

}  // namespace

/// Whether a word has white space of its own (U+00A0, say) at an end where the text around it matters.
bool Tokenizer::depends_on_neighbours(std::uint32_t flags, std::size_t pieces, const TextState& state) {
  if ((flags & WordPieces::kDroppedTrailingSpace) != 0) return true;
  return state.is_empty && (pieces == 0 || (flags & WordPieces::kSkippedLeadingSpace) != 0);
}

void Tokenizer::encode_text(std::string_view text, Scratch& scratch, std::vector<Piece>& out) {
  out.clear();
  out.reserve(text.size() / 4);
  PieceSink sink(out);
  if (!encode_by_words(text, scratch, sink)) model_->encode(text, scratch, out);
}

void Tokenizer::encode_text_ids(std::string_view text, Scratch& scratch, IdBuffer& ids) {
  const std::size_t before = ids.size();
  IdSink sink(ids);
  if (encode_by_words(text, scratch, sink)) return;
  ids.shrink(before);
  model_->encode(text, scratch, scratch.pieces);
  for (const Piece& piece : scratch.pieces) ids.push(piece.id);
}

/// False when only the plain way gives the result: for a model without separable words, and when a word
/// turned up whose white space depends on its neighbours.
template <class Sink>
bool Tokenizer::encode_by_words(std::string_view text, Scratch& scratch, Sink& out) {
  if (!by_words_ || text.size() > 0x7FFFFFFF) return false;
  if (text.empty()) return true;
  TextState state;
  // Words are found some at a time, so that their entries are on the way from memory while others are
  // appended.
  std::array<Word, 32> words;
  WordSplitter splitter(text, separators_);
  for (std::size_t found = words.size(); found == words.size();) {
    Span span;
    for (found = 0; found < words.size() && splitter.next(span); ++found) {
      words[found].span = span;
      prepare(words[found], splitter.key(span));
    }
    for (std::size_t i = 0; i < found; ++i) {
      if (!append_word(words[i], state, scratch, out)) return false;
    }
  }
  return true;
}

template <class Sink>
bool Tokenizer::append_word(const Word& word, TextState& state, Scratch& scratch, Sink& out) {
  if (state.is_empty && word.key.size() != 0 && model_->normalizer().removes_extra_spaces()) {
    state.mark_at = word.span.begin;
  }
  PlainPieces pieces;
  if (!word.was_seen || !cache_.look_plain(word.key, word.hash, pieces) ||
      !(state.bound < pieces.safe_score)) {
    return append_slowly(word, state, scratch, out);
  }
  out.push_plain(pieces, state.mark_at, word.span.begin);
  state.bound += static_cast<float>(pieces.count) * bound_per_piece_;
  state.mark_at = word.span.end;
  state.is_empty = false;
  return true;
}

/// Adds up what plain words left out; each of their pieces is one node.
template <class Sink>
void Tokenizer::settle(TextState& state, const Sink& out) const {
  for (; state.scored < out.size(); ++state.scored) state.score += model_->node_score(out.id(state.scored));
  state.bound = std::fabs(state.score);
}

template <class Sink>
bool Tokenizer::append_slowly(const Word& word, TextState& state, Scratch& scratch, Sink& out) {
  if (word.key.size() == 0) {
    if (model_->normalizer().removes_extra_spaces()) return true;
    // Nothing between two spaces: the mark alone. (Near the end of the exact range: leave it to the search.)
    settle(state, out);
    if (state.bound > kExactScores) return false;
    out.push({mark_id_, state.mark_at, word.span.end});
    state.mark_at = word.span.end;
    settle(state, out);
    return true;
  }
  settle(state, out);
  WordPieces pieces;
  if (!look_up(word, scratch, pieces) || !(state.bound < pieces.safe_score())) {
    return append_searched(word, state, scratch, out);
  }
  const std::size_t count = pieces.count();
  if (depends_on_neighbours(pieces.flags(), count, state)) return false;
  if (count == 0) return true;
  std::uint32_t begin = state.mark_at;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t id = pieces.id(i);
    const std::uint32_t end = word.span.begin + pieces.end(i);
    out.push({id, begin, end});
    begin = end;
    for (std::uint32_t n = pieces.nodes(i); n > 0; --n) state.score += model_->node_score(id);
  }
  state = {std::fabs(state.score), state.score, out.size(), word.span.end, false};
  return true;
}

/// The same by search with the true sum of the text so far: for words that are new or too long to remember,
/// and for words with alternatives so close that rounding of a large sum may turn the decision.
template <class Sink>
bool Tokenizer::append_searched(const Word& word, TextState& state, Scratch& scratch, Sink& out) const {
  scratch.pieces.clear();
  model_->segment(word.key.view(), scratch, state.score, scratch.pieces);
  const std::size_t count = scratch.pieces.size();
  if (depends_on_neighbours(white_space_flags(scratch.normalized), count, state)) return false;
  state.bound = std::fabs(state.score);
  if (count == 0) return true;
  std::uint32_t begin = state.mark_at;
  for (const Piece& piece : scratch.pieces) {
    const std::uint32_t end = word.span.begin + piece.end;
    out.push({piece.id, begin, end});
    begin = end;
  }
  state = {std::fabs(state.score), state.score, out.size(), word.span.end, false};
  return true;
}

}  // namespace albert_fast::sentencepiece
