#include "encoder/kernels/op.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"

namespace albert_fast::encoder {
namespace {

/// Runs `body` in a C callback: no exception may pass through ONNX Runtime.
template <class Body>
ort::Status* guarded(Body body) noexcept {
  constexpr int kFail = 1;
  const ort::Api& api = ort::Runtime::get().api();
  try {
    body();
    return nullptr;
  } catch (const std::exception& error) {
    return api.CreateStatus(kFail, error.what());
  } catch (...) {
    return api.CreateStatus(kFail, "unknown exception in an albert_fast operator");
  }
}

}  // namespace

struct Operator::Node {
  OpAttributes attributes;
  void (*compute)(const OpCall&);
};

const ort::Value* OpCall::raw_input(std::size_t index) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const ort::Value* value = nullptr;
  runtime.check(runtime.api().KernelContext_GetInput(context_, index, &value), "reading an operator's input");
  return value;
}

const void* OpCall::raw_data(const ort::Value* value) {
  const ort::Runtime& runtime = ort::Runtime::get();
  void* data = nullptr;
  runtime.check(runtime.api().GetTensorMutableData(const_cast<ort::Value*>(value), &data),
                "reading an input's data");
  return data;
}

void* OpCall::raw_output(std::size_t index, std::size_t rows, std::size_t columns) const {
  const ort::Runtime& runtime = ort::Runtime::get();
  const std::int64_t shape[] = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
  ort::Value* value = nullptr;
  runtime.check(runtime.api().KernelContext_GetOutput(context_, index, shape, 2, &value),
                "making an operator's output");
  void* data = nullptr;
  runtime.check(runtime.api().GetTensorMutableData(value, &data), "reading an output's data");
  return data;
}

// An exception that left a task would leave ONNX Runtime's threads with work whose caller is gone.
void OpCall::parallel_for(std::size_t count, void (*task)(void*, std::size_t), void* data) const {
  if (count == 1) return task(data, 0);
  struct Work {
    void (*task)(void*, std::size_t);
    void* data;
    std::mutex mutex;
    std::exception_ptr first;
  } work{task, data, {}, nullptr};
  const auto guarded_task = [](void* all, std::size_t i) noexcept {
    auto& w = *static_cast<Work*>(all);
    try {
      w.task(w.data, i);
    } catch (...) {
      const std::lock_guard lock(w.mutex);
      if (w.first == nullptr) w.first = std::current_exception();
    }
  };
  const ort::Runtime& runtime = ort::Runtime::get();
  runtime.check(runtime.api().KernelContext_ParallelFor(context_, guarded_task, count, 0, &work),
                "running an operator");
  if (work.first != nullptr) std::rethrow_exception(work.first);
}

ort::Status* Operator::create(const ort::CustomOp* op, const void*, const ort::KernelInfo* info,
                              void** node) {
  return guarded([&] {
    const Description& d = self(op).description_;
    auto made = std::make_unique<Node>(Node{{}, d.compute});
    const ort::Runtime& runtime = ort::Runtime::get();
    const auto read_integer = [&](const char* name, std::int64_t& to) {
      if (name == nullptr) return;
      runtime.check(runtime.api().KernelInfoGetAttribute_int64(info, name, &to),
                    "reading an operator's attribute");
    };
    read_integer(d.integer_attribute, made->attributes.integer);
    read_integer(d.levels_attribute, made->attributes.levels);
    read_integer(d.block_rows_attribute, made->attributes.block_rows);
    if (d.real_attribute != nullptr) {
      runtime.check(
          runtime.api().KernelInfoGetAttribute_float(info, d.real_attribute, &made->attributes.real),
          "reading an operator's attribute");
    }
    *node = made.release();
  });
}

Operator::Operator(Description description) : ort::CustomOp{}, description_(std::move(description)) {
  const auto zero = [](const ort::CustomOp*, std::size_t) { return 0; };
  const auto one = [](const ort::CustomOp*) { return 1; };
  version = ort::kCustomOpVersion;
  get_name = [](const ort::CustomOp* op) { return self(op).description_.name; };
  get_execution_provider = [](const ort::CustomOp*) { return "CPUExecutionProvider"; };
  get_input_type = [](const ort::CustomOp* op, std::size_t i) { return self(op).description_.inputs[i]; };
  get_input_count = [](const ort::CustomOp* op) { return self(op).description_.inputs.size(); };
  get_output_type = [](const ort::CustomOp* op, std::size_t i) { return self(op).description_.outputs[i]; };
  get_output_count = [](const ort::CustomOp* op) { return self(op).description_.outputs.size(); };
  get_input_characteristic = [](const ort::CustomOp* op, std::size_t i) {
    return static_cast<int>(std::ranges::count(self(op).description_.optional_inputs, i));  // 0: required
  };
  get_output_characteristic = zero;
  get_input_memory_type = zero;  // default memory
  get_variadic_input_min_arity = one;
  get_variadic_input_homogeneity = one;
  get_variadic_output_min_arity = one;
  get_variadic_output_homogeneity = one;
  get_start_version = one;
  get_end_version = [](const ort::CustomOp*) { return 0x7FFFFFFF; };
  create_kernel_v2 = create;
  compute_v2 = [](void* node, ort::KernelContext* context) {
    const auto& n = *static_cast<const Node*>(node);
    return guarded([&] { n.compute(OpCall(context, n.attributes)); });
  };
  destroy = [](void* node) { delete static_cast<Node*>(node); };
  if (description_.in_place) {
    get_may_inplace = [](int** input, int** output) -> std::size_t {
      static int first = 0;
      *input = *output = &first;
      return 1;
    };
    release_may_inplace = [](int*, int*) {};
  }
}

}  // namespace albert_fast::encoder
