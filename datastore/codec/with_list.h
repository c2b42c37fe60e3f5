// Structs whose list of fields depends on where they stand, for the .cc files with field lists.
#pragma once

#include <utility>

#include "datastore/codec/archive.h"

namespace margay::codec {

// A struct read and written by another list than its own fields(): list(archive, struct).
template <class T, class List>
class WithList {
 public:
  WithList(T& value, List list) : value_(value), list_(list) {}
  template <class Archive>
  void run(Archive& a) const {
    list_(a, value_);
  }

 private:
  T& value_;
  List list_;
};
template <class T, class List>
WithList<T, List> with_list(T& value, List list) {
  return {value, list};
}
template <class T, class List>
inline constexpr bool kIsObject<WithList<T, List>> = true;

template <class T, class List>
void read(const Input& input, const WithList<T, List>& object) {
  Reader reader(input);
  object.run(reader);
}

template <class T, class List>
void write(Output to, const WithList<T, List>& object) {
  if (to.value.as_object() == nullptr) to.value = json::Value(json::Object());
  Writer writer(*to.value.as_object());
  object.run(writer);
}

// A list of such structs.
template <class T, class List>
class WithElementList {
 public:
  WithElementList(T& value, List list) : value_(value), list_(list) {}
  [[nodiscard]] T& value() const { return value_; }
  [[nodiscard]] List list() const { return list_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  T& value_;
  List list_;
};
template <class T, class List>
WithElementList<T, List> with_element_list(T& value, List list) {
  return {value, list};
}

template <class T, class List>
void read(const Input& input, const WithElementList<T, List>& elements) {
  read_elements(input, elements.value(), [&elements](const Input& at, T& all) {
    all.emplace_back();
    read(at, with_list(all.back(), elements.list()));
  });
}
template <class T, class List>
void write(Output to, const WithElementList<T, List>& elements) {
  write_elements(to, elements.value(), kObjectWindow,
                 [&elements](Output at, const auto& element) { write(at, with_list(element, elements.list())); });
}

}  // namespace margay::codec
