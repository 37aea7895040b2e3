#include "ort/tensor.h"

namespace albert_fast::ort {

ValueHandle view_tensor(std::span<const std::byte> bytes, int element_type,
                        std::span<const std::int64_t> shape) {
  const Runtime& runtime = Runtime::get();
  ValueHandle value;
  // The interface has no const; nobody writes into what is only read from.
  runtime.check(runtime.api().CreateTensorWithDataAsOrtValue(
                    runtime.cpu_memory(), const_cast<std::byte*>(bytes.data()), bytes.size(), shape.data(),
                    shape.size(), element_type, value.out()),
                "describing a tensor");
  return value;
}

std::vector<std::int64_t> shape_of(const Value* value) {
  const Runtime& runtime = Runtime::get();
  ShapeHandle info;
  runtime.check(runtime.api().GetTensorTypeAndShape(value, info.out()), "reading a shape");
  std::size_t rank = 0;
  runtime.check(runtime.api().GetDimensionsCount(info.get(), &rank), "reading a shape");
  std::vector<std::int64_t> dims(rank);
  runtime.check(runtime.api().GetDimensions(info.get(), dims.data(), rank), "reading a shape");
  return dims;
}

int element_type_of(const Value* value) {
  const Runtime& runtime = Runtime::get();
  ShapeHandle info;
  runtime.check(runtime.api().GetTensorTypeAndShape(value, info.out()), "reading a type");
  int type = 0;
  runtime.check(runtime.api().GetTensorElementType(info.get(), &type), "reading a type");
  return type;
}

}  // namespace albert_fast::ort
