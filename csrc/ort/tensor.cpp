#include "ort/tensor.h"

namespace albert_fast::ort {

ValueHandle view_tensor(const MemoryInfo* place, void* data, std::size_t size_bytes, int element_type,
                        std::span<const std::int64_t> shape) {
  const Runtime& runtime = Runtime::get();
  ValueHandle value;
  runtime.check(runtime.api().CreateTensorWithDataAsOrtValue(place, data, size_bytes, shape.data(),
                                                             shape.size(), element_type, value.out()),
                "describing a tensor");
  return value;
}

ValueHandle view_tensor(std::span<const std::byte> bytes, int element_type,
                        std::span<const std::int64_t> shape) {
  // The interface has no const; nobody writes into what is only read from.
  return view_tensor(Runtime::get().cpu_memory(), const_cast<std::byte*>(bytes.data()), bytes.size(),
                     element_type, shape);
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
