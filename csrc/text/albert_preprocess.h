#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"

namespace albert_fast::text {

/// The options of Hugging Face's AlbertTokenizer with their defaults.
struct PreprocessOptions {
  bool lower_case = true;
  bool keep_accents = false;
  bool remove_space = true;
};

/// A preprocessed text that knows where its bytes come from.
struct Preprocessed {
  /// A stretch that is not characters of the same sizes in the same order. Ascending; all else was copied one
  /// by one.
  struct Edit {
    Span made;
    Span from;
  };

  std::string text;
  std::vector<Edit> edits;
  std::vector<std::uint32_t>
      sigmas;  // where a capital sigma was: it ends a word or not by what is left around it

  /// From the begin of the original character of the first byte to the end of that of the last byte. An empty
  /// span stays empty: before the original of what follows it, or at the end of the text behind the last
  /// original.
  [[nodiscard]] Span original(Span preprocessed) const;

 private:
  [[nodiscard]] Span original_of(std::uint32_t byte) const;
};

/// What ALBERT does to a text before SentencePiece sees it (Google's preprocess_text, Hugging Face's slow
/// tokenizer): blanks become single spaces, `` and '' become ", NFKD without combining characters, lower
/// case. `out` is overwritten and its memory used again.
void albert_preprocess(std::string_view text, const PreprocessOptions& options, Preprocessed& out);

}  // namespace albert_fast::text
