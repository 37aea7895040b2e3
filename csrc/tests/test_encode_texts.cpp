#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "encoder/encode_texts.h"
#include "tests/check.h"
#include "tests/sentencepiece_model_bytes.h"

namespace albert_fast::encoder {
namespace {

class Reader {
 public:
  explicit Reader(const EmbedOptions& options)
      : options_(options),
        tokenizer_(
            std::make_shared<const sentencepiece::Model>(sentencepiece::Model::parse(test::small_model()))) {}

  Encoding read(const std::vector<std::string>& texts, int threads, const KeepGoing& keep_going) {
    const TextSource source{texts.size(), [&](std::size_t i) { return texts[i].size(); },
                            [&](TextEncoder& encoder, std::size_t i) { encoder.add_text(texts[i]); }};
    return encode_texts(
        source, [&] { return TextEncoder(tokenizer_, options_, false); }, threads, keep_going);
  }

 private:
  const EmbedOptions& options_;
  sentencepiece::Tokenizer tokenizer_;
};

std::vector<std::string> make_texts(std::size_t count, std::uint32_t seed) {
  static const std::vector<std::string> parts = {"a",  "ab", "b. A", " ",  " ",
                                                 "1,", "!!", "é",    "\n", "abababab"};
  std::mt19937 random(seed);
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (std::size_t n = random() % 200; n > 0; --n) text += parts[random() % parts.size()];
  }
  texts[count / 2] = std::string(200'000, 'a') + " b";  // more than a stretch by itself
  return texts;
}

bool go_on() { return true; }

}  // namespace

ALBERT_FAST_TEST(several_threads_read_what_one_reads) {
  const std::vector<std::string> texts = make_texts(3000, 5);
  for (const Tokenization tokenization : {Tokenization::word, Tokenization::text}) {
    for (const bool detect_sentences : {true, false}) {
      EmbedOptions options;
      options.tokenization = tokenization;
      options.detect_sentences = detect_sentences;
      Reader reader(options);
      const Encoding alone = reader.read(texts, 1, go_on);
      CHECK_EQ(alone.text_sentences.size(), texts.size() + 1);
      CHECK(alone.words.size() > texts.size());
      CHECK_EQ(alone.cut_words, std::uint64_t{1});
      for (const int threads : {2, 3, 16}) CHECK(reader.read(texts, threads, go_on) == alone);
    }
  }
}

ALBERT_FAST_TEST(reading_ends_when_nobody_waits_any_more) {
  const EmbedOptions options;
  Reader reader(options);
  const std::vector<std::string> texts = make_texts(60'000, 6);
  for (const int threads : {1, 3}) {
    CHECK_THROWS(reader.read(texts, threads, [] { return false; }), ErrorCode::cancelled);
  }
}

ALBERT_FAST_TEST(an_error_of_one_text_ends_the_reading_of_all) {
  const EmbedOptions options;
  sentencepiece::Tokenizer tokenizer(
      std::make_shared<const sentencepiece::Model>(sentencepiece::Model::parse(test::small_model())));
  const std::string text(1000, 'b');
  const TextSource source{1000, [&](std::size_t) { return text.size(); },
                          [&](TextEncoder& encoder, std::size_t i) {
                            if (i == 700) fail(ErrorCode::invalid_input, "text 700");
                            encoder.add_text(text);
                          }};
  for (const int threads : {1, 4}) {
    CHECK_THROWS(encode_texts(
                     source, [&] { return TextEncoder(tokenizer, options, false); }, threads, go_on),
                 ErrorCode::invalid_input);
  }
}

}  // namespace albert_fast::encoder
