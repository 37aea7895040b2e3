#include <bitset>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sentencepiece/tokenizer.h"
#include "tests/check.h"
#include "tests/sentencepiece_model_bytes.h"

using namespace albert_fast;
using namespace albert_fast::sentencepiece;
using namespace albert_fast::test;

namespace {

/// Words in a row, some of them long, unknown, empty, or with white space of their own.
std::string random_prose(std::mt19937& random, std::size_t words) {
  static const std::vector<std::string> parts = {"a",  "b", "ab", "1,",   "!", "<x>",          "é",
                                                 "日", "Z", "▁",  "\xff", ",", "aabbaabbaabba"};
  std::string text;
  for (; words > 0; --words) {
    for (std::size_t n = random() % 5; n > 0; --n) text += parts[random() % parts.size()];
    text += random() % 20 == 0 ? "\t " : " ";
  }
  return text;
}

}  // namespace

ALBERT_FAST_TEST(keys_are_the_same_however_they_are_made) {
  std::mt19937 random(5);
  for (std::size_t size = 0; size <= WordKey::kShortBytes; ++size) {
    std::string before(WordKey::kShortBytes, '\0'), word(size, '\0');
    for (char& c : before) c = static_cast<char>(random());
    for (char& c : word) c = static_cast<char>(random());
    const std::vector<char> exact(word.begin(), word.end());  // a sanitizer sees what is read beside it
    const WordKey plain(std::string_view(exact.data(), exact.size()));
    const std::string together = before + word;
    const WordKey quick = WordKey::ending_at(together.data() + together.size(), size);
    CHECK(plain.tail() == quick.tail() && plain.hash() == quick.hash());
    CHECK(plain.view() == word && quick.view() == word);
  }
  for (std::size_t size = WordKey::kShortBytes + 1; size <= WordKey::kMaxBytes + 1; ++size) {
    std::string one(size, 'a'), other = one;
    other[random() % size] = 'b';
    CHECK(WordKey(one).view() == one && WordKey(one).hash() == WordKey(std::string(one)).hash());
    CHECK(WordKey(one).tail() != WordKey(other).tail() || WordKey(one).head() != WordKey(other).head() ||
          size > WordKey::kMaxBytes);
  }
}

ALBERT_FAST_TEST(splitter_finds_what_a_plain_loop_finds) {
  std::mt19937 random(6);
  std::bitset<256> usual, odd;
  for (const char c : {' ', '\t', '\n'}) usual.set(static_cast<std::uint8_t>(c));
  for (const char c : {'_', '\x01'}) odd.set(static_cast<std::uint8_t>(c));
  for (const std::bitset<256>& bytes : {usual, odd}) {
    const Separators separators(bytes);
    for (int i = 0; i < 4000; ++i) {
      std::string text;
      for (std::size_t n = 1 + random() % 300; n > 0; --n)
        text += random() % 3 == 0 ? " \t\x01\x02_~\x7f\x80\xa0\xff"[random() % 10] : 'a';
      const std::vector<char> exact(text.begin(), text.end());
      WordSplitter splitter({exact.data(), exact.size()}, separators);
      Span got;
      for (std::uint32_t begin = 0, at = 0; at <= text.size(); ++at) {
        if (at < text.size() && !bytes[static_cast<std::uint8_t>(text[at])]) continue;
        CHECK(splitter.next(got) && got == (Span{begin, at}));
        CHECK(splitter.key(got).view() == got.of(text));
        begin = at + 1;
      }
      CHECK(!splitter.next(got));
    }
  }
}

ALBERT_FAST_TEST(pieces_come_back_as_they_were_packed) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::string word(1 + random() % WordKey::kMaxBytes, 'w');
    std::vector<WordPieces::Item> items(random() % (WordPieces::kMaxPieces + 1));
    const bool has_nodes = random() % 2 == 0;
    for (WordPieces::Item& item : items)
      item = {static_cast<std::int32_t>(random() % 50), static_cast<std::uint32_t>(random() % 49),
              has_nodes ? static_cast<std::uint32_t>(random() % 256) : 1};
    WordPieces pieces;
    const std::uint32_t flags = random() % 4;
    if (!pieces.pack(WordKey(word), items, flags, 12.5F, 7)) continue;
    CHECK(pieces.count() == items.size() && (pieces.flags() & 3) == flags && pieces.safe_score() == 12.5F);
    for (std::size_t j = 0; j < items.size(); ++j) {
      CHECK_EQ(pieces.id(j), items[j].id);
      CHECK_EQ(pieces.end(j), items[j].end);
      CHECK_EQ(pieces.nodes(j), items[j].nodes);
    }
  }
}

ALBERT_FAST_TEST(all_ways_through_a_tokenizer_agree) {
  const auto model = std::make_shared<const Model>(Model::parse(small_model()));
  Tokenizer tokenizer(model, 1 << 16), forgetful(model, 0);
  Scratch scratch;
  std::mt19937 random(8);
  for (const std::size_t words : {0U, 1U, 3U, 31U, 32U, 33U, 500U, 30000U}) {
    for (int repeats = 0; repeats < 3; ++repeats) {
      const std::string text = random_prose(random, words);
      std::vector<Piece> want, got;
      forgetful.encode_text(text, scratch, want);
      IdBuffer ids;
      ids.push(-1);
      tokenizer.encode_text_ids(text, scratch, ids);
      tokenizer.encode_text(text, scratch, got);
      CHECK(got == want);
      CHECK_EQ(ids.size(), want.size() + 1);
      for (std::size_t i = 0; i < want.size(); ++i) CHECK_EQ(ids.ids()[i + 1], want[i].id);
    }
  }
}

ALBERT_FAST_TEST(many_words_become_what_each_becomes) {
  const auto model = std::make_shared<const Model>(Model::parse(small_model()));
  Tokenizer tokenizer(model, 1 << 14), forgetful(model, 0);
  Scratch scratch;
  std::mt19937 random(9);
  for (const std::size_t count : {0U, 1U, 31U, 32U, 33U, 5000U}) {
    std::vector<std::string> words(count);
    std::vector<WordKey> keys;
    for (std::string& word : words) word = random_prose(random, 1);
    for (const std::string& word : words) keys.emplace_back(word);
    std::vector<std::int32_t> want;
    std::vector<std::int64_t> want_ends, ends(count);
    for (const std::string& word : words) {
      forgetful.encode_word(word, scratch, want);
      want_ends.push_back(static_cast<std::int64_t>(want.size()));
    }
    for (int repeats = 0; repeats < 3; ++repeats) {
      IdBuffer ids;
      tokenizer.encode_words(keys, scratch, ids, ends);
      CHECK(std::vector<std::int32_t>(ids.ids().begin(), ids.ids().end()) == want);
      CHECK(ends == want_ends);
    }
  }
}
