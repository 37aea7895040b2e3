#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "bindings/arrays.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "bindings/signals.h"
#include "bindings/strings.h"
#include "stages/documents.h"
#include "stages/pooling.h"
#include "stages/sentences.h"
#include "stages/tokens.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using columns::AnnotationColumn;
using Column = std::shared_ptr<AnnotationColumn>;
template <class Work>
Column without_gil(Work work) {
  const ReleasedGil released;
  return std::make_shared<AnnotationColumn>(work());
}

text::Cleanup parse_cleanup(const std::string& name) {
  using C = text::Cleanup;
  static constexpr std::array<std::pair<std::string_view, C>, 8> kNames{{{"disabled", C::disabled},
                                                                         {"inplace", C::inplace},
                                                                         {"inplace_full", C::inplace_full},
                                                                         {"shrink", C::shrink},
                                                                         {"shrink_full", C::shrink_full},
                                                                         {"each", C::each},
                                                                         {"each_full", C::each_full},
                                                                         {"delete_full", C::delete_full}}};
  for (const auto& [known, mode] : kNames) {
    if (known == name) return mode;
  }
  fail(ErrorCode::invalid_input, "cleanup mode '" + name + "' does not exist");
}

Column assemble_documents(const py::sequence& texts, const Array<std::int64_t>& row_splits,
                          const std::string& cleanup, bool utf16, bool sentence_metadata) {
  const stages::DocumentOptions options{parse_cleanup(cleanup), utf16, sentence_metadata};
  const py::tuple kept(texts);
  std::vector<std::string_view> views;
  views.reserve(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const py::handle text = kept[i];
    views.push_back(is_missing(text) ? std::string_view()
                                     : utf8_of(text, [i] { return "text " + std::to_string(i); }));
  }
  std::vector<std::int64_t> splits = to_vector(row_splits);
  if (splits.empty() || splits.front() != 0 || splits.back() != static_cast<std::int64_t>(views.size()) ||
      !std::is_sorted(splits.begin(), splits.end())) {
    fail(ErrorCode::invalid_input, "row_splits do not belong to the texts");
  }
  return without_gil(
      [&] { return stages::assemble_documents(views, std::move(splits), options, no_signal_raised); });
}

text::SentenceOptions sentence_options(const py::dict& d) {
  text::SentenceOptions o;
  o.use_abbreviations = d["use_abbreviations"].cast<bool>();
  o.detect_lists = d["detect_lists"].cast<bool>();
  o.use_rules = d["use_rules"].cast<bool>();
  o.abbreviations_first = d["abbreviations_first"].cast<bool>();
  o.min_length = d["min_length"].cast<std::uint32_t>();
  o.max_length = d["max_length"].cast<std::uint32_t>();
  o.split_length = d["split_length"].cast<std::uint32_t>();
  return o;
}

Column detect_sentences(const AnnotationColumn& documents, const py::dict& options,
                        const Array<std::int64_t>& break_splits, const Array<std::int32_t>& breaks,
                        const Array<std::int32_t>& removed) {
  const text::SentenceOptions o = sentence_options(options);
  const stages::CustomBreaks custom{to_vector(break_splits), to_vector(breaks), to_vector(removed)};
  return without_gil([&] { return stages::detect_sentences(documents, o, custom, no_signal_raised); });
}

Column split_tokens(const AnnotationColumn& sentences, const py::str& context, std::uint32_t min_length,
                    std::uint32_t max_length) {
  const std::string_view characters = utf8_of(context, "contextChars");
  std::u32string code_points;
  for (std::size_t at = 0; at < characters.size();) {
    const Decoded character = decode(characters, at);
    code_points.push_back(character.code_point);
    at += character.size;
  }
  const text::WordRules rules(code_points, min_length, max_length);
  return without_gil([&] { return stages::split_tokens(sentences, rules, no_signal_raised); });
}

Column make_tokens(const AnnotationColumn& sentences, const Array<std::int64_t>& splits,
                   const Array<std::int32_t>& begin, const Array<std::int32_t>& end) {
  const stages::FoundWords words{to_vector(splits), to_vector(begin), to_vector(end)};
  return without_gil([&] { return stages::make_tokens(sentences, words); });
}

Column pool_sentences(const AnnotationColumn& sentences, const AnnotationColumn& words, bool average,
                      bool sparknlp) {
  const stages::PoolingOptions options{average, sparknlp, true};
  return without_gil([&] { return stages::pool_sentences(sentences, words, options, no_signal_raised); });
}

Column pool_chunks(const AnnotationColumn& chunks, const AnnotationColumn& words, bool average, bool skip_oov,
                   bool sparknlp) {
  const stages::PoolingOptions options{average, sparknlp, skip_oov};
  return without_gil([&] { return stages::pool_chunks(chunks, words, options, no_signal_raised); });
}

}  // namespace

void register_stages(py::module_& m) {
  m.def("assemble_documents", &assemble_documents, py::arg("texts"), py::arg("row_splits"),
        py::arg("cleanup"), py::arg("utf16"), py::arg("sentence_metadata"));
  m.def("detect_sentence_column", &detect_sentences, py::arg("documents"), py::arg("options"),
        py::arg("break_splits"), py::arg("breaks"), py::arg("removed"));
  m.def("split_token_column", &split_tokens, py::arg("sentences"), py::arg("context"), py::arg("min_length"),
        py::arg("max_length"));
  m.def("make_token_column", &make_tokens, py::arg("sentences"), py::arg("splits"), py::arg("begin"),
        py::arg("end"));
  m.def("pool_sentences", &pool_sentences, py::arg("sentences"), py::arg("words"), py::arg("average"),
        py::arg("sparknlp"));
  m.def("pool_chunks", &pool_chunks, py::arg("chunks"), py::arg("words"), py::arg("average"),
        py::arg("skip_oov"), py::arg("sparknlp"));
}

}  // namespace albert_fast::bindings
