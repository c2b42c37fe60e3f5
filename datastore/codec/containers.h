// Reading and writing of optionals and maps, for archive.h; lists are in lists.h.
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/scalars.h"

namespace margay::codec {

// What has a field list: the aggregates of the model that are not one word of text.
template <class T>
concept Struct = std::is_class_v<T> && std::is_aggregate_v<T> && !Textual<T>;

// Values that always say something are made by their parse().
template <class T>
concept ReadAsOptional = Textual<T> || std::same_as<T, IpPrefix>;

template <Struct T>
void read(const Input& input, T& value);
template <Struct T>
void write(Output to, const T& value);

// With an error for "", which read() takes for none.
template <ReadAsOptional T>
void read_given(const Input& input, std::optional<T>& value) {
  const std::size_t errors = input.errors->size();
  read(input, value);
  if (!value && input.errors->size() == errors) input.error(FieldError::Kind::kRequired, "must not be empty");
}

template <ReadAsOptional T>
void read(const Input& input, T& value) {
  std::optional<T> found;
  read_given(input, found);
  if (found) value = *std::move(found);
}

// Prefixes that may be written in another form than PrefixForm::kAnyOrAddress: an IpPrefix, an optional or a list.
template <class T>
class Prefixes {
 public:
  Prefixes(T& value, PrefixForm form) : value_(value), form_(form) {}
  [[nodiscard]] T& value() const { return value_; }
  [[nodiscard]] PrefixForm form() const { return form_; }

 private:
  T& value_;
  PrefixForm form_;
};
template <class T>
Prefixes<T> prefixes(T& value, PrefixForm form) {
  return {value, form};
}

template <class T>
void read(const Input& input, const Prefixes<T>& prefixes) {
  Input formed = input;
  formed.prefix_form = prefixes.form();
  read(formed, prefixes.value());
}
template <class T>
void write(Output to, const Prefixes<T>& prefixes) {
  write(to, prefixes.value());
}

template <class T>
requires(!ReadAsOptional<T>) void read(const Input& input, std::optional<T>& value) {
  if constexpr (std::is_enum_v<T>) {
    if (input.view.string() == "") return;  // what Go programs write for none
  }
  const std::size_t errors = input.errors->size();
  T found{};
  read(input, found);
  if (Struct<T> || input.errors->size() == errors) value = std::move(found);
}
template <class T>
void write(Output to, const std::optional<T>& value) {
  write(to, *value);
}

// Keys of maps: text, or integers as text.
inline std::optional<std::string> key_of(std::string_view text, std::string*) { return std::string(text); }
inline std::optional<std::int32_t> key_of(std::string_view text, std::int32_t*) {
  return parse_number<std::int32_t>(text);
}
inline std::string text_of_key(const std::string& key) { return key; }
inline std::string text_of_key(std::int32_t key) { return concat(key); }

template <class K, class T, class Less>
void read(const Input& input, std::map<K, T, Less>& value) {
  if (input.view.type() != json::Type::kObject) return input.wrong_type("an object");
  for (const auto& [name, member] : input.view.members()) {
    const Place place{input.place, Place::Step::kKey, name, 0};
    const Input at{member, &place, input.errors};
    const std::optional<K> key = key_of(name, static_cast<K*>(nullptr));
    if (key) {
      read(at, value[*key]);
    } else {
      at.error(FieldError::Kind::kInvalid, concat("the key ", quoted(name), " is not an integer"));
    }
  }
}
template <class K, class T, class Less>
void write(Output to, const std::map<K, T, Less>& value) {
  json::Object after;
  for (const auto& [key, element] : value) write(Output{after[text_of_key(key)]}, element);
  to.value = json::Value(std::move(after));
}

// Whether an absent member stands for `value`.
template <class T>
bool says_nothing(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, Port>) {
    return value == T{};
  } else if constexpr (requires { value.has_value(); }) {
    return !value.has_value();
  } else if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else {
    return false;
  }
}
template <class T>
bool says_nothing(const Prefixes<T>& prefixes) {
  return says_nothing(prefixes.value());
}

bool is_empty_container(const json::Value& value);  // [], {}
bool is_null_or_empty_text(const json::Value& value);

// Whether `present` already stands for a `value` that says nothing.
template <class T>
bool is_absence_of(const json::Value& present, const T& value) {
  if (is_null_or_empty_text(present)) return true;
  if constexpr (requires { value.empty(); }) return is_empty_container(present);
  return false;
}
template <class T>
bool is_absence_of(const json::Value& present, const Prefixes<T>& prefixes) {
  return is_absence_of(present, prefixes.value());
}

}  // namespace margay::codec
