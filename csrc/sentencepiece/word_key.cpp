#include "sentencepiece/word_key.h"

namespace albert_fast::sentencepiece {
namespace {

std::uint64_t load_u32(const char* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}

/// The last bytes of a little-endian word: 1 to 7 of them, without reading outside.
std::uint64_t load_last(const char* bytes, std::size_t size) {
  if (size >= 4) return load_u32(bytes) << (8 * (8 - size)) | load_u32(bytes + size - 4) << 32;
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * (8 - size + i));
  };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

}  // namespace

WordKey::WordKey(std::string_view word) : words_{}, size_(word.size()) {
  const char* const bytes = word.data();
  if (!is_short()) {
    words_[0] = std::bit_cast<std::uintptr_t>(bytes);
  } else if (std::endian::native != std::endian::little) {
    std::memcpy(reinterpret_cast<char*>(words_.data()) + kShortBytes - size_, bytes, size_);
  } else if (size_ > 8) {
    words_ = {load_u64(bytes) << (8 * (kShortBytes - size_)), load_u64(bytes + size_ - 8)};
  } else if (size_ != 0) {
    words_[1] = size_ == 8 ? load_u64(bytes) : load_last(bytes, size_);
  }
}

std::array<std::uint64_t, 4> WordKey::head() const {
  std::array<std::uint64_t, 4> words{};
  if (!is_short() && size_ <= kMaxBytes) std::memcpy(words.data(), long_bytes(), size_ - kShortBytes);
  return words;
}

std::uint64_t WordKey::long_hash() const {
  const auto [low, high] = tail();
  std::uint64_t hash = mix(low, high);
  for (const std::uint64_t word : head()) hash = mix(hash, word);
  return hash;
}

}  // namespace albert_fast::sentencepiece
