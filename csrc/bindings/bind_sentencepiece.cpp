#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings/registers.h"
#include "bindings/strings.h"
#include "sentencepiece/model.h"
#include "sentencepiece/tokenizer.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using sentencepiece::Model;
using sentencepiece::Piece;
using sentencepiece::Scratch;
using sentencepiece::Tokenizer;

/// UTF-8 of a str (cached inside it) or the content of bytes; valid while the object lives.
template <class Name>
std::string_view text_view(py::handle text, const Name& name) {
  if (PyBytes_Check(text.ptr())) {
    return {PyBytes_AS_STRING(text.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(text.ptr()))};
  }
  if (!PyUnicode_Check(text.ptr())) {
    fail(ErrorCode::invalid_input,
         name() + " must be str or bytes, not " + Py_TYPE(text.ptr())->tp_name + "; convert it first");
  }
  return utf8_of(text, name);
}

std::string_view text_view(py::handle text, const char* name = "text") {
  return text_view(text, [name] { return std::string(name); });
}

struct Views {
  py::tuple owner;  // keeps the strings alive while the GIL is released
  std::vector<std::string_view> texts;
};

Views list_views(const py::list& list) {
  Views views{py::tuple(list), {}};
  views.texts.reserve(views.owner.size());
  PyObject* const* const items = reinterpret_cast<PyTupleObject*>(views.owner.ptr())->ob_item;
  const std::size_t count = views.owner.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 16 < count) __builtin_prefetch(items[i + 16]);  // the strings lie all over the heap
    const py::handle text = items[i];
    views.texts.push_back(text_view(text, [i] { return "text " + std::to_string(i); }));
  }
  return views;
}

/// One scratch per thread: it belongs to no tokenizer.
Scratch& scratch_of_thread() {
  static thread_local Scratch scratch;
  return scratch;
}

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
  py::array_t<T> array(static_cast<py::ssize_t>(values.size()));
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

/// Byte offsets to code points; `text` may be any bytes, what is no lead byte does not count.
void to_code_points(std::string_view text, std::vector<Piece>& pieces) {
  std::uint32_t at = 0, points = 0;
  const auto convert = [&](std::uint32_t byte) {
    for (; at < byte; ++at) points += (static_cast<std::uint8_t>(text[at]) & 0xC0) != 0x80;
    return points;
  };
  for (Piece& piece : pieces) {
    piece.begin = convert(piece.begin);
    piece.end = convert(piece.end);
  }
}

py::tuple pieces_to_arrays(std::string_view text, std::vector<Piece>& pieces, const std::string& offsets) {
  if (offsets != "bytes" && offsets != "chars") {
    fail(ErrorCode::invalid_input, "offsets is '" + offsets + "', but must be 'bytes' or 'chars'");
  }
  if (offsets == "chars") to_code_points(text, pieces);
  const auto size = static_cast<py::ssize_t>(pieces.size());
  py::array_t<std::int32_t> ids(size), begin(size), end(size);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ids.mutable_data()[i] = pieces[i].id;
    begin.mutable_data()[i] = static_cast<std::int32_t>(pieces[i].begin);
    end.mutable_data()[i] = static_cast<std::int32_t>(pieces[i].end);
  }
  return py::make_tuple(std::move(ids), std::move(begin), std::move(end));
}

std::shared_ptr<Tokenizer> make_tokenizer(const py::bytes& model, std::size_t cache_bytes) {
  const std::string_view bytes = text_view(model);
  const py::gil_scoped_release release;
  return std::make_shared<Tokenizer>(std::make_shared<const Model>(Model::parse(bytes)), cache_bytes);
}

py::tuple encode_text(Tokenizer& tokenizer, const py::object& text, const std::string& offsets) {
  const std::string_view view = text_view(text);
  std::vector<Piece> pieces;
  {
    const py::gil_scoped_release release;
    Scratch& scratch = scratch_of_thread();
    tokenizer.encode_text(view, scratch, pieces);
    scratch.trim();
  }
  return pieces_to_arrays(view, pieces, offsets);
}

/// Python's own str.isdigit, a table that needs no GIL.
bool is_digit(char32_t c) { return Py_UNICODE_ISDIGIT(static_cast<Py_UCS4>(c)) != 0; }

py::tuple encode_albert(Tokenizer& tokenizer, const py::object& text, const std::string& offsets) {
  const std::string_view view = text_view(text);
  std::vector<Piece> pieces;
  {
    const py::gil_scoped_release release;
    Scratch& scratch = scratch_of_thread();
    tokenizer.encode_albert(view, &is_digit, scratch, pieces);
    scratch.trim();
  }
  return pieces_to_arrays(view, pieces, offsets);
}

struct Ragged {
  std::vector<std::int32_t> values;
  std::vector<std::int64_t> splits{0};
};

Ragged words_to_ids(Tokenizer& tokenizer, const py::list& list) {
  const Views views = list_views(list);
  Ragged result;
  const py::gil_scoped_release release;
  result.splits.reserve(views.texts.size() + 1);
  tokenizer.encode_words(views.texts, scratch_of_thread(), result.values, result.splits);
  return result;
}

std::vector<std::vector<std::int32_t>> encode_words(Tokenizer& tokenizer, const py::list& words) {
  const Ragged ragged = words_to_ids(tokenizer, words);
  std::vector<std::vector<std::int32_t>> result;
  result.reserve(ragged.splits.size() - 1);
  for (std::size_t i = 1; i < ragged.splits.size(); ++i) {
    result.emplace_back(ragged.values.begin() + ragged.splits[i - 1],
                        ragged.values.begin() + ragged.splits[i]);
  }
  return result;
}

py::tuple encode_words_flat(Tokenizer& tokenizer, const py::list& words) {
  const Ragged ragged = words_to_ids(tokenizer, words);
  return py::make_tuple(to_array(ragged.values), to_array(ragged.splits));
}

py::tuple encode_texts(Tokenizer& tokenizer, const py::list& texts) {
  const Views views = list_views(texts);
  Ragged result;
  {
    const py::gil_scoped_release release;
    Scratch& scratch = scratch_of_thread();
    std::vector<Piece> pieces;
    result.splits.reserve(views.texts.size() + 1);
    for (const std::string_view text : views.texts) {
      tokenizer.encode_text(text, scratch, pieces);
      for (const Piece& piece : pieces) result.values.push_back(piece.id);
      result.splits.push_back(static_cast<std::int64_t>(result.values.size()));
    }
    scratch.trim();
  }
  return py::make_tuple(to_array(result.values), to_array(result.splits));
}

void check_id(const Tokenizer& tokenizer, py::ssize_t id) {
  const auto size = static_cast<py::ssize_t>(tokenizer.model().size());
  if (id < 0 || id >= size) {
    throw py::index_error("piece id " + std::to_string(id) + " is outside [0, " + std::to_string(size) + ")");
  }
}

std::string piece_of(const Tokenizer& tokenizer, py::ssize_t id) {
  check_id(tokenizer, id);
  return std::string(tokenizer.model().piece(static_cast<std::int32_t>(id)));
}

}  // namespace

void register_sentencepiece(py::module_& m) {
  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(m, "Tokenizer", R"(SentencePiece unigram tokenizer.

Parameters
----------
model : bytes
    Content of a ``.model`` file.
cache_bytes : int, default 16 MiB
    Memory for words already seen, taken only as it is used; 0 switches it off.

Raises
------
CorruptModelError
    The file is damaged, hostile, or not a unigram model; the message names the field.

Notes
-----
Ids and spans equal those of the ``sentencepiece`` package. All methods may be called from many threads.
Texts are ``str`` or UTF-8 ``bytes`` (invalid bytes count as U+FFFD); a lone surrogate raises InputError.
)")
      .def(py::init(&make_tokenizer), py::arg("model"), py::kw_only(),
           py::arg("cache_bytes") = Tokenizer::kDefaultCacheBytes)
      .def("__len__", [](const Tokenizer& self) { return self.model().size(); })
      .def("piece", &piece_of, py::arg("id"),
           "Text of a piece. Raises IndexError for an id that does not exist.")
      .def(
          "piece_to_id",
          [](const Tokenizer& self, const py::str& piece) {
            return self.model().piece_to_id(text_view(piece, "piece"));
          },
          py::arg("piece"), "Id of a piece, or the id of the unknown piece.")
      .def("encode_words", &encode_words, py::arg("words"),
           "Ids of each word encoded alone, bare '▁' pieces dropped, as Spark NLP does (no lower-casing).")
      .def("encode_words_flat", &encode_words_flat, py::arg("words"),
           "The same as (ids [pieces] int32, row_splits [words + 1] int64).")
      .def("encode_text", &encode_text, py::arg("text"), py::kw_only(), py::arg("offsets") = "bytes",
           "(ids, begin, end), each [pieces] int32; half-open spans in bytes of the UTF-8 text, or in code "
           "points "
           "with offsets='chars'.")
      .def("encode_texts", &encode_texts, py::arg("texts"),
           "(ids [pieces] int32, row_splits [texts + 1] int64) of many texts.")
      .def("encode_albert", &encode_albert, py::arg("text"), py::kw_only(), py::arg("offsets") = "bytes",
           "Like encode_text, for a text after ALBERT's preprocessing: numbers that end with a comma are "
           "split "
           "again, as Hugging Face's slow AlbertTokenizer does.");
}

}  // namespace albert_fast::bindings
