#include "sentencepiece/model_file.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "sentencepiece/utf8_step.h"

namespace albert_fast::sentencepiece {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxPieces = std::size_t{1} << 20;
constexpr std::size_t kMaxPieceBytes = 512;
constexpr float kMaxScore = 1e9F;  // far beyond any logarithm, and float sums of it stay finite

enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One protobuf message. Every length is checked against what is left before it is used.
class Message {
 public:
  Message(std::string_view bytes, std::string name) : rest_(bytes), name_(std::move(name)) {}

  /// Next field, its payload kept for one of the readers below. False at the end.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    if (tag > 0xFFFFFFFFU || (tag >> 3) == 0) fail_field(name_, "has an invalid field number");
    number_ = static_cast<std::uint32_t>(tag >> 3);
    switch (static_cast<std::uint32_t>(tag & 7)) {
      case 0:
        wire_ = Wire::varint;
        value_ = varint();
        break;
      case 1:
        wire_ = Wire::fixed64;
        payload_ = take(8);
        break;
      case 2:
        wire_ = Wire::bytes;
        payload_ = take(varint());
        break;
      case 5:
        wire_ = Wire::fixed32;
        payload_ = take(4);
        break;
      default:
        fail_field(name_, "uses groups or an unknown wire type");
    }
    return true;
  }

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] std::uint64_t number_value(const char* field) const {
    require(Wire::varint, field);
    return value_;
  }
  [[nodiscard]] std::string_view bytes_value(const char* field) const {
    require(Wire::bytes, field);
    return payload_;
  }
  [[nodiscard]] float float_value(const char* field) const {
    require(Wire::fixed32, field);
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(payload_[i]);
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) fail_field(name_, "ends in the middle of a number");
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail_field(name_, "has a number of more than 64 bits");
  }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) fail_field(name_, "is cut off: a length points past its end");
    const std::string_view payload = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return payload;
  }

  void require(Wire wire, const char* field) const {
    if (wire_ != wire) fail_field(name_ + "." + field, "has the wrong wire type");
  }

  std::string_view rest_;
  std::string name_;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t value_ = 0;
  std::string_view payload_;
};

std::string piece_name(std::size_t id) { return "pieces[" + std::to_string(id) + "]"; }

PieceRecord read_piece(std::string_view bytes, std::size_t id) {
  PieceRecord piece;
  Message message(bytes, "pieces");
  while (message.next()) {
    if (message.number() == 1) piece.text = message.bytes_value("piece");
    if (message.number() == 2) piece.score = message.float_value("score");
    if (message.number() == 3) {
      const std::uint64_t type = message.number_value("type");
      if (type < 1 || type > 6) fail_field(piece_name(id) + ".type", "is not a known kind of piece");
      piece.type = static_cast<PieceType>(type);
    }
  }
  if (piece.text.empty()) fail_field(piece_name(id) + ".piece", "is empty");
  if (piece.text.size() > kMaxPieceBytes) fail_field(piece_name(id) + ".piece", "is longer than 512 bytes");
  if (piece.text.find('\0') != std::string_view::npos) fail_field(piece_name(id) + ".piece", "contains NUL");
  if (!is_valid_utf8(piece.text)) fail_field(piece_name(id) + ".piece", "is not valid UTF-8");
  if (!std::isfinite(piece.score)) fail_field(piece_name(id) + ".score", "is not a finite number");
  if (std::fabs(piece.score) > kMaxScore) fail_field(piece_name(id) + ".score", "is no log probability");
  return piece;
}

void read_trainer(std::string_view bytes, ModelFile& file) {
  Message message(bytes, "trainer_spec");
  while (message.next()) {
    if (message.number() == 3) file.model_type = message.number_value("model_type");
    if (message.number() == 24) {
      file.whitespace_as_suffix = message.number_value("treat_whitespace_as_suffix") != 0;
    }
    if (message.number() == 35) file.byte_fallback = message.number_value("byte_fallback") != 0;
  }
}

void read_normalizer(std::string_view bytes, ModelFile& file) {
  Message message(bytes, "normalizer_spec");
  while (message.next()) {
    switch (message.number()) {
      case 2:
        file.charsmap = message.bytes_value("precompiled_charsmap");
        break;
      case 3:
        file.add_dummy_prefix = message.number_value("add_dummy_prefix") != 0;
        break;
      case 4:
        file.remove_extra_whitespaces = message.number_value("remove_extra_whitespaces") != 0;
        break;
      case 5:
        file.escape_whitespaces = message.number_value("escape_whitespaces") != 0;
        break;
      default:
        break;
    }
  }
}

void check_pieces(const ModelFile& file) {
  if (file.pieces.empty()) fail_field("pieces", "is missing");
  std::bitset<256> bytes_seen;
  std::size_t unknowns = 0, byte_pieces = 0;
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const PieceRecord& piece = file.pieces[id];
    if (piece.type == PieceType::unknown && ++unknowns > 1) {
      fail_field(piece_name(id) + ".type", "is a second unknown piece; exactly one is allowed");
    }
    if (piece.type != PieceType::byte) continue;
    const int value = byte_of_piece(piece.text);
    if (value < 0) fail_field(piece_name(id) + ".piece", "is not a byte piece `<0x00>` to `<0xFF>`");
    bytes_seen.set(static_cast<std::size_t>(value));
    ++byte_pieces;
  }
  if (unknowns == 0) fail_field("pieces", "has no unknown piece; exactly one is needed");
  if (byte_pieces != 0 && !bytes_seen.all()) fail_field("pieces", "has some byte pieces but not all 256");
  if (file.byte_fallback != (byte_pieces != 0)) {
    fail_field("trainer_spec.byte_fallback", "does not agree with the byte pieces");
  }
}

}  // namespace

void fail_field(const std::string& field, const std::string& why) {
  fail(ErrorCode::corrupt_model, "SentencePiece model: field `" + field + "` " + why +
                                     "; the file is damaged or not a usable vocabulary. Fetch it again");
}

int byte_of_piece(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  int value = 0;
  for (const char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = valid_char_size(text.data() + at, text.size() - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

ModelFile read_model_file(std::string_view bytes) {
  if (bytes.empty()) fail_field("(file)", "is empty");
  if (bytes.size() > kMaxFileBytes) fail_field("(file)", "is larger than 64 MiB");
  ModelFile file;
  Message message(bytes, "(file)");
  while (message.next()) {
    if (message.number() == 1) {
      if (file.pieces.size() == kMaxPieces) fail_field("pieces", "has more than 1048576 entries");
      file.pieces.push_back(read_piece(message.bytes_value("pieces"), file.pieces.size()));
    }
    if (message.number() == 2) read_trainer(message.bytes_value("trainer_spec"), file);
    if (message.number() == 3) read_normalizer(message.bytes_value("normalizer_spec"), file);
  }
  if (file.model_type != 1) {
    fail_field("trainer_spec.model_type", "is not UNIGRAM; BPE, word and character models cannot be used");
  }
  check_pieces(file);
  return file;
}

}  // namespace albert_fast::sentencepiece
