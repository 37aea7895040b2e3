#include "encoder/engine.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <string>

#include "base/checked.h"
#include "encoder/annotate.h"
#include "encoder/row_table.h"
#include "encoder/runner.h"
#include "ort/run_gate.h"

namespace albert_fast::encoder {
namespace {

AlignedBuffer<float> make_matrix(const Model& model, std::size_t rows, std::size_t hidden) {
  const std::size_t count = checked_multiply(rows, hidden, ErrorCode::out_of_memory, "the result");
  try {
    return model.make_rows(count);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::out_of_memory,
         "the result of this call, " + std::to_string(rows) + " vectors, needs " +
             std::to_string(count * sizeof(float) >> 20) +
             " MiB, which is not to be had. Use stream(), which returns it in chunks");
  }
}

// Unit length; a row of zeros (a text without words) stays as it is.
void normalize_rows(std::span<float> rows, std::size_t hidden) {
  for (std::size_t at = 0; at < rows.size(); at += hidden) {
    double squares = 0.0;
    for (std::size_t d = 0; d < hidden; ++d) squares += static_cast<double>(rows[at + d]) * rows[at + d];
    if (squares == 0.0) continue;
    const auto scale = static_cast<float>(1.0 / std::sqrt(squares));
    for (std::size_t d = 0; d < hidden; ++d) rows[at + d] *= scale;
  }
}

columns::EmbeddingStats count(const Encoding& encoding, std::size_t windows) {
  columns::EmbeddingStats stats;
  stats.texts = encoding.text_sentences.size() - 1;
  stats.sentences = encoding.sentences.size();
  stats.words = encoding.words.size();
  stats.pieces = encoding.piece_ids.size();
  stats.windows = windows;
  stats.cut_words = encoding.cut_words;
  stats.cut_pieces = encoding.cut_pieces;
  return stats;
}

std::vector<Window> plan(Encoding& encoding, const EmbedOptions& options) {
  return options.sparknlp ? plan_sparknlp(encoding, options)
                          : plan_windows(encoding, options.max_sentence_length);
}

void check_rows(std::int64_t planned, std::size_t described) {
  if (static_cast<std::size_t>(planned) == described) return;
  fail(ErrorCode::internal, "the plan has " + std::to_string(planned) + " rows where the texts have " +
                                std::to_string(described) + "; please report this with the texts");
}

std::size_t bytes_of(const WordList& list) {
  std::size_t bytes = list.words.size();
  for (const std::string_view word : list.words) bytes += word.size();
  return bytes;
}

std::string join(const WordList& list) {
  std::string text;
  for (std::size_t i = 0; i < list.words.size(); ++i) {
    if (i > 0) text += ' ';
    text += list.words[i];
  }
  return text;
}

}  // namespace

Engine::Engine(std::shared_ptr<const Model> model, std::shared_ptr<sentencepiece::Tokenizer> tokenizer,
               const TokenizerSettings& settings)
    : model_(std::move(model)), tokenizer_(std::move(tokenizer)), settings_(settings) {
  const auto pieces = static_cast<std::int64_t>(tokenizer_->model().size());
  if (pieces > model_->geometry().vocab_size) {
    fail(ErrorCode::corrupt_model,
         "the vocabulary has " + std::to_string(pieces) + " pieces but the embedding matrix " +
             std::to_string(model_->geometry().vocab_size) + " rows: these files do not belong together");
  }
  if (settings_.cls_id >= model_->geometry().vocab_size ||
      settings_.sep_id >= model_->geometry().vocab_size) {
    fail(ErrorCode::corrupt_model, "the tokenizer's [CLS] or [SEP] has an id beyond the embedding matrix");
  }
}

// Spark NLP asks the vocabulary for these names, and gets <unk> for one that is not there: always for
// "[pad]", which ALBERT's vocabularies call <pad>.
SpecialIds Engine::special_ids(const EmbedOptions& options) const {
  const sentencepiece::Model& pieces = tokenizer_->model();
  SpecialIds ids{pieces.piece_to_id("[CLS]"), pieces.piece_to_id("[SEP]"), pieces.piece_to_id("[pad]")};
  if (options.sparknlp) return ids;
  if (settings_.cls_id >= 0) ids.cls = settings_.cls_id;
  if (settings_.sep_id >= 0) ids.sep = settings_.sep_id;
  return ids;
}

Encoding Engine::read(const TextSource& source, const EmbedOptions& options,
                      const KeepGoing& keep_going) const {
  const auto make_encoder = [&] { return TextEncoder(*tokenizer_, options, settings_.keep_accents); };
  return encode_texts(source, make_encoder, options.threads, keep_going);
}

void Engine::check(const EmbedOptions& options) const {
  const Geometry& g = model_->geometry();
  const auto bad = [](const std::string& what) { fail(ErrorCode::invalid_input, what); };
  const std::int64_t shortest = options.sparknlp ? 0 : 3;
  if (options.max_sentence_length < shortest || options.max_sentence_length > g.max_position_embeddings) {
    bad("max_sentence_length is " + std::to_string(options.max_sentence_length) + "; this model takes " +
        std::to_string(shortest) + " to " + std::to_string(g.max_position_embeddings));
  }
  if (options.batch_size < 1) bad("batch_size must be at least 1");
  if (options.threads < 1) bad("threads must be at least 1");
  if (options.layers.empty()) bad("layers names no layer");
  for (const std::int64_t layer : options.layers) {
    if (layer < 0 || layer > g.num_hidden_layers) {
      bad("layer " + std::to_string(layer) + " does not exist; this model has hidden states 0 to " +
          std::to_string(g.num_hidden_layers));
    }
  }
  const bool last_only = options.layers.size() == 1 && options.layers.front() == g.num_hidden_layers;
  if (!last_only && !model_->has_layers()) {
    bad("layers names hidden states before the last; this model is an ONNX graph that gives the last only");
  }
  if (options.on_device && model_->device_memory() == nullptr) {
    fail(ErrorCode::device, "this model computes on the CPU; its vectors have no other device to stay on");
  }
  if (options.pooling == Pooling::pooler && !model_->has_pooler()) {
    bad("pooling='pooler' needs the pooler's weights, which this model does not have");
  }
}

void Engine::prepare(const EmbedOptions& options) const {
  check(options);
  const ort::RunGate gate;
  model_->prepare({options.layers, options.pooling == Pooling::pooler, false});
}

columns::EmbeddingColumns Engine::embed(const std::vector<std::string_view>& texts,
                                        const EmbedOptions& options, const KeepGoing& keep_going) const {
  check(options);
  const TextSource source{texts.size(), [&](std::size_t i) { return texts[i].size(); },
                          [&](TextEncoder& encoder, std::size_t i) { encoder.add_text(texts[i]); }};
  return encode(read(source, options, keep_going), texts, options, keep_going);
}

columns::EmbeddingColumns Engine::embed_words(const std::vector<WordList>& sentences,
                                              const EmbedOptions& options,
                                              const KeepGoing& keep_going) const {
  check(options);
  std::vector<std::string> joined(sentences.size());
  const TextSource source{sentences.size(), [&](std::size_t i) { return bytes_of(sentences[i]); },
                          [&](TextEncoder& encoder, std::size_t i) {
                            encoder.add_words(sentences[i]);
                            joined[i] = join(sentences[i]);
                          }};
  Encoding encoding = read(source, options, keep_going);
  return encode(std::move(encoding), {joined.begin(), joined.end()}, options, keep_going);
}

columns::EmbeddingColumns Engine::encode(Encoding encoding, const std::vector<std::string_view>& texts,
                                         const EmbedOptions& options, const KeepGoing& keep_going) const {
  const columns::EmbeddingStats counted = count(encoding, 0);
  const std::vector<Window> windows = plan(encoding, options);
  const RowPlan rows = plan_rows(encoding, windows, options);
  columns::EmbeddingColumns out;
  out.stats = counted;
  out.stats.windows = windows.size();
  describe_rows(encoding, windows, texts, options, special_ids(options), out);
  out.rows = rows.folded ? rows.targets : static_cast<std::int64_t>(rows.rows());
  out.hidden = model_->geometry().hidden_size;
  check_rows(out.rows, out.begin.size());
  if (options.on_device) {
    out.device_vectors = compute_on_device(encoding, windows, rows, options, keep_going, out.stats);
  } else {
    out.vectors = compute(encoding, windows, rows, options, keep_going, out.stats).values;
  }
  return out;
}

AnnotatedWords Engine::annotate(const columns::AnnotationColumn& sentences,
                                const columns::AnnotationColumn& tokens, const EmbedOptions& options,
                                bool with_vectors, const KeepGoing& keep_going) const {
  check(options);
  AnnotatedSentences joined = join_sentences(sentences, tokens, options);
  const auto for_sentences = [&](std::size_t row, const auto& see) {
    for (std::uint32_t s = joined.row_splits[row]; s < joined.row_splits[row + 1]; ++s) see(s);
  };
  const TextSource source{joined.row_splits.size() - 1,
                          [&](std::size_t row) {
                            std::size_t bytes = 0;
                            for_sentences(row, [&](std::uint32_t s) { bytes += joined.texts[s].size(); });
                            return bytes;
                          },
                          [&](TextEncoder& encoder, std::size_t row) {
                            for_sentences(row, [&](std::uint32_t s) {
                              encoder.add_annotated(joined.texts[s], joined.words_of(s));
                            });
                            encoder.end_text();
                          }};
  Encoding encoding = read(source, options, keep_going);
  AnnotatedWords out;
  out.stats = count(encoding, 0);
  const std::vector<Window> windows = plan(encoding, options);
  out.stats.windows = windows.size();
  out.column = describe_words(encoding, joined, tokens, options);
  joined = {};  // its memory would only stand beside the result
  if (with_vectors) {
    const RowPlan rows = plan_rows(encoding, windows, options);
    auto matrix =
        std::make_shared<columns::Matrix>(compute(encoding, windows, rows, options, keep_going, out.stats));
    check_rows(matrix->rows, out.column.size());
    out.column.vectors = std::move(matrix);
  }
  return out;
}

// What the model's device cannot do by itself (parts of several windows that become one row, unit length) is
// done here, and the finished rows are put there.
columns::DeviceRows Engine::compute_on_device(const Encoding& encoding, const std::vector<Window>& windows,
                                              const RowPlan& rows, const EmbedOptions& options,
                                              const KeepGoing& keep_going,
                                              columns::EmbeddingStats& stats) const {
  model_->require_same_process();
  const DeviceMemory& memory = *model_->device_memory();
  const auto hidden = static_cast<std::size_t>(model_->geometry().hidden_size);
  const std::size_t count = rows.folded ? rows.targets : rows.rows();
  columns::DeviceRows out =
      memory.make_rows(checked_multiply(count, hidden, ErrorCode::out_of_memory, "the result"));
  if (rows.folded || options.normalize) {
    const columns::Matrix on_host = compute(encoding, windows, rows, options, keep_going, stats);
    memory.upload(on_host.values.span(), out.data);
    ++stats.copies;
  } else {
    run(encoding, windows, rows, options, keep_going, {{out.data, out.count}, true}, stats);
  }
  return out;
}

columns::Matrix Engine::compute(const Encoding& encoding, const std::vector<Window>& windows,
                                const RowPlan& rows, const EmbedOptions& options, const KeepGoing& keep_going,
                                columns::EmbeddingStats& stats) const {
  const auto hidden = static_cast<std::size_t>(model_->geometry().hidden_size);
  columns::Matrix out;
  out.dimension = model_->geometry().hidden_size;
  out.rows = rows.folded ? rows.targets : rows.rows();
  out.values = make_matrix(*model_, static_cast<std::size_t>(out.rows), hidden);
  if (rows.folded) {
    AlignedBuffer<float> parts = make_matrix(*model_, rows.rows(), hidden);
    run(encoding, windows, rows, options, keep_going, {parts.span()}, stats);
    fold_parts(rows, parts.span(), out.values.span(), hidden);
  } else {
    run(encoding, windows, rows, options, keep_going, {out.values.span()}, stats);
  }
  if (options.normalize) normalize_rows(out.values.span(), hidden);
  return out;
}

void Engine::run(const Encoding& encoding, const std::vector<Window>& windows, const RowPlan& rows,
                 const EmbedOptions& options, const KeepGoing& keep_going, const Destination& out,
                 columns::EmbeddingStats& stats) const {
  std::vector<std::uint32_t> source(windows.size());
  if (options.sparknlp) {
    std::iota(source.begin(), source.end(), 0U);  // a repeat may have other padding beside it
  } else {
    source = find_repeats(encoding, windows, rows);
  }
  const OutputChoice choice{options.layers, options.pooling == Pooling::pooler, false};
  const RunPlan plan{*model_, encoding, windows, rows, source, choice, special_ids(options), options.threads};
  run_windows(plan, out, keep_going, stats);
}

columns::EmbeddingColumns Engine::embed_ids(const std::vector<std::vector<std::int32_t>>& sequences,
                                            const EmbedOptions& options, const KeepGoing& keep_going) const {
  check(options);
  const auto vocabulary = static_cast<std::int32_t>(model_->geometry().vocab_size);
  Encoding encoding;
  encoding.text_sentences.push_back(0);
  for (const std::vector<std::int32_t>& ids : sequences) {
    const auto length = static_cast<std::int64_t>(ids.size());
    if (length < 2 || length > model_->geometry().max_position_embeddings) {
      fail(ErrorCode::invalid_input, "a sequence of ids must have 2 to " +
                                         std::to_string(model_->geometry().max_position_embeddings) +
                                         " of them");
    }
    if (std::any_of(ids.begin(), ids.end(), [&](std::int32_t id) { return id < 0 || id >= vocabulary; })) {
      fail(ErrorCode::invalid_input, "a piece id is outside the vocabulary");
    }
    Sentence sentence;
    sentence.text = static_cast<std::uint32_t>(encoding.sentences.size());
    sentence.piece_begin = static_cast<std::uint32_t>(encoding.piece_ids.size());
    encoding.piece_ids.insert(encoding.piece_ids.end(), ids.begin() + 1, ids.end() - 1);
    sentence.piece_end = static_cast<std::uint32_t>(encoding.piece_ids.size());
    encoding.sentences.push_back(sentence);
    encoding.text_sentences.push_back(static_cast<std::uint32_t>(encoding.sentences.size()));
  }
  encoding.piece_spans.resize(encoding.piece_ids.size());
  EmbedOptions raw = options;
  raw.level = Level::piece;
  raw.special_tokens = true;
  raw.max_sentence_length = model_->geometry().max_position_embeddings;
  return encode(std::move(encoding), std::vector<std::string_view>(sequences.size()), raw, keep_going);
}

}  // namespace albert_fast::encoder
