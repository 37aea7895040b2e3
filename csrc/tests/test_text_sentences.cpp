#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/check.h"
#include "text/cleanup.h"
#include "text/sentences.h"

using albert_fast::Span;
using albert_fast::text::append_clean;
using albert_fast::text::Cleanup;
using albert_fast::text::detect_sentences;
using albert_fast::text::SentenceOptions;
using albert_fast::text::SentenceScratch;

namespace {

std::string joined(std::string_view document, const SentenceOptions& options = {}) {
  std::vector<Span> sentences;
  SentenceScratch scratch;
  detect_sentences(document, options, sentences, scratch);
  std::string result;
  for (const Span span : sentences) {
    result += result.empty() ? "" : "|";
    result += span.of(document);
  }
  return result;
}

void check_spans(std::string_view document, const std::vector<Span>& sentences) {
  std::uint32_t last = 0;
  for (const Span span : sentences) {
    CHECK(span.begin >= last);
    CHECK(span.begin < span.end);
    CHECK(span.end <= document.size());
    last = span.end;
  }
}

}  // namespace

// What is expected here was checked against Spark NLP 5.5.3 (tests/test_text_stages.py holds its outputs).
ALBERT_FAST_TEST(sentences_end_at_dots_semicolons_and_shouts) {
  CHECK_EQ(joined(""), "");
  CHECK_EQ(joined(" \n\t"), "");
  CHECK_EQ(joined(" no end "), "no end");
  CHECK_EQ(joined("A; b; c. D"), "A;|b;|c.|D");
  CHECK_EQ(joined("She works at Yahoo! in town."), "She works at Yahoo!|in town.");
  CHECK_EQ(joined("Really?! Yes."), "Really?!|Yes.");
  CHECK_EQ(joined("a !b !! c"), "a !b !!|c");
  CHECK_EQ(joined("price!$5"), "price!|$5");
}

ALBERT_FAST_TEST(a_dot_may_belong_to_a_word) {
  CHECK_EQ(joined("Dr. Who met Mr. X. at p.m. time. End"), "Dr. Who met Mr. X. at p.m. time.|End");
  CHECK_EQ(joined("I live in the U.S. How about you?"), "I live in the U.S.|How about you?");
  CHECK_EQ(joined("No. 5 and v1.2.3 and 3.14."), "No. 5 and v1.2.3 and 3.14.");
  CHECK_EQ(joined("Co. KG is. Co. Kg"), "Co. KG is.|Co.|Kg");
  CHECK_EQ(joined("J. Smith's dept. is mine"), "J. Smith's dept. is mine");
  CHECK_EQ(joined("in \xC2\xB0. x 5\xC2\xB0. 6"), "in \xC2\xB0.|x 5\xC2\xB0.|6");
}

ALBERT_FAST_TEST(the_abbreviation_table_can_be_switched_off) {
  SentenceOptions options;
  options.use_abbreviations = false;
  CHECK_EQ(joined("See vs. them. End", options), "See vs.|them.|End");
  CHECK_EQ(joined("See vs. them. End"), "See vs. them.|End");
  CHECK_EQ(joined("one eag. two"), "one eag. two");  // "e.g" of the table is a regular expression there
}

ALBERT_FAST_TEST(three_dots_end_a_sentence_before_a_capital) {
  CHECK_EQ(joined("I never meant that.... She left"), "I never meant that.|...|She left");
  CHECK_EQ(joined("On foot... He"), "On foot...|He");
}

ALBERT_FAST_TEST(lists_start_sentences) {
  CHECK_EQ(joined("(a) first item (b) second item"), "(a) first item|(b) second item");
  CHECK_EQ(joined("a) x 1. y -2. z"), "a) x|1. y|-2. z");
  CHECK_EQ(joined("-12) x"), "-12) x");
  SentenceOptions options;
  options.detect_lists = false;
  CHECK_EQ(joined("(a) first item (b) second item", options), "(a) first item (b) second item");
}

ALBERT_FAST_TEST(enclosed_text_is_not_cut) {
  CHECK_EQ(joined("\"This is great.\" She held (it. ok) on."), "\"This is great.\" She held (it. ok) on.");
  CHECK_EQ(joined("He said 'go. now' and [stop. it] left. End"),
           "He said 'go. now' and [stop. it] left.|End");
  CHECK_EQ(joined("'a. b"), "'a.|b");
}

ALBERT_FAST_TEST(sentence_lengths_count_utf16_units) {
  SentenceOptions options;
  options.min_length = 3;
  options.max_length = 4;
  CHECK_EQ(joined("a. Bc. \xF0\x9F\x98\x80. Long one.", options), "Bc.|\xF0\x9F\x98\x80.");
}

ALBERT_FAST_TEST(splitting_a_long_document_looks_at_it_once) {
  SentenceOptions options;
  options.split_length = 3;
  SentenceScratch scratch;
  for (const std::string_view unit : {"a;", ".", "...", "a b ", "\xCC\x81"}) {
    std::string document;
    while (document.size() < 3'000'000) document += unit;
    std::vector<Span> sentences;
    detect_sentences(document, options, sentences, scratch);
    check_spans(document, sentences);
  }
}

ALBERT_FAST_TEST(cleaning_a_long_document_looks_at_it_once) {
  const auto repeated = [](std::string_view unit, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += unit;
    return text;
  };
  const auto cleaned = [](const std::string& text) {
    std::string out;
    append_clean(text, Cleanup::shrink_full, out);
    return out;
  };
  const std::string returns = repeated("\\r", 2'000'000);
  CHECK_EQ(cleaned(returns), returns);
  CHECK_EQ(cleaned("a" + returns + "\\nb"), "a b");
  CHECK_EQ(cleaned("a\\r\\rb\\r\\n\\nc\\r\\td\\r"), "a\\r\\rb c\\r d\\r");
}

ALBERT_FAST_TEST(any_bytes_give_ordered_slices) {
  std::mt19937 random(7);
  constexpr std::string_view kLikely = ".!?;'\"()[]-aBs1 \n$:,\xC2\xB0\xCC\x81\xF8\xF9\xFA\xFB\xE2\x86";
  SentenceScratch scratch;
  for (int round = 0; round < 20'000; ++round) {
    std::string document;
    for (std::size_t size = random() % 60; size > 0; --size) {
      document += random() % 8 == 0 ? static_cast<char>(random() & 0xFF) : kLikely[random() % kLikely.size()];
    }
    std::vector<Span> sentences;
    detect_sentences(document, sentences, scratch);
    check_spans(document, sentences);
  }
}

ALBERT_FAST_TEST(long_texts_of_one_sign_are_no_trouble) {
  SentenceScratch scratch;
  for (const std::string_view unit :
       {"a", "a. ", "'a ", "\"", "(", "[a", "...", "' ", ".'s ", "?", " 1.", "a.b.", "\xCC\x81", "no. ("}) {
    std::string document = "Go! (Now.) ";  // without a dot most rules would not look at the text
    while (document.size() < 3'000'000) document += unit;
    std::vector<Span> sentences;
    detect_sentences(document, sentences, scratch);
    check_spans(document, sentences);
  }
}
