#include "encoder/model.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <array>

#include "base/error.h"
#include "encoder/graph.h"
#include "encoder/kept_tokens.h"
#include "encoder/kernels/gather.h"
#include "ort/external_files.h"
#include "ort/tensor.h"

namespace albert_fast::encoder {
namespace {

// So many rows of the widest product (3072 sums in ALBERT base) and what is made of them are near a core, and
// the product is as fast as with many more. Of 48, 96, 192 and all rows this was the fastest on Zen 4.
constexpr int kBlockRows = 96;

}  // namespace

PackedModel::PackedModel(TensorStore store, const Geometry& g, Precision precision)
    : Model(g), precision_{.precision = precision}, weights_(std::move(store), g) {
  const auto drop = [this](const std::vector<std::string>& names) {
    for (const std::string& name : names) weights_.drop(name);
  };
  std::vector<std::string> of_floats = layer_matrices(g);
  if (precision == Precision::int8) {
    const QuantizedProducts products = find_quantized_products();
    precision_.levels = products.range.byte;
    quantized_.emplace(weights_, g, products);
    drop(of_floats);
    of_floats.clear();
  }
  of_floats.push_back(std::string(kFirstProduct) + "weight");
  if (kernels().product != nullptr) {
    panels_.emplace(weights_, of_floats, kernels().panel_columns);
    drop(of_floats);
  }
  weights_.leave_files();
  constants_ = weights_.constants();
  if (quantized_) quantized_->add_to(constants_);
  if (panels_) panels_->add_to(constants_);
  for (const auto& [name, constant] : constants_) {
    tensors_.emplace(name, ort::view_tensor(constant.bytes, constant.element_type, constant.shape));
  }
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().CreatePrepackedWeightsContainer(prepacked_.out()),
                "creating the weight container");
}

void Model::require_same_process() const {
  if (generation_ == ort::fork_generation()) return;
  fail(ErrorCode::forked,
       "this model was loaded before the process forked, and ONNX Runtime's threads do not exist in the "
       "child. "
       "Load the model in the child, or start children with the 'spawn' or 'forkserver' method");
}

SharedSession Model::session(const OutputChoice& choice, int threads) const {
  constexpr std::size_t kMostSessions = 8;
  require_same_process();
  const std::lock_guard lock(mutex_);
  const auto wanted = [&](const CachedSession& s) { return s.threads == threads && s.choice == choice; };
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), wanted);
  if (found != sessions_.end()) {
    std::rotate(found, found + 1, sessions_.end());  // the one used last stands last
    return sessions_.back().handle;
  }
  if (sessions_.size() == kMostSessions) sessions_.erase(sessions_.begin());
  sessions_.push_back({choice, threads, make_session(choice, threads)});
  session_made();
  return sessions_.back().handle;
}

void set_session_options(const ort::SessionOptionsHandle& options, int threads) {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Api& api = runtime.api();
  const char* doing = "preparing a session";
  runtime.check(api.SetSessionExecutionMode(options.get(), ort::kSequential), doing);
  runtime.check(api.SetSessionGraphOptimizationLevel(options.get(), ort::kOptimizeBasic), doing);
  runtime.check(api.SetSessionLogSeverityLevel(options.get(), ort::kLogError), doing);
  runtime.check(api.SetIntraOpNumThreads(options.get(), threads), doing);
  runtime.check(api.SetInterOpNumThreads(options.get(), 1), doing);
  runtime.check(api.DisableMemPattern(options.get()), doing);  // shapes are free, patterns would pile up
  // Spin inside a run, sleep between runs: idle models must not burn the processor.
  runtime.check(api.AddSessionConfigEntry(options.get(), "session.force_spinning_stop", "1"), doing);
}

void PackedModel::session_made() const {
#if defined(__GLIBC__)
  malloc_trim(0);  // glibc keeps the buffers of the packing otherwise
#endif
}

SharedSession PackedModel::make_session(const OutputChoice& choice, int threads) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Api& api = runtime.api();
  ort::SessionOptionsHandle options;
  const char* doing = "preparing a session";
  runtime.check(api.CreateSessionOptions(options.out()), doing);
  set_session_options(options, threads);
  runtime.check(api.AddCustomOpDomain(options.get(), runtime.custom_ops()), doing);
  GraphPrecision precision = precision_;
  precision.block_rows = std::int64_t{kBlockRows} * threads;
  const Graph graph = write_graph(geometry(), constants_, precision, choice);
  ort::ExternalFiles files;
  for (const std::string& name : graph.constants) {
    runtime.check(api.AddInitializer(options.get(), name.c_str(), tensors_.at(name).get()), doing);
    files.add(name, constants_.at(name).bytes);
  }
  files.give_to(options);
  ort::SessionHandle session;
  runtime.check(api.CreateSessionFromArrayWithPrepackedWeightsContainer(runtime.env(), graph.onnx.data(),
                                                                        graph.onnx.size(), options.get(),
                                                                        prepacked_.get(), session.out()),
                "creating a session");
  return std::make_shared<const ort::SessionHandle>(std::move(session));
}

bool PackedModel::run(ort::Session* session, const ort::RunOptionsHandle& options, const OutputChoice& choice,
                      const PackedBatch& batch, const Destination& out) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const auto length = [](auto span) { return static_cast<std::int64_t>(span.size()); };
  const KeptTokens kept(batch);
  const std::int64_t packed[] = {1, length(batch.input_ids)};
  const std::int64_t rows[] = {length(batch.row_splits) - 1, geometry().hidden_size};
  const auto list = [&](std::span<const std::int32_t> numbers) {
    return ort::view_tensor(numbers, std::array{length(numbers)});
  };
  const ort::ValueHandle inputs[] = {ort::view_tensor(batch.input_ids, packed),
                                     ort::view_tensor(batch.position_ids, packed),
                                     list(batch.cu_seqlens),
                                     list(kept.tokens),
                                     list(kept.cu_kept),
                                     list(batch.row_splits),
                                     list(kept.row_places),
                                     list({&batch.reduction, 1})};
  const ort::ValueHandle output = ort::view_tensor(out.rows, rows);
  const ort::Value* values[std::size(inputs)];
  std::transform(std::begin(inputs), std::end(inputs), values,
                 [](const auto& handle) { return handle.get(); });
  ort::Value* result = output.get();
  runtime.check(runtime.api().Run(session, options.get(), kGraphInputs, values, std::size(inputs),
                                  &kGraphOutput, 1, &result),
                "running the model");
  // With the pooler the gathered rows are an intermediate result by design.
  return choice.pooler || last_gather_destination() == out.rows.data();
}

}  // namespace albert_fast::encoder
