#include "sentencepiece/tokenizer.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace albert_fast::sentencepiece {
namespace {

constexpr float kExactScores = 90000.0F;

WordKey key_of(std::string_view word, const char* readable_end) {
  return word.empty() || word.size() > WordKey::kMaxBytes ? WordKey() : WordKey(word, readable_end);
}

std::uint32_t white_space_flags(const Normalized& normalized) {
  std::uint32_t flags = 0;
  if (normalized.skipped_leading_space) flags |= WordPieces::kSkippedLeadingSpace;
  if (normalized.dropped_trailing_space) flags |= WordPieces::kDroppedTrailingSpace;
  return flags;
}

}  // namespace

/// Whether a word has white space of its own (U+00A0, say) at an end where the text around it matters.
bool Tokenizer::depends_on_neighbours(std::uint32_t flags, std::size_t pieces, const TextState& state) {
  if ((flags & WordPieces::kDroppedTrailingSpace) != 0) return true;
  return state.is_empty && (pieces == 0 || (flags & WordPieces::kSkippedLeadingSpace) != 0);
}

Tokenizer::Tokenizer(std::shared_ptr<const Model> model, std::size_t cache_bytes)
    : model_(std::move(model)),
      cache_(cache_bytes),
      mark_id_(model_->piece_to_id(Normalizer::kSpaceMark)),
      by_words_(cache_bytes != 0 && model_->words_are_separable()) {
  separators_are_low_ = (model_->normalizer().separators() >> (' ' + 1)).none();
  find_comma_pieces();
}

/// Pieces of a word encoded alone: from memory, or searched and remembered. False when the word is new, or
/// too rich to remember.
bool Tokenizer::look_up(std::string_view word, const WordKey& key, Scratch& scratch, WordPieces& pieces) {
  if (!cache_.was_seen(key)) return false;
  if (cache_.look(key, pieces)) return true;
  search_alone(word, scratch, true);
  std::array<WordPieces::Item, WordPieces::kMaxPieces> items;
  const std::size_t count = scratch.pieces.size();
  if (count > items.size() || scratch.normalized.size() > Lattice::kWindow) return false;
  for (std::size_t i = 0; i < count; ++i) {
    items[i] = {scratch.pieces[i].id, scratch.pieces[i].end, scratch.nodes_per_piece[i]};
  }
  const float safe_score = count == 0 ? kExactScores : scratch.lattice.safe_start_score();
  if (!pieces.pack(key, {items.data(), count}, white_space_flags(scratch.normalized), safe_score))
    return false;
  cache_.keep(key, pieces);
  return true;
}

void Tokenizer::search_alone(std::string_view word, Scratch& scratch, bool in_one_go) const {
  scratch.pieces.clear();
  scratch.nodes_per_piece.clear();
  float score = 0.0F;
  model_->segment(word, scratch, score, scratch.pieces, &scratch.nodes_per_piece, in_one_go);
}

std::size_t Tokenizer::encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) {
  const std::size_t before = ids.size();
  append_alone(word, key_of(word, word.data() + word.size()), scratch, ids);
  return ids.size() - before;
}

void Tokenizer::encode_words(std::span<const std::string_view> words, Scratch& scratch,
                             std::vector<std::int32_t>& ids, std::vector<std::int64_t>& splits) {
  // Reading ahead hides the wait for memory: the words, often strings all over the heap, and their entries.
  constexpr std::size_t kKeysAhead = 8, kTextsAhead = 2 * kKeysAhead;
  std::array<WordKey, kKeysAhead> keys;
  for (std::size_t i = 0; i < words.size() + kKeysAhead; ++i) {
    if (i + kTextsAhead - kKeysAhead < words.size())
      __builtin_prefetch(words[i + kTextsAhead - kKeysAhead].data());
    WordKey& key = keys[i % kKeysAhead];
    if (i >= kKeysAhead) {
      append_alone(words[i - kKeysAhead], key, scratch, ids);
      splits.push_back(static_cast<std::int64_t>(ids.size()));
    }
    if (i < words.size()) {
      key = key_of(words[i], words[i].data() + words[i].size());
      cache_.prefetch(key);
    }
  }
}

/// Ids of a word encoded alone, without bare marks; `key` is empty for a word too long to remember.
void Tokenizer::append_alone(std::string_view word, const WordKey& key, Scratch& scratch,
                             std::vector<std::int32_t>& ids) {
  if (word.empty()) return;
  WordPieces pieces;
  if (key.size() != 0 && look_up(word, key, scratch, pieces)) {
    for (std::size_t i = 0; i < pieces.count(); ++i) {
      if (const std::int32_t id = pieces.id(i); id != mark_id_) ids.push_back(id);
    }
  } else {
    search_alone(word, scratch, false);
    for (const Piece& piece : scratch.pieces) {
      if (piece.id != mark_id_) ids.push_back(piece.id);
    }
  }
}

void Tokenizer::encode_text(std::string_view text, Scratch& scratch, std::vector<Piece>& out) {
  out.clear();
  if (by_words_ && text.size() <= 0x7FFFFFFF && encode_by_words(text, scratch, out)) return;
  model_->encode(text, scratch, out);
}

/// First separator at or behind `at`, or the end.
std::uint32_t Tokenizer::find_separator(std::string_view text, std::uint32_t at) const {
  const std::bitset<256>& is_separator = model_->normalizer().separators();
  const auto size = static_cast<std::uint32_t>(text.size());
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHigh = kOnes * 0x80;
  // Eight bytes at a time where all separators are control characters or the space: only those are looked at.
  while (separators_are_low_ && size - at >= 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    if constexpr (std::endian::native == std::endian::big) break;
    std::uint64_t low = ~(((bytes & ~kHigh) + kOnes * (0x7F - ' ')) | bytes) & kHigh;
    for (; low != 0; low &= low - 1) {
      const auto byte = static_cast<std::uint32_t>(std::countr_zero(low)) / 8;
      if (is_separator[bytes >> (8 * byte) & 0xFF]) return at + byte;
    }
    at += 8;
  }
  while (at < size && !is_separator[static_cast<std::uint8_t>(text[at])]) ++at;
  return at;
}

/// False when a word turned up whose white space depends on its neighbours: then the plain way is the only
/// one.
bool Tokenizer::encode_by_words(std::string_view text, Scratch& scratch, std::vector<Piece>& out) {
  if (text.empty()) return true;
  const bool keeps_spaces = !model_->normalizer().removes_extra_spaces();
  const auto size = static_cast<std::uint32_t>(text.size());
  out.reserve(text.size() / 4);
  TextState state;
  // Some words are found ahead, so that their entries are on the way from memory while others are appended.
  std::array<Word, 4> ahead;
  std::size_t found = 0, done = 0;
  for (std::uint32_t next = 0; next <= size || done < found;) {
    for (; next <= size && found - done < ahead.size(); ++found) {
      ahead[found % ahead.size()] = find_word(text, next);
      next = ahead[found % ahead.size()].span.end + 1;
    }
    const Word& word = ahead[done++ % ahead.size()];
    if (word.span.size() != 0) {
      if (state.is_empty && !keeps_spaces) state.mark_at = word.span.begin;
      if (!append_word(text, word, state, scratch, out)) return false;
    } else if (keeps_spaces) {
      // Nothing between two spaces: the mark alone. (Near the end of the exact range: leave it to the
      // search.)
      if (std::fabs(state.score) > kExactScores) return false;
      out.push_back({mark_id_, state.mark_at, word.span.end});
      state.score += model_->node_score(mark_id_);
      state.mark_at = word.span.end;
    }
  }
  return true;
}

/// The word that begins at `begin`, its entry on the way from memory.
Tokenizer::Word Tokenizer::find_word(std::string_view text, std::uint32_t begin) const {
  const Span span{begin, find_separator(text, begin)};
  Word word{span, key_of(span.of(text), text.data() + text.size())};
  cache_.prefetch(word.key);
  return word;
}

bool Tokenizer::append_word(std::string_view text, const Word& word, TextState& state, Scratch& scratch,
                            std::vector<Piece>& out) {
  WordPieces pieces;
  if (word.key.size() == 0 || !look_up(word.span.of(text), word.key, scratch, pieces) ||
      !(std::fabs(state.score) < pieces.safe_score())) {
    return append_searched(text, word.span, state, scratch, out);
  }
  const std::size_t count = pieces.count();
  if (depends_on_neighbours(pieces.flags(), count, state)) return false;
  if (count == 0) return true;
  std::uint32_t begin = state.mark_at;
  float score = state.score;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t id = pieces.id(i);
    const std::uint32_t end = word.span.begin + pieces.end(i);
    out.push_back({id, begin, end});
    begin = end;
    const float node_score = model_->node_score(id);
    for (std::uint32_t n = pieces.nodes(i); n > 0; --n) score += node_score;
  }
  state = {score, word.span.end, false};
  return true;
}

/// The same by search with the true sum of the text so far: for words too long to remember, and for words
/// with alternatives so close that rounding of a large sum may turn the decision.
bool Tokenizer::append_searched(std::string_view text, Span word, TextState& state, Scratch& scratch,
                                std::vector<Piece>& out) const {
  const std::size_t first = out.size();
  model_->segment(word.of(text), scratch, state.score, out);
  const std::size_t count = out.size() - first;
  if (depends_on_neighbours(white_space_flags(scratch.normalized), count, state)) return false;
  if (count == 0) return true;
  std::uint32_t begin = state.mark_at;
  for (std::size_t i = first; i < out.size(); ++i) {
    out[i].begin = begin;
    out[i].end += word.begin;
    begin = out[i].end;
  }
  state.mark_at = word.end;
  state.is_empty = false;
  return true;
}

}  // namespace albert_fast::sentencepiece
