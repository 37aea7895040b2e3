#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace albert_fast::sentencepiece {

/// Kinds of pieces, numbered as in the file format.
enum class PieceType : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct PieceRecord {
  std::string_view text;
  float score = 0.0F;
  PieceType type = PieceType::normal;
};

/// What a `.model` file says, checked field by field; the views point into the bytes that were read.
struct ModelFile {
  std::vector<PieceRecord> pieces;
  std::string_view charsmap;
  std::uint64_t model_type = 1;
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

/// Reads and checks a file. Throws Error(corrupt_model) that names the field.
ModelFile read_model_file(std::string_view bytes);

/// Throws Error(corrupt_model): "SentencePiece model: field `<field>` <why>; ...".
[[noreturn]] void fail_field(const std::string& field, const std::string& why);

/// Value 0..255 of a byte piece `<0x41>` (upper-case digits only), or -1.
int byte_of_piece(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);

}  // namespace albert_fast::sentencepiece
