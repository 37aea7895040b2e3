#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/span.h"
#include "base/utf8.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "bindings/strings.h"
#include "text/albert_preprocess.h"
#include "text/lower.h"
#include "text/sentences.h"
#include "text/words.h"
#include "unicode/unicode.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using CodePointSpans = std::vector<std::pair<std::int32_t, std::int32_t>>;

CodePointSpans to_code_points(std::string_view text, const std::vector<Span>& spans) {
  OffsetConverter offsets(text, false);
  CodePointSpans converted;
  converted.reserve(spans.size());
  for (const Span span : spans) {
    const std::int32_t begin = offsets.at(span.begin);
    converted.emplace_back(begin, offsets.at(span.end));
  }
  return converted;
}

py::tuple unicode_facts(std::uint32_t code_point) {
  return py::make_tuple(unicode::is_digit(code_point), unicode::is_space(code_point),
                        unicode::is_letter_or_digit(code_point), unicode::is_nonspacing_mark(code_point));
}

std::string to_lower(const py::str& text) {
  const std::string_view view = utf8_of(text, "text");
  std::string lowered;
  const ReleasedGil released;
  text::to_lower(view, lowered);
  return lowered;
}

std::pair<std::string, CodePointSpans> albert_preprocess(const py::str& text, bool keep_accents, bool lower,
                                                         bool remove_space) {
  const std::string_view view = utf8_of(text, "text");
  const ReleasedGil released;
  text::Preprocessed preprocessed;
  text::albert_preprocess(view, {lower, keep_accents, remove_space}, preprocessed);
  std::vector<Span> originals;
  std::uint32_t at = 0;
  while (at < preprocessed.text.size()) {
    const std::uint32_t end = at + decode(preprocessed.text, at).size;
    originals.push_back(preprocessed.original({at, end}));
    at = end;
  }
  return {std::move(preprocessed.text), to_code_points(view, originals)};
}

CodePointSpans detect_sentences(const py::str& text) {
  const std::string_view view = utf8_of(text, "text");
  const ReleasedGil released;
  std::vector<Span> sentences;
  text::SentenceScratch scratch;
  text::detect_sentences(view, sentences, scratch);
  return to_code_points(view, sentences);
}

CodePointSpans split_words(const py::str& text) {
  const std::string_view view = utf8_of(text, "text");
  const ReleasedGil released;
  std::vector<Span> words;
  text::split_words(view, words);
  return to_code_points(view, words);
}

}  // namespace

void register_text(py::module_& m) {
  m.attr("UNICODE_VERSION") = unicode::kVersion;
  m.def("unicode_facts", &unicode_facts, py::arg("code_point"),
        "(is a digit, is white space, is a letter or decimal digit, is a nonspacing mark).");
  m.def("to_lower", &to_lower, py::arg("text"), "str.lower() by the core's own tables.");
  m.def(
      "albert_preprocess", &albert_preprocess, py::arg("text"), py::arg("keep_accents") = false,
      py::arg("lower") = true, py::arg("remove_space") = true,
      "The text that ALBERT's SentencePiece model sees, and for each of its characters the half-open span of "
      "characters of `text` it comes from.");
  m.def("detect_sentences", &detect_sentences, py::arg("text"),
        "Half-open (begin, end) of each sentence, in characters of `text`.");
  m.def("split_words", &split_words, py::arg("text"),
        "Half-open (begin, end) of each word of one sentence, in characters of `text`.");
}

}  // namespace albert_fast::bindings
