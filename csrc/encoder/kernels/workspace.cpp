#include "encoder/kernels/workspace.h"

namespace albert_fast::encoder {

template <class T>
Workspace<T>::~Workspace() = default;

template <class T>
T* Workspace<T>::numbers(std::size_t count) {
  if (memory_.size() < count) memory_ = AlignedBuffer<T>(count);
  return memory_.data();
}

template class Workspace<float>;
template class Workspace<std::int32_t>;

}  // namespace albert_fast::encoder
