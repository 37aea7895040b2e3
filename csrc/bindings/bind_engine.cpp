#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "bindings/arrays.h"
#include "bindings/device_rows.h"
#include "bindings/engine_arguments.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "bindings/signals.h"
#include "bindings/strings.h"
#include "encoder/cuda/cuda_model.h"
#include "encoder/engine.h"
#include "encoder/graph_model.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using encoder::EmbedOptions;
using encoder::Engine;
using encoder::TensorStore;

template <class Enum, std::size_t N>
Enum parse(const std::array<std::pair<const char*, Enum>, N>& names, const std::string& value,
           const char* what) {
  std::string known;
  for (const auto& [name, result] : names) {
    if (value == name) return result;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  fail(ErrorCode::invalid_input, std::string(what) + " is '" + value + "'; it can be " + known);
}

encoder::Level parse_level(const std::string& value) {
  using L = encoder::Level;
  return parse(std::array{std::pair{"word", L::word}, std::pair{"piece", L::piece},
                          std::pair{"sentence", L::sentence}, std::pair{"document", L::document}},
               value, "level");
}

encoder::Pooling parse_pooling(const std::string& value) {
  using P = encoder::Pooling;
  return parse(
      std::array{std::pair{"first", P::first}, std::pair{"mean", P::mean}, std::pair{"max", P::max},
                 std::pair{"cls", P::cls}, std::pair{"pooler", P::pooler}, std::pair{"words", P::words}},
      value, "pooling");
}

encoder::Tokenization parse_tokenization(const std::string& value) {
  using T = encoder::Tokenization;
  return parse(std::array{std::pair{"word", T::word}, std::pair{"text", T::text}}, value, "tokenization");
}

encoder::Activation parse_activation(const std::string& value) {
  using A = encoder::Activation;
  return parse(
      std::array{std::pair{"gelu", A::gelu}, std::pair{"gelu_new", A::gelu_tanh}, std::pair{"relu", A::relu}},
      value, "hidden_act");
}

EmbedOptions options_from(const py::dict& d) {
  EmbedOptions o;
  o.level = parse_level(d["level"].cast<std::string>());
  o.pooling = parse_pooling(d["pooling"].cast<std::string>());
  o.tokenization = parse_tokenization(d["tokenization"].cast<std::string>());
  o.layers = d["layers"].cast<std::vector<std::int64_t>>();
  o.max_sentence_length = d["max_sentence_length"].cast<std::int64_t>();
  o.batch_size = d["batch_size"].cast<std::int64_t>();
  o.threads = d["threads"].cast<int>();
  o.detect_sentences = d["detect_sentences"].cast<bool>();
  o.case_sensitive = d["case_sensitive"].cast<bool>();
  o.special_tokens = d["special_tokens"].cast<bool>();
  o.normalize = d["normalize"].cast<bool>();
  o.utf16_offsets = d["utf16_offsets"].cast<bool>();
  o.sparknlp = d["sparknlp"].cast<bool>();
  o.on_device = d["on_device"].cast<bool>();
  o.lone_texts = d["lone_texts"].cast<bool>();
  return o;
}

}  // namespace

encoder::Geometry geometry_from(const py::dict& d) {
  encoder::Geometry g;
  g.vocab_size = d["vocab_size"].cast<std::int64_t>();
  g.embedding_size = d["embedding_size"].cast<std::int64_t>();
  g.hidden_size = d["hidden_size"].cast<std::int64_t>();
  g.num_hidden_layers = d["num_hidden_layers"].cast<std::int64_t>();
  g.num_hidden_groups = d["num_hidden_groups"].cast<std::int64_t>();
  g.inner_group_num = d["inner_group_num"].cast<std::int64_t>();
  g.num_attention_heads = d["num_attention_heads"].cast<std::int64_t>();
  g.intermediate_size = d["intermediate_size"].cast<std::int64_t>();
  g.max_position_embeddings = d["max_position_embeddings"].cast<std::int64_t>();
  g.type_vocab_size = d["type_vocab_size"].cast<std::int64_t>();
  g.hidden_act = parse_activation(d["hidden_act"].cast<std::string>());
  g.layer_norm_eps = d["layer_norm_eps"].cast<float>();
  return g;
}

encoder::cuda::Settings cuda_settings_from(const py::dict& d) {
  using P = encoder::cuda::Precision;
  encoder::cuda::Settings settings;
  settings.device = d["device"].cast<int>();
  settings.precision =
      parse(std::array{std::pair{"fp16", P::fp16}, std::pair{"tf32", P::tf32}, std::pair{"fp32", P::fp32}},
            d["precision"].cast<std::string>(), "precision");
  settings.memory_limit = d["memory_limit"].cast<std::size_t>();
  settings.most_tokens = d["most_tokens"].cast<std::uint32_t>();
  settings.workers = d["workers"].cast<int>();
  settings.graphs = d["graphs"].cast<bool>();
  settings.attention_kernels = d["attention_kernels"].cast<int>();
  settings.rehearsal = d["rehearsal"].cast<bool>();
  return settings;
}

namespace {

py::dict stats_to_dict(const columns::EmbeddingStats& s) {
  py::dict d;
  d["texts"] = s.texts;
  d["sentences"] = s.sentences;
  d["words"] = s.words;
  d["pieces"] = s.pieces;
  d["windows"] = s.windows;
  d["batches"] = s.batches;
  d["tokens"] = s.tokens;
  d["reused"] = s.reused;
  d["cut_words"] = s.cut_words;
  d["cut_pieces"] = s.cut_pieces;
  d["copies"] = s.copies;
  return d;
}

py::dict columns_to_dict(columns::EmbeddingColumns&& c) {
  py::dict d;
  if (c.device_vectors.owner != nullptr) {
    d["vectors"] = DeviceMatrix{std::move(c.device_vectors), c.rows, c.hidden};
  } else {
    d["vectors"] = to_matrix(std::move(c.vectors), c.rows, c.hidden);
  }
  d["begin"] = to_array(std::move(c.begin));
  d["end"] = to_array(std::move(c.end));
  d["sentence"] = to_array(std::move(c.sentence));
  d["piece_id"] = to_array(std::move(c.piece_id));
  d["out_of_vocabulary"] = to_array(std::move(c.out_of_vocabulary)).attr("view")("bool");
  d["row_splits"] = to_array(std::move(c.row_splits));
  d["stats"] = stats_to_dict(c.stats);
  return d;
}

template <class Work>
py::dict without_gil(Work work) {
  std::optional<columns::EmbeddingColumns> result;
  {
    const ReleasedGil released;
    result = work();
  }
  return columns_to_dict(std::move(*result));
}

encoder::TensorEntry entry_from(std::string name, std::string dtype, std::vector<std::int64_t> shape,
                                std::vector<std::int64_t> strides, std::size_t begin, std::size_t end) {
  return {std::move(name), std::move(dtype), std::move(shape), begin, end, std::move(strides)};
}

void add_mapped(TensorStore& store, std::size_t file, std::string name, std::string dtype,
                std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, std::size_t begin,
                std::size_t end) {
  const encoder::TensorEntry entry =
      entry_from(std::move(name), std::move(dtype), std::move(shape), std::move(strides), begin, end);
  const ReleasedGil released;
  store.add(file, entry);
}

void add_copied(TensorStore& store, const py::bytes& bytes, std::string name, std::string dtype,
                std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, std::size_t begin,
                std::size_t end) {
  const encoder::TensorEntry entry =
      entry_from(std::move(name), std::move(dtype), std::move(shape), std::move(strides), begin, end);
  const std::string_view view = bytes;  // the caller holds the object while the lock is released
  const ReleasedGil released;
  store.add(std::as_bytes(std::span(view)), entry);
}

/// (name, path, begin, end) of a mapped file, or (name, bytes).
encoder::GraphFile graph_file_from(const py::handle& item) {
  const auto t = item.cast<py::tuple>();
  auto name = t[0].cast<std::string>();
  if (t.size() == 2) return encoder::GraphFile::copied(std::move(name), t[1].cast<std::string>());
  return encoder::GraphFile::mapped(std::move(name), t[1].cast<std::string>(), t[2].cast<std::size_t>(),
                                    t[3].cast<std::size_t>());
}

encoder::GraphSignature signature_from(const py::dict& d) {
  using R = encoder::GraphSignature::Role;
  encoder::GraphSignature signature;
  for (const py::handle item : d["inputs"]) {
    const auto t = item.cast<py::tuple>();
    const R role =
        parse(std::array{std::pair{"input_ids", R::input_ids}, std::pair{"attention_mask", R::attention_mask},
                         std::pair{"token_type_ids", R::token_type_ids}},
              t[1].cast<std::string>(), "role");
    signature.inputs.push_back({t[0].cast<std::string>(), role, t[2].cast<bool>()});
  }
  signature.hidden_output = d["hidden"].cast<std::string>();
  signature.pooler_output = d["pooler"].cast<std::string>();
  return signature;
}

template <class MakeModel>
std::shared_ptr<Engine> load_engine(const py::dict& tokenizer, MakeModel make_model) {
  const auto vocabulary = tokenizer["spiece"].cast<std::string>();
  const auto cache_bytes = tokenizer["cache_bytes"].cast<std::size_t>();
  const encoder::TokenizerSettings settings{tokenizer["keep_accents"].cast<bool>(),
                                            tokenizer["cls_id"].cast<std::int32_t>(),
                                            tokenizer["sep_id"].cast<std::int32_t>()};
  const ReleasedGil released;
  auto pieces = std::make_shared<const sentencepiece::Model>(sentencepiece::Model::parse(vocabulary));
  return std::make_shared<Engine>(
      make_model(), std::make_shared<sentencepiece::Tokenizer>(std::move(pieces), cache_bytes), settings);
}

encoder::Precision parse_precision(const std::string& value) {
  using P = encoder::Precision;
  return parse(std::array{std::pair{"fp32", P::fp32}, std::pair{"int8", P::int8}}, value, "precision");
}

/// The store is empty afterwards.
std::shared_ptr<Engine> load_packed(TensorStore& store, const py::dict& geometry, const py::dict& tokenizer,
                                    const std::string& precision) {
  const encoder::Geometry g = geometry_from(geometry);
  const encoder::Precision p = parse_precision(precision);
  return load_engine(tokenizer, [&] {
    return std::make_shared<const encoder::PackedModel>(std::exchange(store, TensorStore()), g, p);
  });
}

std::shared_ptr<Engine> load_cuda(TensorStore& store, const py::dict& geometry, const py::dict& tokenizer,
                                  const py::dict& settings) {
  const encoder::Geometry g = geometry_from(geometry);
  const encoder::cuda::Settings s = cuda_settings_from(settings);
  return load_engine(tokenizer, [&] {
    return std::make_shared<const encoder::cuda::CudaModel>(std::exchange(store, TensorStore()), g, s);
  });
}

std::shared_ptr<Engine> load_graph(const py::tuple& graph, const py::list& files, const py::dict& signature,
                                   const py::dict& geometry, const py::dict& tokenizer) {
  const encoder::Geometry g = geometry_from(geometry);
  encoder::GraphFile onnx = graph_file_from(graph);
  std::vector<encoder::GraphFile> beside;
  for (const py::handle item : files) beside.push_back(graph_file_from(item));
  encoder::GraphSignature how = signature_from(signature);
  return load_engine(tokenizer, [&] {
    return std::make_shared<const encoder::GraphModel>(std::move(onnx), std::move(beside), std::move(how), g);
  });
}

py::dict embed(const Engine& engine, const py::sequence& texts, const py::dict& options, std::size_t first) {
  const py::tuple kept(texts);
  const std::vector<std::string_view> views =
      utf8_of_all(kept, [first](std::size_t i) { return "text " + std::to_string(first + i); });
  const EmbedOptions o = options_from(options);
  return without_gil([&] { return engine.embed(views, o, no_signal_raised); });
}

py::dict embed_words(const Engine& engine, const py::sequence& sentences, const py::dict& options) {
  std::vector<py::tuple> kept;
  std::vector<encoder::WordList> lists;
  for (std::size_t i = 0; i < py::len(sentences); ++i) {
    kept.emplace_back(py::object(sentences[i]));
    lists.push_back({utf8_of_all(kept.back(), [i](std::size_t word) {
      return "sentence " + std::to_string(i) + ", word " + std::to_string(word);
    })});
  }
  const EmbedOptions o = options_from(options);
  return without_gil([&] { return engine.embed_words(lists, o, no_signal_raised); });
}

py::tuple annotate(const Engine& engine, const columns::AnnotationColumn& sentences,
                   const columns::AnnotationColumn& tokens, const py::dict& options, bool with_vectors) {
  const EmbedOptions o = options_from(options);
  std::optional<encoder::AnnotatedWords> result;
  {
    const ReleasedGil released;
    result = engine.annotate(sentences, tokens, o, with_vectors, no_signal_raised);
  }
  return py::make_tuple(std::make_shared<columns::AnnotationColumn>(std::move(result->column)),
                        stats_to_dict(result->stats));
}

py::dict embed_ids(const Engine& engine, const std::vector<std::vector<std::int32_t>>& sequences,
                   const py::dict& options) {
  const EmbedOptions o = options_from(options);
  return without_gil([&] { return engine.embed_ids(sequences, o, no_signal_raised); });
}

void prepare(const Engine& engine, const py::dict& options) {
  const EmbedOptions o = options_from(options);
  const ReleasedGil released;
  engine.prepare(o);
}

}  // namespace

void register_engine(py::module_& m) {
  py::class_<TensorStore>(m, "TensorStore", "Tensors on their way into an Engine.")
      .def(py::init())
      .def("map", &TensorStore::map, py::arg("path"))
      .def("add_mapped", &add_mapped, py::arg("file"), py::arg("name"), py::arg("dtype"), py::arg("shape"),
           py::arg("strides"), py::arg("begin"), py::arg("end"))
      .def("add_copied", &add_copied, py::arg("data"), py::arg("name"), py::arg("dtype"), py::arg("shape"),
           py::arg("strides"), py::arg("begin"), py::arg("end"));
  py::class_<Engine, std::shared_ptr<Engine>>(m, "Engine",
                                              "A loaded model with its tokenizer. Safe to share.")
      .def(py::init(&load_packed), py::arg("weights"), py::arg("geometry"), py::arg("tokenizer"),
           py::arg("precision"))
      .def_static("of_graph", &load_graph, py::arg("graph"), py::arg("files"), py::arg("signature"),
                  py::arg("geometry"), py::arg("tokenizer"))
      .def_static("on_cuda", &load_cuda, py::arg("weights"), py::arg("geometry"), py::arg("tokenizer"),
                  py::arg("settings"))
      .def("embed", &embed, py::arg("texts"), py::arg("options"), py::arg("first") = 0)
      .def("embed_words", &embed_words, py::arg("sentences"), py::arg("options"))
      .def("annotate", &annotate, py::arg("sentences"), py::arg("tokens"), py::arg("options"),
           py::arg("with_vectors") = true)
      .def("embed_ids", &embed_ids, py::arg("sequences"), py::arg("options"))
      .def("prepare", &prepare, py::arg("options"))
      .def_property_readonly("prepared", [](const Engine& e) { return e.model().prepared(); })
      .def(
          "piece",
          [](const Engine& e, std::int32_t id) {
            return py::str(std::string(e.tokenizer().model().piece(id)));
          },
          py::arg("id"))
      .def_property_readonly("has_layers", [](const Engine& e) { return e.model().has_layers(); })
      .def_property_readonly("has_pooler", [](const Engine& e) { return e.model().has_pooler(); });
}

}  // namespace albert_fast::bindings
