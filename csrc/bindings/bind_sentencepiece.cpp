#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings/gil.h"
#include "bindings/registers.h"
#include "bindings/word_keys.h"
#include "sentencepiece/model.h"
#include "sentencepiece/tokenizer.h"

namespace py = pybind11;

namespace albert_fast::bindings {
namespace {

using sentencepiece::IdBuffer;
using sentencepiece::Model;
using sentencepiece::Piece;
using sentencepiece::Scratch;
using sentencepiece::Tokenizer;
using sentencepiece::WordKey;

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

/// Memory of one thread, kept between calls and trimmed: it belongs to no tokenizer.
struct ThreadMemory {
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  Scratch scratch;
  std::vector<WordKey> keys;
  IdBuffer ids;

  void trim() {
    scratch.trim(kMostBytes);
    if (keys.capacity() > kMostBytes / sizeof(WordKey)) keys = {};
    ids.trim(kMostBytes / sizeof(std::int32_t));
  }
};

ThreadMemory& memory_of_thread() {
  static thread_local ThreadMemory memory;
  return memory;
}

py::array_t<std::int32_t> to_array(std::span<const std::int32_t> ids) {
  py::array_t<std::int32_t> array(static_cast<py::ssize_t>(ids.size()));
  std::copy(ids.begin(), ids.end(), array.mutable_data());
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
  const ReleasedGil released;
  return std::make_shared<Tokenizer>(std::make_shared<const Model>(Model::parse(bytes)), cache_bytes);
}

py::tuple encode_text(Tokenizer& tokenizer, const py::object& text, const std::string& offsets) {
  const std::string_view view = text_view(text);
  std::vector<Piece> pieces;
  {
    const ReleasedGil released;
    ThreadMemory& memory = memory_of_thread();
    tokenizer.encode_text(view, memory.scratch, pieces);
    memory.trim();
  }
  return pieces_to_arrays(view, pieces, offsets);
}

/// Python's own str.isdigit, a table that needs no GIL.
bool is_digit(char32_t c) { return Py_UNICODE_ISDIGIT(static_cast<Py_UCS4>(c)) != 0; }

py::tuple encode_albert(Tokenizer& tokenizer, const py::object& text, const std::string& offsets) {
  const std::string_view view = text_view(text);
  std::vector<Piece> pieces;
  {
    const ReleasedGil released;
    ThreadMemory& memory = memory_of_thread();
    tokenizer.encode_albert(view, &is_digit, memory.scratch, pieces);
    memory.trim();
  }
  return pieces_to_arrays(view, pieces, offsets);
}

/// Ids in this thread's memory, and where each word's or text's end.
struct Ragged {
  std::span<const std::int32_t> ids;
  py::array_t<std::int64_t> splits;
};

std::span<std::int64_t> begin_splits(Ragged& ragged, std::size_t rows) {
  ragged.splits = py::array_t<std::int64_t>(static_cast<py::ssize_t>(rows + 1));
  std::int64_t* const splits = ragged.splits.mutable_data();
  splits[0] = 0;
  return {splits + 1, rows};
}

Ragged words_to_ids(Tokenizer& tokenizer, const py::list& words) {
  ThreadMemory& memory = memory_of_thread();
  std::vector<py::object> owners;
  memory.keys.clear();
  memory.ids.clear();
  append_keys(words, memory.keys, owners);
  Ragged result;
  const std::span<std::int64_t> ends = begin_splits(result, memory.keys.size());
  {
    const ReleasedGil released;
    tokenizer.encode_words(memory.keys, memory.scratch, memory.ids, ends);
  }
  result.ids = memory.ids.ids();
  return result;
}

std::vector<std::vector<std::int32_t>> encode_words(Tokenizer& tokenizer, const py::list& words) {
  const Ragged ragged = words_to_ids(tokenizer, words);
  const std::int64_t* const splits = ragged.splits.data();
  std::vector<std::vector<std::int32_t>> result;
  result.reserve(words.size());
  for (py::ssize_t i = 1; i < ragged.splits.size(); ++i) {
    result.emplace_back(ragged.ids.begin() + splits[i - 1], ragged.ids.begin() + splits[i]);
  }
  memory_of_thread().trim();
  return result;
}

py::tuple ragged_to_arrays(Ragged&& ragged) {
  py::tuple arrays = py::make_tuple(to_array(ragged.ids), std::move(ragged.splits));
  memory_of_thread().trim();
  return arrays;
}

py::tuple encode_words_flat(Tokenizer& tokenizer, const py::list& words) {
  return ragged_to_arrays(words_to_ids(tokenizer, words));
}

py::tuple encode_texts(Tokenizer& tokenizer, const py::list& texts) {
  const Views views = list_views(texts);
  ThreadMemory& memory = memory_of_thread();
  memory.ids.clear();
  Ragged result;
  const std::span<std::int64_t> ends = begin_splits(result, views.texts.size());
  {
    const ReleasedGil released;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      tokenizer.encode_text_ids(views.texts[i], memory.scratch, memory.ids);
      ends[i] = static_cast<std::int64_t>(memory.ids.size());
    }
  }
  result.ids = memory.ids.ids();
  return ragged_to_arrays(std::move(result));
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
