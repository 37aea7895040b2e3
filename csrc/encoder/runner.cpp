#include "encoder/runner.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "ort/run_gate.h"

namespace albert_fast::encoder {
namespace {

// More rows than this per product gain nothing (MLAS is at its peak near 256), fewer keep activations in the
// cache.
constexpr double kMaxTokens = 512;
// One product of a micro-batch stays near a tenth of a second on one core, so that Ctrl-C is heard between
// two.
constexpr double kMaxProductFlops = 1.5e10;
// Below this much work a call runs on the calling thread: it ends before anybody could press Ctrl-C.
constexpr double kInlineFlops = 1e10;
// A smaller share per worker costs more in short products than the second core brings.
constexpr std::uint64_t kMinShare = 96;

/// How many micro-batches of nearly equal size the processor computes `tokens` in.
std::uint32_t batch_count(const Geometry& geometry, std::uint64_t tokens, int threads) {
  const double per_token =
      2.0 * static_cast<double>(geometry.hidden_size) *
      static_cast<double>(std::max(geometry.intermediate_size, 3 * geometry.hidden_size));
  const double most = std::clamp(kMaxProductFlops / per_token, 64.0, kMaxTokens);
  const auto workers = static_cast<std::uint64_t>(threads);
  const auto count = static_cast<std::uint64_t>(std::ceil(static_cast<double>(tokens) / most));
  if (count < workers) {  // more than needed, as long as each is worth a worker
    return static_cast<std::uint32_t>(std::max(count, std::min(tokens / kMinShare, workers)));
  }
  return static_cast<std::uint32_t>((count + workers - 1) / workers *
                                    workers);  // no worker waits for another
}

class Run {
 public:
  Run(const RunPlan& plan, const Destination& out, columns::EmbeddingStats& stats)
      : plan_(plan),
        out_(out),
        stats_(stats),
        hidden_(static_cast<std::size_t>(plan.model.geometry().hidden_size)) {}

  void all(const std::function<bool()>& keep_going) {
    for (std::uint32_t w = 0; w < plan_.windows.size(); ++w) {
      if (plan_.source[w] == w) stats_.tokens += plan_.windows[w].tokens();
    }
    const Geometry& geometry = plan_.model.geometry();
    const std::optional<Pace> pace = plan_.model.pace();
    const int threads = pace ? std::min(pace->workers, plan_.threads) : plan_.threads;
    batches_ = pace ? cut_batches(plan_.windows, plan_.source, pace->most_tokens, pace->most_places)
                    : cut_evenly(plan_.windows, plan_.source, stats_.tokens,
                                 batch_count(geometry, stats_.tokens, plan_.threads));
    stats_.batches = batches_.size();
    if (batches_.empty()) return;
    // A lone micro-batch uses all cores inside its products; many use one core each, without barriers, and so
    // do the calls of many threads.
    const Model::Call call = plan_.model.begin_call();
    const bool alone = batches_.size() == 1;
    const bool crowded = 2 * (call.beside() + 1) > threads;
    const std::size_t workers = alone ? 1 : std::min(static_cast<std::size_t>(threads), batches_.size());
    session_ = plan_.model.session(plan_.choice, alone && !crowded && !pace ? threads : 1);
    make_workers(workers);
    const std::int64_t depth = *std::max_element(plan_.choice.layers.begin(), plan_.choice.layers.end());
    const double flops = 2.0 * static_cast<double>(stats_.tokens) * geometry.multiply_adds_per_token(depth);
    if (workers == 1 && flops < (pace ? pace->inline_flops : kInlineFlops)) {
      for (std::size_t i = 0; i < batches_.size(); ++i) one(0, i);
    } else if (!run_parallel(
                   batches_.size(), workers, [this](std::size_t w, std::size_t i) { one(w, i); }, keep_going,
                   [this] { terminate(); })) {
      fail(ErrorCode::cancelled, "interrupted");
    }
    stats_.copies += copies_.load();
    copy_repeats();
  }

 private:
  struct Worker {
    Packer packer;
    ort::RunOptionsHandle options;
  };

  void make_workers(std::size_t count) {
    const ort::Runtime& runtime = ort::Runtime::get();
    for (std::size_t i = 0; i < count; ++i) {
      workers_.push_back(
          {Packer(plan_.encoding, plan_.windows, plan_.rows, plan_.special), ort::RunOptionsHandle()});
      runtime.check(runtime.api().CreateRunOptions(workers_.back().options.out()), "preparing a run");
    }
  }

  void one(std::size_t worker, std::size_t index) {
    const MicroBatch& batch = batches_[index];
    const std::size_t first = plan_.rows.window_rows[batch.window_begin];
    const std::size_t last = plan_.rows.window_rows[batch.window_end];
    if (first == last) return;
    const PackedBatch packed = workers_[worker].packer.pack(batch, plan_.source);
    const Destination rows = out_.part(first * hidden_, (last - first) * hidden_);
    if (!plan_.model.run(session_->get(), workers_[worker].options, plan_.choice, packed, rows)) {
      copies_.fetch_add(1);
    }
  }

  void terminate() {
    const ort::Runtime& runtime = ort::Runtime::get();
    for (const Worker& worker : workers_) {
      runtime.check(runtime.api().RunOptionsSetTerminate(worker.options.get()), "ending a run");
    }
  }

  void copy_repeats() {
    const auto rows_of = [&](std::uint32_t window) {
      const std::size_t first = plan_.rows.window_rows[window];
      return out_.part(first * hidden_, (plan_.rows.window_rows[window + 1] - first) * hidden_).rows;
    };
    std::vector<DeviceMemory::Copy> on_device;
    for (std::uint32_t w = 0; w < plan_.windows.size(); ++w) {
      const std::uint32_t from = plan_.source[w];
      if (from == w) continue;
      const std::span<const float> computed = rows_of(from);
      if (out_.on_device) {
        on_device.push_back({computed, rows_of(w).data()});
      } else {
        std::copy(computed.begin(), computed.end(), rows_of(w).begin());
      }
      ++stats_.reused;
    }
    if (!on_device.empty()) plan_.model.device_memory()->copy(on_device);
  }

  const RunPlan& plan_;
  Destination out_;
  columns::EmbeddingStats& stats_;
  std::size_t hidden_;
  SharedSession session_;
  std::vector<MicroBatch> batches_;
  std::vector<Worker> workers_;
  std::atomic<std::uint64_t> copies_{0};
};

}  // namespace

void run_windows(const RunPlan& plan, const Destination& out, const std::function<bool()>& keep_going,
                 columns::EmbeddingStats& stats) {
  const ort::RunGate gate;
  Run(plan, out, stats).all([&] { return !ort::RunGate::is_closed() && keep_going(); });
}

}  // namespace albert_fast::encoder
