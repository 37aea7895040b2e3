#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "columns/annotation_column.h"
#include "columns/arrow.h"
#include "columns/places.h"
#include "stages/documents.h"
#include "stages/pooling.h"
#include "stages/sentences.h"
#include "stages/tokens.h"
#include "tests/check.h"

namespace albert_fast::columns {
namespace {

bool go_on() { return true; }

AnnotationColumn documents(const std::vector<std::string_view>& texts, bool utf16 = false) {
  std::vector<std::int64_t> splits;
  for (std::size_t i = 0; i <= texts.size(); ++i) splits.push_back(static_cast<std::int64_t>(i));
  return stages::assemble_documents(texts, splits, {text::Cleanup::disabled, utf16, true}, go_on);
}

AnnotationColumn sentences(const AnnotationColumn& of) { return stages::detect_sentences(of, {}, {}, go_on); }

AnnotationColumn tokens(const AnnotationColumn& of) {
  return stages::split_tokens(of, text::WordRules(), go_on);
}

/// Words with vectors [i, -i] for word i.
AnnotationColumn with_vectors(AnnotationColumn words) {
  auto matrix = std::make_shared<Matrix>();
  matrix->rows = static_cast<std::int64_t>(words.size());
  matrix->dimension = 2;
  matrix->values = AlignedBuffer<float>(words.size() * 2);
  for (std::size_t i = 0; i < words.size(); ++i) {
    matrix->values.data()[2 * i] = static_cast<float>(i);
    matrix->values.data()[2 * i + 1] = -static_cast<float>(i);
  }
  words.vectors = std::move(matrix);
  return words;
}

std::string float_text(float value) {
  std::string text;
  append_float(value, text);
  return text;
}

}  // namespace

ALBERT_FAST_TEST(words_point_into_one_copy_of_the_texts) {
  const AnnotationColumn all = documents({"One two. Three!", "", "\xF0\x9F\x98\x80 x."}, true);
  const AnnotationColumn words = tokens(sentences(all));
  CHECK_EQ(words.rows(), std::size_t{3});
  CHECK_EQ(words.size(), std::size_t{8});
  CHECK(words.result.bytes == all.result.bytes);
  for (const std::string_view word : words.result.views) {
    CHECK(word.data() >= all.result.bytes->data());
    CHECK(word.data() + word.size() <= all.result.bytes->data() + all.result.bytes->size());
  }
  CHECK_EQ(words.end[5], 1);  // the emoji is two UTF-16 units
  CHECK_EQ(words.begin[6], 3);
  CHECK_EQ(all.end[1], -1);
}

ALBERT_FAST_TEST(custom_breaks_cut_and_take_text_out) {
  const AnnotationColumn all = documents({"a\xC3\xA9|b. c", "x"});
  const stages::CustomBreaks breaks{{0, 1, 1}, {2}, {1}};
  text::SentenceOptions options;
  const AnnotationColumn found = stages::detect_sentences(all, options, breaks, go_on);
  CHECK_EQ(found.size(), std::size_t{4});
  CHECK_EQ(std::string(found.result.views[0]), std::string("a\xC3\xA9"));
  CHECK_EQ(std::string(found.result.views[1]), std::string("b."));
  CHECK_EQ(found.begin[1], 3);
  options.use_rules = false;
  const AnnotationColumn only = stages::detect_sentences(all, options, breaks, go_on);
  CHECK_EQ(std::string(only.result.views[1]), std::string("b. c"));
  CHECK_THROWS(stages::detect_sentences(all, options, {{0, 1}, {2}, {1}}, go_on), ErrorCode::internal);
}

ALBERT_FAST_TEST(any_breaks_give_slices_in_order) {
  std::mt19937 random(7);
  const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  const std::string signs = "ab .;!?\"'()[]|1. \n";
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (std::uint32_t i = below(40); i > 0; --i) text += signs[random() % signs.size()];
    stages::CustomBreaks breaks;
    breaks.splits.push_back(0);
    for (std::int32_t at = 0; at < static_cast<std::int32_t>(text.size());) {
      at += static_cast<std::int32_t>(below(9));
      const auto room = static_cast<std::int32_t>(text.size()) - at;
      if (room < 0) break;
      const auto removed = static_cast<std::int32_t>(below(3));
      breaks.at.push_back(at);
      breaks.removed.push_back(std::min(removed, room));
      at += breaks.removed.back();
    }
    breaks.splits.push_back(static_cast<std::int64_t>(breaks.at.size()));
    text::SentenceOptions options;
    options.use_rules = below(2) == 0;
    options.split_length = below(3) == 0 ? 1 + below(8) : 0;
    const AnnotationColumn found = stages::detect_sentences(documents({text}), options, breaks, go_on);
    std::int32_t last = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found.begin[i] >= last);
      CHECK(found.end[i] >= found.begin[i]);
      CHECK(found.end[i] < static_cast<std::int32_t>(text.size()));
      last = found.end[i] + 1;
    }
  }
}

ALBERT_FAST_TEST(pooling_follows_its_rule) {
  const AnnotationColumn all = documents({"One two. Three", ""});
  const AnnotationColumn parts = sentences(all);
  const AnnotationColumn words = with_vectors(tokens(parts));  // One two . Three
  const AnnotationColumn by_sentence = stages::pool_sentences(parts, words, {true, false, true}, go_on);
  CHECK_EQ(by_sentence.vectors->values.data()[0], 1.0F);
  CHECK_EQ(by_sentence.vectors->values.data()[2], 3.0F);
  CHECK(by_sentence.vector_rows.empty());
  const AnnotationColumn ours = stages::pool_sentences(all, words, {false, false, true}, go_on);
  CHECK_EQ(ours.vectors->values.data()[0], 6.0F);
  CHECK_EQ(ours.vector_row(1), AnnotationColumn::kNoVector);
  CHECK_EQ(ours.vectors->rows, std::int64_t{1});
  const AnnotationColumn theirs = stages::pool_sentences(all, words, {false, true, true}, go_on);
  CHECK_EQ(theirs.vectors->values.data()[0], 3.0F);
  CHECK_THROWS(stages::pool_sentences(documents({"x"}), words, {}, go_on), ErrorCode::invalid_input);
}

/// The words of every span of row 0, as text: "a b|c".
std::string words_within(const AnnotationColumn& spans, const AnnotationColumn& words, FindBy find_by,
                         std::size_t most = 100) {
  RowPlaces places(spans, words, find_by);
  places.use_row(0);
  std::string text;
  for (std::size_t span = 0; span < static_cast<std::size_t>(spans.row_splits[1]); ++span) {
    if (span > 0) text += '|';
    for (const std::uint32_t word : places.within(span, most)) {
      if (!text.empty() && text.back() != '|') text += ' ';
      text += words.result.views[word];
    }
  }
  return text;
}

ALBERT_FAST_TEST(documents_of_a_row_are_told_apart_or_refused) {
  for (const bool utf16 : {false, true}) {
    const AnnotationColumn all =
        stages::assemble_documents({"\xF0\x9F\x98\x80 a b. C d", "\xF0\x9F\x98\x80 a x. Y", ""}, {0, 3},
                                   {text::Cleanup::disabled, utf16, true}, go_on);
    const AnnotationColumn parts = sentences(all);
    AnnotationColumn words = tokens(parts);
    const std::string emoji = "\xF0\x9F\x98\x80";
    const std::string of_documents = emoji + " a b . C d|" + emoji + " a x . Y|";
    const std::string of_sentences = emoji + " a b .|" + emoji + " a x .|C d|Y";
    CHECK_EQ(words_within(all, words, FindBy::place), of_documents);
    CHECK_EQ(words_within(all, words, FindBy::loose_place, 2), emoji + " a|" + emoji + " a|");
    CHECK_EQ(words_within(parts, words, FindBy::place), of_sentences);
    words.documents.back() = AnnotationColumn::kNoDocument;  // one is enough
    CHECK_EQ(words_within(parts, words, FindBy::place), of_sentences);
    CHECK_EQ(words_within(parts, words, FindBy::place, 1), emoji + "|" + emoji + "|C|Y");
    CHECK_THROWS(words_within(all, words, FindBy::place), ErrorCode::invalid_input);
    CHECK_THROWS(words_within(all, words, FindBy::loose_place), ErrorCode::invalid_input);
    CHECK_EQ(words_within(all, tokens(all), FindBy::offsets, 2), emoji + " a|" + emoji + " a|");
    AnnotationColumn strange = words;
    strange.result.views[1] = "z";  // stands nowhere
    CHECK_THROWS(words_within(parts, strange, FindBy::place), ErrorCode::invalid_input);
  }
  const AnnotationColumn one = documents({"a b. C d"});
  CHECK(one.documents.empty());
  CHECK_EQ(words_within(one, tokens(sentences(one)), FindBy::place), std::string("a b . C d"));
}

ALBERT_FAST_TEST(rows_can_be_taken_in_any_order) {
  const AnnotationColumn words = with_vectors(tokens(sentences(documents({"a b", "", "c d e"}))));
  const AnnotationColumn taken = take_rows(words, {2, 0, 2, 1});
  CHECK_EQ(taken.size(), std::size_t{8});
  CHECK_EQ(taken.vectors->values.data()[0], 2.0F);
  CHECK_EQ(taken.vectors->values.data()[2 * 3], 0.0F);
  CHECK_EQ(taken.row_splits.back(), std::int64_t{8});
  CHECK_EQ(explode(words).rows(), words.size());
}

ALBERT_FAST_TEST(arrow_arrays_are_released_whole_and_in_parts) {
  const auto column = std::make_shared<const AnnotationColumn>(
      with_vectors(tokens(sentences(documents({"One two.", "", "Three"})))));
  ArrowArrayStream stream;
  export_stream(column, "words", {{"annotatorType", "token"}}, &stream);
  ArrowSchema schema;
  CHECK_EQ(stream.get_schema(&stream, &schema), 0);
  CHECK_EQ(std::string(schema.format), std::string("+l"));
  CHECK_EQ(schema.children[0]->n_children, std::int64_t{6});
  ArrowArray array;
  CHECK_EQ(stream.get_next(&stream, &array), 0);
  CHECK_EQ(array.length, std::int64_t{3});
  const ArrowArray* floats = array.children[0]->children[5]->children[0];
  CHECK(floats->buffers[1] == column->vectors->values.data());
  // A consumer may take one child and let go of the rest.
  ArrowArray moved = *array.children[0]->children[3];
  array.children[0]->children[3]->release = nullptr;
  array.release(&array);
  CHECK_EQ(std::string(static_cast<const char*>(moved.buffers[2]), 6), std::string("Onetwo"));
  moved.release(&moved);
  CHECK_EQ(stream.get_next(&stream, &array), 0);
  CHECK(array.release == nullptr);
  schema.release(&schema);
  stream.release(&stream);
}

ALBERT_FAST_TEST(floats_are_written_as_java_does) {
  CHECK_EQ(float_text(0.0F), std::string("0.0"));
  CHECK_EQ(float_text(-0.0F), std::string("-0.0"));
  CHECK_EQ(float_text(1.0F), std::string("1.0"));
  CHECK_EQ(float_text(-3.5F), std::string("-3.5"));
  CHECK_EQ(float_text(0.001F), std::string("0.001"));
  CHECK_EQ(float_text(0.0001F), std::string("1.0E-4"));
  CHECK_EQ(float_text(1234567.0F), std::string("1234567.0"));
  CHECK_EQ(float_text(1e7F), std::string("1.0E7"));
  CHECK_EQ(float_text(123.456F), std::string("123.456"));
  CHECK_EQ(float_text(std::numeric_limits<float>::infinity()), std::string("Infinity"));
  CHECK_EQ(float_text(std::numeric_limits<float>::quiet_NaN()), std::string("NaN"));
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    CHECK_EQ(std::stod(float_text(value)) == static_cast<double>(value) ||
                 static_cast<float>(std::stod(float_text(value))) == value,
             true);
  }
}

}  // namespace albert_fast::columns
