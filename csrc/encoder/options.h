#pragma once

#include <cstdint>
#include <vector>

namespace albert_fast::encoder {

enum class Level : std::uint8_t { word, piece, sentence, document };
enum class Pooling : std::uint8_t { first, mean, max, cls, pooler, words };
enum class Tokenization : std::uint8_t { word, text };

/// One call's settings. Python has checked the ranges; what memory safety needs is checked again where it is
/// used.
struct EmbedOptions {
  Level level = Level::word;
  Pooling pooling = Pooling::first;
  Tokenization tokenization = Tokenization::word;
  std::vector<std::int64_t> layers;        // hidden states to average, 0 ... num_hidden_layers
  std::int64_t max_sentence_length = 128;  // pieces, [CLS] and [SEP] included
  std::int64_t batch_size = 8;             // sentences per group, only where `sparknlp` is set
  int threads = 1;
  bool detect_sentences = true;
  bool case_sensitive = false;
  bool special_tokens = false;  // level piece: rows for [CLS] and [SEP] too
  bool normalize = false;
  bool utf16_offsets = false;
  bool sparknlp = false;    // reproduce Spark NLP's batches, attended padding and dropped words
  bool on_device = false;   // the rows stay in the memory of the model's device
  bool lone_texts = false;  // no batch holds sentences of two texts, as in Spark NLP's LightPipeline
};

}  // namespace albert_fast::encoder
