#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sentencepiece/tokenizer.h"
#include "tests/sentencepiece_model_bytes.h"

// First byte even: the rest is a model file. Odd: the rest is a text for a good model, read with and without
// cache.

using namespace albert_fast;
using namespace albert_fast::sentencepiece;

namespace {

bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

void check_spans(const std::vector<Piece>& pieces, std::size_t size) {
  std::uint32_t end = pieces.empty() ? 0 : pieces.front().begin;
  for (const Piece& piece : pieces) {
    if (piece.begin != end || piece.end < piece.begin || piece.end > size) std::abort();
    end = piece.end;
  }
}

void use(const std::shared_ptr<const Model>& model, std::string_view text) {
  Tokenizer remembering(model, 4096), plain(model, 0);
  Scratch scratch;
  std::vector<Piece> first, second, third;
  std::vector<std::int32_t> ids;
  plain.encode_text(text, scratch, first);
  remembering.encode_text(text, scratch, second);
  remembering.encode_text(text, scratch, third);
  if (first != second || first != third) std::abort();
  check_spans(first, text.size());
  remembering.encode_albert(text, &is_ascii_digit, scratch, first);
  remembering.encode_word(text.substr(0, 60), scratch, ids);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) {
    static const auto good = std::make_shared<const Model>(Model::parse(test::small_model()));
    use(good, rest);
    return 0;
  }
  try {
    use(std::make_shared<const Model>(Model::parse(rest)), "ab  1, x<x>\xff\xe2\x96\x81 Z\xc3\xa9\x00!");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_model) std::abort();
  }
  return 0;
}
