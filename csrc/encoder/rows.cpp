#include "encoder/rows.h"

#include <algorithm>

namespace albert_fast::encoder {
namespace {

class RowPlanner {
 public:
  RowPlanner(const Encoding& encoding, const std::vector<Window>& windows, const EmbedOptions& options)
      : encoding_(encoding), windows_(windows), options_(options) {}

  RowPlan plan() {
    plan_.window_rows.reserve(windows_.size() + 1);
    plan_.window_rows.push_back(0);
    plan_.row_splits.push_back(0);
    const bool pooled = options_.level == Level::sentence || options_.level == Level::document;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      if (options_.level == Level::word) {
        word_rows(windows_[w]);
      } else if (options_.level == Level::piece) {
        piece_rows(w);
      } else {
        pooled_row(windows_[w]);
      }
      plan_.window_rows.push_back(static_cast<std::uint32_t>(plan_.row_splits.size() - 1));
    }
    plan_.reduction = options_.pooling == Pooling::max ? Reduction::max : Reduction::mean;
    if (pooled) set_targets();
    return std::move(plan_);
  }

 private:
  // Token 0 of a window is [CLS]; piece p is token p - piece_begin + 1, the piece behind the last is [SEP].
  // The bound is a matter of memory safety: no plan asks for more.
  static std::int32_t token(const Window& window, std::uint32_t piece) {
    const std::uint32_t number = piece < window.piece_begin ? 0 : piece - window.piece_begin + 1;
    return static_cast<std::int32_t>(std::min(number, window.piece_end - window.piece_begin + 1));
  }
  void add_token(std::int32_t token) { plan_.row_tokens.push_back(token); }
  void end_row() { plan_.row_splits.push_back(static_cast<std::uint32_t>(plan_.row_tokens.size())); }

  void word_rows(const Window& window) {
    for (std::uint32_t w = window.word_begin; w < window.word_end; ++w) {
      const Word& word = encoding_.words[w];
      add_token(token(window, word.piece_begin));
      if (options_.pooling != Pooling::first) {
        const std::uint32_t end = std::min(word.piece_end, window.piece_end);
        for (std::uint32_t piece = word.piece_begin + 1; piece < end; ++piece)
          add_token(token(window, piece));
      }
      end_row();
    }
  }

  void piece_rows(std::size_t index) {
    const Window& window = windows_[index];
    const bool first = index == 0 || windows_[index - 1].sentence != window.sentence;
    const bool last = index + 1 == windows_.size() || windows_[index + 1].sentence != window.sentence;
    if (options_.special_tokens && first) add_single(0);
    for (std::uint32_t piece = window.own_begin; piece < window.own_end; ++piece)
      add_single(token(window, piece));
    if (options_.special_tokens && last) add_single(token(window, window.piece_end));
  }

  void add_single(std::int32_t token) {
    add_token(token);
    end_row();
  }

  void pooled_row(const Window& window) {
    switch (options_.pooling) {
      case Pooling::cls:
      case Pooling::pooler:
        add_token(0);
        break;
      case Pooling::words:
        for (std::uint32_t w = window.word_begin; w < window.word_end; ++w) {
          add_token(token(window, encoding_.words[w].piece_begin));
        }
        break;
      case Pooling::first:
      case Pooling::mean:
      case Pooling::max:
        for (std::uint32_t piece = window.own_begin; piece < window.own_end; ++piece) {
          add_token(token(window, piece));
        }
        break;
    }
    end_row();
  }

  void set_targets() {
    const bool documents = options_.level == Level::document;
    plan_.targets = static_cast<std::uint32_t>(documents ? encoding_.text_sentences.size() - 1
                                                         : encoding_.sentences.size());
    bool one_to_one = plan_.targets == windows_.size();
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      const std::uint32_t sentence = windows_[w].sentence;
      const std::uint32_t target = documents ? encoding_.sentences[sentence].text : sentence;
      plan_.part_target.push_back(target);
      one_to_one = one_to_one && target == w && plan_.row_splits[w] < plan_.row_splits[w + 1];
    }
    plan_.folded = !one_to_one;
    // A part carries its sum, so that the mean over several windows counts every token once.
    if (plan_.folded && plan_.reduction == Reduction::mean) plan_.reduction = Reduction::sum;
  }

  const Encoding& encoding_;
  const std::vector<Window>& windows_;
  const EmbedOptions& options_;
  RowPlan plan_;
};

}  // namespace

RowPlan plan_rows(const Encoding& encoding, const std::vector<Window>& windows, const EmbedOptions& options) {
  return RowPlanner(encoding, windows, options).plan();
}

void fold_parts(const RowPlan& plan, std::span<const float> parts, std::span<float> final_rows,
                std::size_t hidden) {
  std::fill(final_rows.begin(), final_rows.end(), 0.0F);
  std::vector<std::uint32_t> counts(plan.targets, 0);
  for (std::size_t w = 0; w < plan.part_target.size(); ++w) {
    const std::uint32_t tokens = plan.row_splits[w + 1] - plan.row_splits[w];
    if (tokens == 0) continue;
    const float* part = parts.data() + w * hidden;
    float* out = final_rows.data() + plan.part_target[w] * hidden;
    if (counts[plan.part_target[w]] == 0) {
      std::copy(part, part + hidden, out);
    } else if (plan.reduction == Reduction::max) {
      for (std::size_t d = 0; d < hidden; ++d) out[d] = std::max(out[d], part[d]);
    } else {
      for (std::size_t d = 0; d < hidden; ++d) out[d] += part[d];
    }
    counts[plan.part_target[w]] += tokens;
  }
  if (plan.reduction == Reduction::max) return;
  for (std::size_t target = 0; target < counts.size(); ++target) {
    if (counts[target] <= 1) continue;
    const auto count = static_cast<float>(counts[target]);
    float* out = final_rows.data() + target * hidden;
    for (std::size_t d = 0; d < hidden; ++d) out[d] /= count;
  }
}

}  // namespace albert_fast::encoder
