// Growth of vectors that stand for all pods of a cluster: by an eighth, as half of such a vector may be spare room when
// it doubles.
#pragma once

#include <cstddef>
#include <vector>

namespace margay::policy {

template <class T>
void grow_to(std::vector<T>& list, std::size_t size) {
  if (size <= list.size()) return;
  if (size > list.capacity()) list.reserve(size + size / 8);
  list.resize(size);
}

}  // namespace margay::policy
