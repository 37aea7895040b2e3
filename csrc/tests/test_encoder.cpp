#include <cmath>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/parallel.h"
#include "encoder/onnx_writer.h"
#include "encoder/packing.h"
#include "encoder/rows.h"
#include "encoder/windows.h"
#include "tests/check.h"

namespace albert_fast::encoder {
namespace {

EmbedOptions sparknlp_options(std::int64_t max_sentence_length, std::int64_t batch_size) {
  EmbedOptions options;
  options.max_sentence_length = max_sentence_length;
  options.batch_size = batch_size;
  options.sparknlp = true;
  return options;
}

// Sentences of given piece counts per word, one text each.
Encoding make_encoding(const std::vector<std::vector<std::uint32_t>>& sentences) {
  Encoding e;
  e.text_sentences.push_back(0);
  for (const auto& words : sentences) {
    Sentence s;
    s.text = static_cast<std::uint32_t>(e.sentences.size());
    s.word_begin = static_cast<std::uint32_t>(e.words.size());
    s.piece_begin = static_cast<std::uint32_t>(e.piece_ids.size());
    for (const std::uint32_t pieces : words) {
      Word word;
      word.piece_begin = static_cast<std::uint32_t>(e.piece_ids.size());
      for (std::uint32_t i = 0; i < pieces; ++i)
        e.piece_ids.push_back(static_cast<std::int32_t>(5 + e.words.size() % 7));
      word.piece_end = static_cast<std::uint32_t>(e.piece_ids.size());
      e.words.push_back(word);
    }
    s.word_end = static_cast<std::uint32_t>(e.words.size());
    s.piece_end = static_cast<std::uint32_t>(e.piece_ids.size());
    e.sentences.push_back(s);
    e.text_sentences.push_back(static_cast<std::uint32_t>(e.sentences.size()));
  }
  return e;
}

// What every plan must hold: windows fit, every word and piece belongs to exactly one window that reads it
// whole.
void check_windows(const Encoding& e, const std::vector<Window>& windows, std::uint32_t capacity) {
  std::uint32_t word = 0;
  std::uint32_t piece = 0;
  for (const Window& w : windows) {
    CHECK(w.piece_end - w.piece_begin <= capacity);
    CHECK_EQ(w.word_begin, word);
    CHECK_EQ(w.own_begin, piece);
    for (std::uint32_t i = w.word_begin; i < w.word_end; ++i) {
      CHECK(e.words[i].piece_begin >= w.piece_begin);
      CHECK(e.words[i].piece_end <= w.piece_end);
    }
    CHECK(w.own_begin >= w.piece_begin);
    CHECK(w.own_end <= w.piece_end);
    word = w.word_end;
    piece = w.own_end;
  }
  CHECK_EQ(word, static_cast<std::uint32_t>(e.words.size()));
  CHECK_EQ(piece, static_cast<std::uint32_t>(e.piece_ids.size()));
}

}  // namespace

ALBERT_FAST_TEST(a_sentence_that_fits_is_one_window) {
  const Encoding e = make_encoding({{1, 2, 3}, {}, {4}});
  const std::vector<Window> windows = plan_windows(e, 8);
  CHECK_EQ(windows.size(), std::size_t{3});
  check_windows(e, windows, 6);
}

ALBERT_FAST_TEST(long_sentences_become_overlapping_windows) {
  std::mt19937 generator(7);
  for (int round = 0; round < 300; ++round) {
    const auto capacity = static_cast<std::uint32_t>(1 + generator() % 40);
    std::vector<std::uint32_t> words(generator() % 120);
    for (std::uint32_t& pieces : words)
      pieces = 1 + static_cast<std::uint32_t>(generator() % std::min(capacity, 5U));
    const Encoding e = make_encoding({words, {1}, words});
    check_windows(e, plan_windows(e, capacity + 2), capacity);
  }
}

// Whole-text tokenization: words share pieces, and some pieces belong to no word.
ALBERT_FAST_TEST(windows_hold_their_words_whatever_pieces_are_shared_or_between) {
  std::mt19937 generator(11);
  for (int round = 0; round < 2000; ++round) {
    const auto capacity = static_cast<std::uint32_t>(1 + generator() % 12);
    Encoding e = make_encoding({{}});
    std::uint32_t piece = 0;
    for (std::uint32_t w = 0; w < generator() % 60; ++w) {
      Word word;
      const std::uint32_t gap = generator() % 4 == 0 ? static_cast<std::uint32_t>(generator() % 20) : 0;
      const bool shares = piece > 0 && gap == 0 && generator() % 3 == 0;
      word.piece_begin = piece + gap - (shares ? 1 : 0);
      word.piece_end = word.piece_begin + 1 + static_cast<std::uint32_t>(generator() % capacity);
      piece = std::max(piece, word.piece_end);
      e.words.push_back(word);
    }
    piece += static_cast<std::uint32_t>(generator() % 5);
    e.piece_ids.resize(piece);
    e.sentences[0].word_end = static_cast<std::uint32_t>(e.words.size());
    e.sentences[0].piece_end = piece;
    std::uint32_t next_word = 0;
    for (const Window& window : plan_windows(e, capacity + 2)) {
      CHECK(window.piece_end - window.piece_begin <= capacity);
      CHECK(window.piece_begin <= window.own_begin);
      CHECK(window.own_begin <= window.own_end);
      CHECK(window.own_end <= window.piece_end);
      CHECK_EQ(window.word_begin, next_word);
      next_word = window.word_end;
      for (std::uint32_t w = window.word_begin; w < window.word_end; ++w) {
        CHECK(e.words[w].piece_begin >= window.piece_begin);
        CHECK(e.words[w].piece_end <= window.piece_end);
      }
    }
    CHECK_EQ(next_word, static_cast<std::uint32_t>(e.words.size()));
  }
}

ALBERT_FAST_TEST(words_of_almost_a_window_keep_the_plan_a_partition) {
  std::mt19937 generator(5);
  for (int round = 0; round < 500; ++round) {
    const std::uint32_t capacity = 126;
    std::vector<std::uint32_t> words(100 + generator() % 300, 1);
    for (int i = 0; i < 4; ++i)
      words[generator() % words.size()] = 80 + static_cast<std::uint32_t>(generator() % 47);
    const Encoding e = make_encoding({words, {1, 1}});
    const std::vector<Window> windows = plan_windows(e, capacity + 2);
    check_windows(e, windows, capacity);
    for (std::size_t w = 1; w < windows.size(); ++w) {  // each window reads something new
      CHECK(windows[w].sentence != windows[w - 1].sentence ||
            windows[w].piece_end > windows[w - 1].piece_end);
    }
  }
}

ALBERT_FAST_TEST(windows_overlap_by_a_quarter) {
  const Encoding e = make_encoding({std::vector<std::uint32_t>(100, 1)});
  const std::vector<Window> windows = plan_windows(e, 42);
  CHECK_EQ(windows[0].piece_begin, 0U);
  CHECK_EQ(windows[0].piece_end, 40U);
  CHECK_EQ(windows[1].piece_begin, 30U);
  // Words 30 to 34 lie nearer to the second window's start than to the first one's end.
  CHECK_EQ(windows[0].word_end, 35U);
  CHECK_EQ(windows[1].word_begin, 35U);
}

ALBERT_FAST_TEST(spark_nlp_pads_to_the_longest_of_a_group_and_gives_sep_to_the_word_behind_the_cut) {
  Encoding e = make_encoding({{1, 2, 1, 1, 1}, {1}});  // the example of the specification, length 6
  const std::vector<Window> windows = plan_sparknlp(e, sparknlp_options(6, 8));
  CHECK_EQ(windows[0].piece_end - windows[0].piece_begin, 4U);
  CHECK_EQ(windows[0].word_end - windows[0].word_begin, 4U);  // t1 to t4; t4 has the row of [SEP]
  CHECK_EQ(e.words[3].piece_begin, 4U);
  CHECK_EQ(windows[1].padding, 3U);
  CHECK_EQ(windows[1].tokens(), windows[0].tokens());
}

ALBERT_FAST_TEST(identical_windows_are_found_and_other_splits_are_not) {
  Encoding e = make_encoding({{1, 1}, {2}, {1, 1}});
  e.piece_ids.assign(6, 9);  // the same pieces throughout
  EmbedOptions options;
  const std::vector<Window> windows = plan_windows(e, 128);
  const RowPlan rows = plan_rows(e, windows, options);
  const std::vector<std::uint32_t> source = find_repeats(e, windows, rows);
  CHECK_EQ(source[1], 1U);
  CHECK_EQ(source[2], 0U);
  const std::vector<MicroBatch> batches = cut_batches(windows, source, 1000, 1000);
  CHECK_EQ(batches.size(), std::size_t{1});
  CHECK_EQ(batches[0].tokens, 8U);
  CHECK_EQ(batches[0].window_end, 3U);
}

ALBERT_FAST_TEST(micro_batches_keep_both_budgets) {
  std::mt19937 generator(4);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<std::uint32_t>> sentences(1 + generator() % 80);
    for (auto& words : sentences) words.assign(1 + generator() % (generator() % 9 == 0 ? 90 : 6), 1);
    const Encoding e = make_encoding(sentences);
    const std::vector<Window> windows = plan_windows(e, 512);
    std::vector<std::uint32_t> source(windows.size());
    for (std::uint32_t w = 0; w < source.size(); ++w) source[w] = w > 3 && generator() % 5 == 0 ? 0 : w;
    const auto most_tokens = static_cast<std::uint32_t>(20 + generator() % 300);
    const std::uint64_t most_places = most_tokens * (1 + generator() % 4);
    const std::vector<MicroBatch> batches = cut_batches(windows, source, most_tokens, most_places);
    std::uint32_t next = 0;
    for (const MicroBatch& batch : batches) {
      CHECK_EQ(batch.window_begin, next);
      next = batch.window_end;
      const auto places_with = [&](std::uint32_t end) {
        std::uint64_t sequences = 0;
        std::uint64_t longest = 0;
        for (std::uint32_t w = batch.window_begin; w < end; ++w) {
          if (source[w] != w) continue;
          ++sequences;
          longest = std::max<std::uint64_t>(longest, windows[w].tokens());
        }
        return std::pair(sequences, sequences * longest);
      };
      const auto [sequences, places] = places_with(batch.window_end);
      CHECK(sequences == 1 || (batch.tokens <= most_tokens && places <= most_places));
      if (batch.window_end == windows.size()) continue;
      const std::uint64_t more = batch.tokens + windows[batch.window_end].tokens();
      CHECK(more > most_tokens || places_with(batch.window_end + 1).second > most_places);
    }
    CHECK_EQ(next, static_cast<std::uint32_t>(windows.size()));
  }
}

ALBERT_FAST_TEST(micro_batches_are_cut_evenly) {
  std::mt19937 generator(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<std::uint32_t>> sentences(1 + generator() % 40);
    std::uint32_t longest = 0;
    std::uint64_t total = 0;
    for (auto& words : sentences) {
      words.assign(1 + generator() % 60, 1);
      longest = std::max(longest, static_cast<std::uint32_t>(words.size()) + 2);
      total += words.size() + 2;
    }
    const Encoding e = make_encoding(sentences);
    const std::vector<Window> windows = plan_windows(e, 512);
    std::vector<std::uint32_t> source(windows.size());
    for (std::uint32_t w = 0; w < source.size(); ++w) source[w] = w;
    const auto count = static_cast<std::uint32_t>(1 + generator() % 6);
    const std::vector<MicroBatch> batches = cut_evenly(windows, source, total, count);
    CHECK(batches.size() <= count);
    CHECK_EQ(batches.back().window_end, static_cast<std::uint32_t>(windows.size()));
    std::uint64_t tokens = 0;
    std::uint32_t next = 0;
    for (const MicroBatch& batch : batches) {
      CHECK_EQ(batch.window_begin, next);
      next = batch.window_end;
      tokens += batch.tokens;
      CHECK(batch.tokens <= total / count + longest + 1);
    }
    CHECK_EQ(tokens, total);
  }
}

ALBERT_FAST_TEST(parts_fold_into_means_and_maxima) {
  Encoding e = make_encoding({std::vector<std::uint32_t>(9, 1), {1, 1}});
  EmbedOptions options;
  options.level = Level::sentence;
  options.pooling = Pooling::mean;
  const std::vector<Window> windows = plan_windows(e, 7);
  CHECK(windows.size() > 2);
  RowPlan rows = plan_rows(e, windows, options);
  CHECK(rows.folded);
  CHECK_EQ(rows.targets, 2U);
  std::vector<float> parts(windows.size());
  for (std::size_t w = 0; w < windows.size(); ++w) {
    parts[w] = static_cast<float>(rows.row_splits[w + 1] - rows.row_splits[w]);  // a sum over ones
  }
  std::vector<float> out(2);
  fold_parts(rows, parts, out, 1);
  CHECK_EQ(out[0], 1.0F);
  CHECK_EQ(out[1], 1.0F);
}

ALBERT_FAST_TEST(an_exception_in_a_worker_reaches_the_caller) {
  const auto task = [](std::size_t, std::size_t index) {
    if (index == 3) fail(ErrorCode::device, "no");
  };
  CHECK_THROWS(run_parallel(100, 4, task, [] { return true; }, [] {}), ErrorCode::device);
}

ALBERT_FAST_TEST(a_poll_that_says_no_ends_the_work) {
  std::atomic<int> done{0};
  const auto task = [&](std::size_t, std::size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++done;
  };
  CHECK(!run_parallel(10'000, 2, task, [] { return false; }, [] {}));
  CHECK(done.load() < 1000);
}

ALBERT_FAST_TEST(every_task_runs_once) {
  std::vector<std::atomic<int>> runs(5000);
  CHECK(run_parallel(
      runs.size(), 8, [&](std::size_t, std::size_t i) { ++runs[i]; }, [] { return true; }, [] {}));
  for (const auto& count : runs) CHECK_EQ(count.load(), 1);
}

}  // namespace albert_fast::encoder
