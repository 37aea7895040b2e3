#include "encoder/encode_texts.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/parallel.h"

namespace albert_fast::encoder {
namespace {

// About two milliseconds of reading: a thread that starts for less costs more than it saves.
constexpr std::size_t kFewestBytes = std::size_t{1} << 16;
// So that no thread is left with a long stretch when the others have ended.
constexpr std::size_t kStretchesPerThread = 4;

struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Stretches of about equal size, cut between texts.
std::vector<Stretch> cut(const TextSource& source, std::size_t threads) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < source.count; ++i) total += source.bytes(i);
  const std::size_t size = std::max(total / (threads * kStretchesPerThread), kFewestBytes);
  std::vector<Stretch> stretches;
  std::size_t read = 0;
  for (std::size_t i = 0; i < source.count; ++i) {
    if (stretches.empty() || read >= size) {
      stretches.push_back({i, i});
      read = 0;
    }
    stretches.back().end = i + 1;
    read += source.bytes(i);
  }
  return stretches;
}

Encoding encode_here(const TextSource& source, const std::function<TextEncoder()>& make_encoder,
                     const KeepGoing& keep_going) {
  TextEncoder encoder = make_encoder();
  Patience patience(keep_going);
  for (std::size_t i = 0; i < source.count; ++i) {
    source.add(encoder, i);
    patience.spend(source.bytes(i));
  }
  return encoder.take();
}

template <class T>
void extend(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

Encoding encode_texts(const TextSource& source, const std::function<TextEncoder()>& make_encoder, int threads,
                      const KeepGoing& keep_going) {
  const std::vector<Stretch> stretches =
      threads > 1 ? cut(source, static_cast<std::size_t>(threads)) : std::vector<Stretch>();
  if (stretches.size() < 2) return encode_here(source, make_encoder, keep_going);

  std::vector<Encoding> parts(stretches.size());
  std::atomic<bool> stopped{false};
  const auto encode_stretch = [&](std::size_t, std::size_t index) {
    TextEncoder encoder = make_encoder();
    for (std::size_t i = stretches[index].begin; i < stretches[index].end; ++i) {
      if (stopped.load(std::memory_order_relaxed)) return;
      source.add(encoder, i);
    }
    parts[index] = encoder.take();
  };
  if (!run_parallel(stretches.size(), static_cast<std::size_t>(threads), encode_stretch, keep_going,
                    [&] { stopped.store(true); })) {
    fail(ErrorCode::cancelled, "interrupted");
  }
  Encoding all = std::move(parts.front());
  const auto reserve = [&](auto member) {
    std::size_t size = (all.*member).size();
    for (const Encoding& part : parts) size += (part.*member).size();
    (all.*member).reserve(size);
  };
  reserve(&Encoding::sentences);
  reserve(&Encoding::words);
  reserve(&Encoding::piece_ids);
  reserve(&Encoding::piece_spans);
  reserve(&Encoding::text_sentences);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    append(all, parts[i]);
    parts[i] = Encoding();
  }
  return all;
}

void append(Encoding& all, const Encoding& more) {
  check_size(all.piece_ids.size() + more.piece_ids.size());
  const auto texts = static_cast<std::uint32_t>(all.text_sentences.size() - 1);
  const auto sentences = static_cast<std::uint32_t>(all.sentences.size());
  const auto words = static_cast<std::uint32_t>(all.words.size());
  const auto pieces = static_cast<std::uint32_t>(all.piece_ids.size());
  for (Sentence sentence : more.sentences) {
    sentence.text += texts;
    sentence.word_begin += words;
    sentence.word_end += words;
    sentence.piece_begin += pieces;
    sentence.piece_end += pieces;
    all.sentences.push_back(sentence);
  }
  for (Word word : more.words) {
    word.piece_begin += pieces;
    word.piece_end += pieces;
    all.words.push_back(word);
  }
  extend(all.piece_ids, more.piece_ids);
  extend(all.piece_spans, more.piece_spans);
  for (std::size_t i = 1; i < more.text_sentences.size(); ++i) {
    all.text_sentences.push_back(more.text_sentences[i] + sentences);
  }
  all.cut_pieces += more.cut_pieces;
  all.cut_words += more.cut_words;
}

}  // namespace albert_fast::encoder
