#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/check.h"
#include "text/words.h"

using albert_fast::Span;
using albert_fast::text::split_words;
using albert_fast::text::WordRules;

namespace {

std::string joined(std::string_view sentence, const WordRules& rules = WordRules()) {
  std::vector<Span> words;
  split_words(sentence, rules, words);
  std::string result;
  for (const Span span : words) {
    result += result.empty() ? "" : "|";
    result += span.of(sentence);
  }
  return result;
}

}  // namespace

ALBERT_FAST_TEST(words_stand_between_ascii_blanks) {
  CHECK_EQ(joined(""), "");
  CHECK_EQ(joined(" \t\n\v\f\r"), "");
  CHECK_EQ(joined(" I  love\tNLP\n"), "I|love|NLP");
  CHECK_EQ(joined("a\xC2\xA0z"), "a\xC2\xA0z");             // no-break space
  CHECK_EQ(joined("a\xE2\x80\xA8z."), "a\xE2\x80\xA8z|.");  // line separator
  CHECK_EQ(joined("a\xE2\x86\x87z \xE2\x86\x88"),
           "a|z|\xE2\x86\x88");  // the characters that Spark NLP works with
}

ALBERT_FAST_TEST(context_characters_are_split_off_together) {
  CHECK_EQ(joined("(\"Hello,\" she said.)"), "(\"|Hello|,\"|she|said|.)");
  CHECK_EQ(joined("don't e-mail U.S.A. a,b https://x.y/?z"), "don't|e-mail|U.S.A|.|a,b|https://x.y/?z");
  CHECK_EQ(joined("... -- !?"), "...|--|!?");
  CHECK_EQ(joined("[x] $5 #a"), "[x]|$5|#a");
}

ALBERT_FAST_TEST(word_rules_take_parameters) {
  CHECK_EQ(joined("\xC2\xABx\xC2\xBB. y.", WordRules(U"\u00AB\u00BB")), "\xC2\xAB|x\xC2\xBB.|y.");
  CHECK_EQ(joined("x\xC2\xBB!", WordRules(U"\u00BB!")), "x|\xC2\xBB!");
  CHECK_EQ(joined("\xC2\xBB\xC2\xBB", WordRules(U"\u00BB")), "\xC2\xBB\xC2\xBB");
  CHECK_EQ(joined("a bc def \xF0\x9F\x98\x80", WordRules(WordRules::kDefaultContext, 2, 2)),
           "bc|\xF0\x9F\x98\x80");
}

ALBERT_FAST_TEST(any_bytes_give_ordered_words) {
  std::mt19937 random(11);
  const WordRules rules(U".\u00AB\u2187\U0001F600");
  constexpr std::string_view kLikely = "ab.. \n\xC2\xAB\xE2\x86\x87\xF0\x9F\x98\x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string sentence;
    for (std::size_t size = random() % 40; size > 0; --size) {
      sentence += random() % 8 == 0 ? static_cast<char>(random() & 0xFF) : kLikely[random() % kLikely.size()];
    }
    std::vector<Span> words;
    split_words(sentence, rules, words);
    std::uint32_t last = 0;
    for (const Span span : words) {
      CHECK(span.begin >= last);
      CHECK(span.begin < span.end);
      CHECK(span.end <= sentence.size());
      last = span.end;
    }
  }
}
