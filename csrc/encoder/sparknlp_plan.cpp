#include <algorithm>

#include "encoder/windows.h"

namespace albert_fast::encoder {
namespace {

struct Group {
  std::size_t begin;
  std::size_t end;
};

// Texts are taken batch_size at a time; the sentences of such a batch are dealt into groups of batch_size.
std::vector<Group> group_sentences(const Encoding& encoding, const EmbedOptions& options) {
  std::vector<Group> groups;
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  const std::size_t texts = encoding.text_sentences.size() - 1;
  const std::size_t step = options.lone_texts ? 1 : batch_size;
  for (std::size_t text = 0; text < texts; text += step) {
    const std::size_t end = encoding.text_sentences[std::min(text + step, texts)];
    for (std::size_t s = encoding.text_sentences[text]; s < end; s += batch_size) {
      groups.push_back({s, std::min(s + batch_size, end)});
    }
  }
  return groups;
}

// What Spark NLP reads of a sentence: the pieces of its first `length - 2` words, at most `length` of them.
std::uint32_t read_pieces(const Encoding& encoding, const Sentence& s, std::uint32_t length) {
  const std::uint32_t words = std::min(s.word_end - s.word_begin, length - 2);
  const std::uint32_t end = words == 0 ? s.piece_begin : encoding.words[s.word_begin + words - 1].piece_end;
  return std::min(end - s.piece_begin, length);
}

}  // namespace

std::vector<Window> plan_sparknlp(Encoding& encoding, const EmbedOptions& options) {
  std::vector<Window> windows;
  std::vector<Word> kept;
  kept.reserve(encoding.words.size());
  const auto length = static_cast<std::uint32_t>(std::max<std::int64_t>(options.max_sentence_length, 2));
  for (const Group& group : group_sentences(encoding, options)) {
    std::uint32_t longest = 0;
    for (std::size_t s = group.begin; s < group.end; ++s) {
      longest = std::max(longest, read_pieces(encoding, encoding.sentences[s], length));
    }
    const std::uint32_t width = std::min(length - 2, longest);
    for (std::size_t s = group.begin; s < group.end; ++s) {
      Sentence& sentence = encoding.sentences[s];
      const std::uint32_t pieces = read_pieces(encoding, sentence, length);
      const std::uint32_t shown = std::min(pieces, width);
      const auto first_kept = static_cast<std::uint32_t>(kept.size());
      for (std::uint32_t w = sentence.word_begin; w < sentence.word_end; ++w) {
        const Word& word = encoding.words[w];
        const std::uint32_t place = word.piece_begin - sentence.piece_begin;
        // The piece at place `shown` stands beside the [SEP] row, which Spark NLP then gives to its word.
        if (word.piece_begin < word.piece_end && place < pieces && place <= shown) kept.push_back(word);
      }
      sentence.word_begin = first_kept;
      sentence.word_end = static_cast<std::uint32_t>(kept.size());
      const std::uint32_t end = sentence.piece_begin + shown;
      windows.push_back({static_cast<std::uint32_t>(s), sentence.piece_begin, end, sentence.word_begin,
                         sentence.word_end, sentence.piece_begin, end, width - shown});
    }
  }
  encoding.words = std::move(kept);
  return windows;
}

}  // namespace albert_fast::encoder
