// Lists that are kept sorted, each element once. For this folder's own .cc files.
#pragma once

#include <algorithm>

namespace margay::policy {

template <class List, class T>
bool contains_sorted(const List& list, const T& value) {
  return std::binary_search(list.begin(), list.end(), value);
}

template <class List, class T>
void insert_sorted(List& list, const T& value) {
  list.insert(std::lower_bound(list.begin(), list.end(), value), value);
}

// It must be there.
template <class List, class T>
void erase_sorted(List& list, const T& value) {
  list.erase(std::lower_bound(list.begin(), list.end(), value));
}

template <class List>
void sort_and_unite(List& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace margay::policy
