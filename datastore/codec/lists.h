// Reading and writing of lists, for archive.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "datastore/codec/containers.h"

namespace margay::codec {

// read_one(input, element)
template <class T, class ReadOne>
void read_elements(const Input& input, std::vector<T>& value, ReadOne read_one) {
  if (input.view.type() != json::Type::kArray) return input.wrong_type("a list");
  std::size_t index = 0;
  for (const json::View element : input.view.elements()) {
    const Place place{input.place, Place::Step::kElement, {}, index++};
    read_one(Input{element, &place, input.errors, input.prefix_form, input.pool}, value);
  }
}

// True when writing `value` over `present` changes nothing.
template <class T, class WriteOne>
bool agrees(const json::Value& present, const T& value, WriteOne write_one) {
  json::Value copy = present;
  write_one(Output{copy}, value);
  return copy == present;
}

// Elements of lists have no names. An element that is unchanged keeps what we do not know of it, wherever in the list
// it has moved to within `window`; a changed one only where the list is as long as before, from the element in its
// place.
template <class T, class WriteOne>
void write_elements(Output to, const std::vector<T>& value, std::size_t window, WriteOne write_one) {
  json::Array before = to.value.as_array() == nullptr ? json::Array() : std::move(*to.value.as_array());
  json::Array after;
  after.reserve(value.size());
  std::size_t next = 0;  // of `before`: all that come earlier are used or gone
  for (const T& element : value) {
    std::size_t found = next;
    const std::size_t end = std::min(before.size(), next + window);
    while (found < end && !agrees(before[found], element, write_one)) ++found;
    if (found < end) {
      after.push_back(std::move(before[found]));
      next = found + 1;
      continue;
    }
    const bool is_in_place = before.size() == value.size() && next == after.size();
    after.push_back(is_in_place ? std::move(before[next++]) : json::Value());
    write_one(Output{after.back()}, element);
  }
  to.value = json::Value(std::move(after));
}

inline constexpr std::size_t kObjectWindow = 32;
inline constexpr std::size_t kScalarWindow = 1;

template <class T>
void read(const Input& input, std::vector<T>& value) {
  read_elements(input, value, [](const Input& at, std::vector<T>& all) {
    if constexpr (ReadAsOptional<T>) {
      std::optional<T> found;
      read_given(at, found);
      if (found) all.push_back(*std::move(found));
    } else {
      all.emplace_back();
      read(at, all.back());
    }
  });
}
template <class T>
void write(Output to, const std::vector<T>& value) {
  write_elements(to, value, Struct<T> ? kObjectWindow : kScalarWindow,
                 [](Output at, const T& element) { write(at, element); });
}

// Null stands for none: see IPAMBlock's allocations.
template <class T>
void read(const Input& input, std::vector<std::optional<T>>& value) {
  read_elements(input, value, [](const Input& at, std::vector<std::optional<T>>& all) {
    all.emplace_back();
    if (at.view.is_given()) read(at, all.back());
  });
}
template <class T>
void write(Output to, const std::vector<std::optional<T>>& value) {
  json::Array after;
  for (const std::optional<T>& element : value) {
    after.emplace_back();
    if (element) write(Output{after.back()}, *element);
  }
  to.value = json::Value(std::move(after));
}

}  // namespace margay::codec
