#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "sentencepiece/model.h"
#include "sentencepiece/tokenizer.h"
#include "sentencepiece/utf8_step.h"
#include "tests/check.h"
#include "tests/sentencepiece_model_bytes.h"

using namespace albert_fast;
using namespace albert_fast::sentencepiece;
using namespace albert_fast::test;

namespace {

std::vector<Piece> encode(const Model& model, std::string_view text) {
  Scratch scratch;
  std::vector<Piece> pieces;
  model.encode(text, scratch, pieces);
  return pieces;
}

std::string random_text(std::mt19937& random, std::size_t max_parts) {
  static const std::vector<std::string> parts = {"a", "b", "ab", " ",  "  ", "1",    ",",  "!",    "<x>",
                                                 "é", "Z", "日", "\t", "▁",  "\xff", "1,", "aaaa", "!!!"};
  std::string text;
  for (std::size_t n = random() % (max_parts + 1); n > 0; --n) text += parts[random() % parts.size()];
  return text;
}

bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

std::string ids_of(const std::vector<std::int32_t>& ids) {
  std::string text;
  for (const std::int32_t id : ids) text += std::to_string(id) + " ";
  return text;
}

/// The oracle's search written down plainly: whole text, one array, no windows, no cuts.
std::vector<Piece> search_plainly(const Model& model, const std::string& text) {
  struct Node {
    std::int64_t start = -1;
    float score = 0;
    std::int32_t id = -1;
  };
  float unknown = std::numeric_limits<float>::max();
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(model.size()); ++id) {
    if (model.type(id) == PieceType::normal) unknown = std::min(unknown, model.score(id));
  }
  unknown -= 10;
  std::vector<Node> nodes(text.size() + 1);
  std::size_t frontier = 0;
  for (std::size_t at = 0; at < text.size();) {
    float here = nodes[at].score;
    if (here < -100000.0F || here > 100000.0F) {
      const float offset = here;
      for (std::size_t i = at; i <= frontier; ++i)
        nodes[i].score -= nodes[i].start >= 0 || i == at ? offset : 0.0F;
      here = 0;
    }
    const std::size_t one = std::min<std::size_t>(char_size(text[at]), text.size() - at);
    bool has_single = false;
    const auto offer = [&](std::size_t size, float score, std::int32_t id) {
      frontier = std::max(frontier, at + size);
      Node& node = nodes[at + size];
      if (node.start < 0 || score + here > node.score)
        node = {static_cast<std::int64_t>(at), score + here, id};
    };
    for (std::size_t size = 1; size <= std::min<std::size_t>(8, text.size() - at); ++size) {
      const std::string_view name = std::string_view(text).substr(at, size);
      if (!model.is_matched(name)) continue;
      const std::int32_t id = model.piece_to_id(name);
      offer(size,
            model.is_user_defined(id) ? static_cast<float>(0.1 * (static_cast<int>(size) - 1))
                                      : model.score(id),
            id);
      has_single |= size == one;
    }
    if (!has_single) offer(one, unknown, model.unk_id());
    at += one;
  }
  std::vector<Piece> path;
  for (std::size_t end = text.size(); end > 0; end = static_cast<std::size_t>(nodes[end].start)) {
    path.push_back(
        {nodes[end].id, static_cast<std::uint32_t>(nodes[end].start), static_cast<std::uint32_t>(end)});
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace

ALBERT_FAST_TEST(piece_trie_finds_what_a_map_finds) {
  std::mt19937 random(1);
  std::map<std::string, std::int32_t> map;
  for (int i = 0; i < 3000; ++i) {
    std::string key;
    for (std::size_t n = 1 + random() % 6; n > 0; --n)
      key += static_cast<char>(1 + random() % (i % 2 == 0 ? 4 : 254));
    map.emplace(key, i);
  }
  std::vector<PieceTrie::Key> keys;
  for (const auto& [text, value] : map) keys.push_back({text, value});
  std::ranges::sort(keys, {}, &PieceTrie::Key::text);
  const PieceTrie trie = PieceTrie::build(keys);
  for (const auto& [text, value] : map) {
    CHECK_EQ(trie.find(text), value);
    for (const char c : {'\0', '\1', '\xff'}) {
      const std::string longer = text + c;
      CHECK_EQ(trie.find(longer), map.contains(longer) ? map[longer] : -1);
    }
  }
  CHECK_EQ(trie.find(""), -1);
  CHECK_EQ(PieceTrie::build({}).find("a"), -1);
  CHECK_EQ(PieceTrie::build({}).longest_prefix("a", 64), std::size_t{0});
}

ALBERT_FAST_TEST(model_reads_its_pieces) {
  const Model model = Model::parse(small_model());
  CHECK_EQ(model.size(), std::size_t{16});
  CHECK_EQ(model.piece(5), std::string_view("ab"));
  CHECK_EQ(model.piece_to_id("ab"), 5);
  CHECK_EQ(model.piece_to_id("<s>"), 1);
  CHECK_EQ(model.piece_to_id("no such piece"), model.unk_id());
  CHECK(!model.find("no such piece").has_value());
  CHECK(model.is_control(1) && model.is_unknown(0) && model.is_user_defined(12) && !model.is_byte(3));
}

ALBERT_FAST_TEST(encode_gives_the_oracles_pieces) {
  // Expected values: sentencepiece 0.2.3 on the same bytes.
  const Model model = Model::parse(small_model());
  CHECK(encode(model, "").empty());
  CHECK(encode(model, "   ").empty());
  CHECK((encode(model, "ab a") == std::vector<Piece>{{7, 0, 2}, {6, 2, 4}}));
  CHECK((encode(model, "Zß日 b") == std::vector<Piece>{{2, 0, 0}, {0, 0, 6}, {2, 6, 7}, {4, 7, 8}}));
  CHECK((encode(model, "a<x>") == std::vector<Piece>{{6, 0, 1}, {12, 1, 4}}));
}

ALBERT_FAST_TEST(tokenizer_equals_model) {
  const auto model = std::make_shared<const Model>(Model::parse(small_model()));
  CHECK(model->words_are_separable());
  Tokenizer tokenizer(model, 1 << 14), plain(model, 0);
  Scratch scratch;
  std::vector<Piece> pieces;
  std::vector<std::int32_t> ids;
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random_text(random, 12);
    tokenizer.encode_text(text, scratch, pieces);
    CHECK(pieces == encode(*model, text));
    ids.clear();
    tokenizer.encode_word(text, scratch, ids);
    std::vector<std::int32_t> want;
    for (const Piece& piece : encode(*model, text)) {
      if (piece.id != model->piece_to_id("▁")) want.push_back(piece.id);
    }
    CHECK_EQ(ids_of(ids), ids_of(want));
  }
}

ALBERT_FAST_TEST(windows_and_cuts_change_nothing) {
  const Model model = Model::parse(small_model());
  std::mt19937 random(3);
  for (const std::size_t size : {100U, 9000U, 50000U, 200000U}) {
    for (const char* alphabet : {"ab", "a", "!", "ab!1,", "aZ"}) {
      std::string text;
      while (text.size() < size) text += alphabet[random() % std::strlen(alphabet)];
      std::vector<Piece> want;
      for (const Piece& piece : search_plainly(model, "▁" + text)) {
        const bool merges = !want.empty() && piece.id == model.unk_id() && want.back().id == model.unk_id();
        if (!merges) want.push_back(piece);
        want.back().end = piece.end;
      }
      const std::vector<Piece> got = encode(model, text);
      CHECK_EQ(got.size(), want.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK_EQ(got[i].id, want[i].id);
        CHECK_EQ(got[i].end + 3, want[i].end);  // no mark in the text itself
      }
    }
  }
}

ALBERT_FAST_TEST(numbers_lose_their_comma) {
  const auto model = std::make_shared<const Model>(Model::parse(small_model()));
  Tokenizer tokenizer(model, 1 << 14);
  Scratch scratch;
  std::vector<Piece> pieces;
  tokenizer.encode_albert("1, a", &is_ascii_digit, scratch, pieces);
  CHECK((pieces == std::vector<Piece>{{2, 0, 0}, {8, 0, 1}, {11, 1, 2}, {6, 2, 4}}));
  tokenizer.encode_albert("b1,", &is_ascii_digit, scratch, pieces);
  CHECK((pieces == std::vector<Piece>{{2, 0, 0}, {4, 0, 1}, {8, 1, 2}, {11, 2, 3}}));
}

ALBERT_FAST_TEST(word_cache_forgets_but_never_lies) {
  // Eight entries for thousands of words, written and read by four threads.
  WordCache cache(8 * 128);
  std::atomic<int> hits = 0, lies = 0;
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 50000; ++i) {
      const std::string word(1 + random() % WordKey::kMaxBytes, static_cast<char>('a' + random() % 3));
      const WordKey key(word);
      std::vector<WordPieces::Item> items(word.size() % 7);
      for (std::uint32_t j = 0; j < items.size(); ++j) {
        items[j] = {static_cast<std::int32_t>(word.size() * 1000 + static_cast<unsigned char>(word[0]) + j),
                    j, 1 + j};
      }
      WordPieces pieces;
      if (!cache.look(key, key.hash(), pieces)) {
        if (pieces.pack(key, items, 1, 0.5F, 0)) cache.keep(key.hash(), pieces);
        continue;
      }
      ++hits;
      bool same = pieces.count() == items.size() && pieces.safe_score() == 0.5F && (pieces.flags() & 3) == 1;
      for (std::size_t j = 0; const WordPieces::Item& item : items) {
        same = same && pieces.id(j) == item.id && pieces.end(j) == item.end && pieces.nodes(j) == item.nodes;
        ++j;
      }
      if (!same) ++lies;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(lies.load(), 0);
  CHECK(hits.load() > 100);
}

ALBERT_FAST_TEST(threads_share_a_tokenizer) {
  const auto model = std::make_shared<const Model>(Model::parse(small_model()));
  Tokenizer tokenizer(model, 16 * 128);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      Scratch scratch;
      std::vector<Piece> pieces;
      for (int i = 0; i < 3000; ++i) {
        const std::string text = random_text(random, 12);
        tokenizer.encode_text(text, scratch, pieces);
        if (pieces != encode(*model, text)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
}

ALBERT_FAST_TEST(damaged_models_are_refused_or_work) {
  const std::string whole = small_model();
  const auto use = [](const std::string& bytes) {
    try {
      Tokenizer tokenizer(std::make_shared<const Model>(Model::parse(bytes)), 4096);
      Scratch scratch;
      std::vector<Piece> pieces;
      tokenizer.encode_albert("ab 1, <x>\xff Zé", &is_ascii_digit, scratch, pieces);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt_model);
    }
  };
  for (std::size_t size = 0; size <= whole.size(); ++size) use(whole.substr(0, size));
  std::mt19937 random(4);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = whole;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t bit = random() % (damaged.size() * 8);
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    }
    use(damaged);
  }
  CHECK_THROWS(Model::parse(""), ErrorCode::corrupt_model);
}

ALBERT_FAST_TEST(text_of_two_gigabytes_is_refused) {
  const Model model = Model::parse(small_model());
  Scratch scratch;
  std::vector<Piece> pieces;
  const char byte = 'a';  // the size is looked at before the text
  CHECK_THROWS(model.encode(std::string_view(&byte, std::size_t{1} << 31), scratch, pieces),
               ErrorCode::invalid_input);
  CHECK_EQ(pieces.capacity(), 0U);  // and before memory is asked for, which not every machine has
}
