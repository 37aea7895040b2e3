#include "encoder/windows.h"

#include <algorithm>
#include <limits>

namespace albert_fast::encoder {
namespace {

constexpr std::uint32_t kNoCut = std::numeric_limits<std::uint32_t>::max();

/// A place between two words where one window may end and another begin. Words that share a piece (whole text
/// tokenization) are both read whole: a window may begin at `piece` and the one before it end at the later
/// `reach`. Pieces between two words, such as a bare ▁, go with the word behind them.
struct Border {
  std::uint32_t word;   // the first word behind the border
  std::uint32_t piece;  // where a window that begins here begins
  std::uint32_t reach;  // where a window that ends here ends
};

std::vector<Border> word_borders(const Encoding& encoding, const Sentence& sentence) {
  std::vector<Border> borders{{sentence.word_begin, sentence.piece_begin, sentence.piece_begin}};
  std::uint32_t reach = sentence.piece_begin;
  for (std::uint32_t w = sentence.word_begin; w < sentence.word_end; ++w) {
    const Word& word = encoding.words[w];
    const std::uint32_t piece = std::min(word.piece_begin, reach);
    if (w > sentence.word_begin && piece > borders.back().piece) borders.push_back({w, piece, reach});
    reach = std::max(reach, word.piece_end);
  }
  borders.push_back({sentence.word_end, sentence.piece_end, sentence.piece_end});
  return borders;
}

Window whole_sentence(const Sentence& s, std::uint32_t index) {
  return {index, s.piece_begin, s.piece_end, s.word_begin, s.word_end, s.piece_begin, s.piece_end, 0};
}

void cut_into_windows(const Encoding& encoding, std::uint32_t index, std::uint32_t capacity,
                      std::vector<Window>& windows) {
  const Sentence& sentence = encoding.sentences[index];
  const std::vector<Border> borders = word_borders(encoding, sentence);
  std::size_t start = 0;
  while (true) {
    std::size_t stop = start + 1;
    while (stop + 1 < borders.size() && borders[stop + 1].reach - borders[start].piece <= capacity) ++stop;
    // One word with what stands before it may be too much even alone; then the window keeps its end. (A word
    // itself never has more than `capacity` pieces, see TextEncoder.)
    const std::uint32_t last_word_end = borders[stop].word == sentence.word_begin
                                            ? borders[stop].reach
                                            : encoding.words[borders[stop].word - 1].piece_end;
    const std::uint32_t end =
        borders[stop].reach - borders[start].piece <= capacity ? borders[stop].reach : last_word_end;
    Window window = whole_sentence(sentence, index);
    window.piece_begin = window.own_begin =
        end > capacity ? std::max(borders[start].piece, end - capacity) : borders[start].piece;
    window.piece_end = window.own_end = end;
    window.word_begin = borders[start].word;
    window.word_end = borders[stop].word;
    windows.push_back(window);
    if (stop + 1 == borders.size()) return;
    // A quarter back, but never so far that the next window would end where this one did.
    std::size_t next = start + 1;
    while (next < stop && borders[next].piece + capacity / 4 < borders[stop].reach) ++next;
    while (next < stop && borders[stop + 1].reach - borders[next].piece > capacity) ++next;
    start = next;
  }
}

// Both windows hold the words between the second's start and the first's end. The first keeps those that are
// at least as far from its own cuts as from the second's.
void share_out(const Encoding& encoding, const Sentence& sentence, Window& left, Window& right) {
  const auto distance = [&](const Window& window, const Word& word) {
    const std::uint32_t before =
        window.piece_begin == sentence.piece_begin ? kNoCut : word.piece_begin - window.piece_begin;
    const std::uint32_t after =
        window.piece_end == sentence.piece_end ? kNoCut : window.piece_end - word.piece_end;
    return std::min(before, after);
  };
  std::uint32_t word = std::max(right.word_begin, left.word_begin);
  while (word < left.word_end &&
         distance(left, encoding.words[word]) >= distance(right, encoding.words[word]))
    ++word;
  left.word_end = right.word_begin = word;
  if (word > 0 && word < encoding.words.size() && left.piece_end > right.piece_begin) {
    const std::uint32_t border =
        std::clamp(encoding.words[word - 1].piece_end, right.piece_begin, left.piece_end);
    left.own_end = right.own_begin = border;
  }
}

}  // namespace

std::vector<Window> plan_windows(const Encoding& encoding, std::int64_t max_sentence_length) {
  const auto capacity = static_cast<std::uint32_t>(max_sentence_length - 2);
  std::vector<Window> windows;
  windows.reserve(encoding.sentences.size());
  for (std::uint32_t i = 0; i < encoding.sentences.size(); ++i) {
    const Sentence& sentence = encoding.sentences[i];
    if (sentence.piece_end - sentence.piece_begin <= capacity) {
      windows.push_back(whole_sentence(sentence, i));
      continue;
    }
    const std::size_t first = windows.size();
    cut_into_windows(encoding, i, capacity, windows);
    for (std::size_t w = first; w + 1 < windows.size(); ++w)
      share_out(encoding, sentence, windows[w], windows[w + 1]);
  }
  return windows;
}

}  // namespace albert_fast::encoder
