// One field list for each struct of the model, read by two archives: Reader fills the struct from JSON, Writer puts it
// back. For this folder's own .cc files.
//
//   template <class Archive, Is<model::IpPoolSpec> S>
//   void fields(Archive& a, S& s) {
//     a.required("cidr", prefixes(s.cidr, PrefixForm::kExact));
//     a.field("blockSize", s.block_size);
//   }
//
// Reader: an absent or null member leaves the struct's default; a wrong one is a FieldError with its path, and reading
// goes on: all errors at once. Writer merges: members it has no field for stay, a value that says the same in other
// words
// ("60s" for "1m0s") stays as written, members that would say nothing are left out or removed.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "datastore/codec/containers.h"
#include "datastore/codec/input.h"
#include "datastore/codec/lists.h"
#include "datastore/codec/scalars.h"

namespace margay::codec {

// A struct, const or not: one template serves both archives.
template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

// The members of one JSON object. Look-up begins behind the member found last: lists of fields and objects are mostly
// in the same order.
class MemberList {
 public:
  explicit MemberList(json::View object);
  [[nodiscard]] json::View find(std::string_view name);

 private:
  struct Entry {
    std::string_view name;
    json::View value;
  };
  static constexpr std::size_t kInline = 24;
  [[nodiscard]] const Entry& at(std::size_t index) const {
    return index < kInline ? inline_[index] : more_[index - kInline];
  }
  Entry inline_[kInline];
  std::vector<Entry> more_;
  std::size_t size_ = 0;
  std::size_t next_ = 0;
};

template <class T>
inline constexpr bool kIsObject = Struct<T>;

class Reader {
 public:
  static constexpr bool kReads = true;

  // An error if it is no object.
  explicit Reader(const Input& object);

  template <class T>
  void field(std::string_view name, T&& value) {
    const json::View found = members_.find(name);
    if (!found.is_given()) return;
    const Place place{input_.place, Place::Step::kMember, name, 0};
    read(Input{.view = found, .place = &place, .errors = input_.errors, .pool = input_.pool}, value);
  }
  // An error if it is absent.
  template <class T>
  void required(std::string_view name, T&& value) {
    const json::View found = members_.find(name);
    const Place place{input_.place, Place::Step::kMember, name, 0};
    const Input member{.view = found, .place = &place, .errors = input_.errors, .pool = input_.pool};
    if (found.is_given()) return read(member, value);
    if (is_object_) member.error(FieldError::Kind::kRequired, "is required");
  }

 private:
  Input input_;
  bool is_object_;
  MemberList members_;
};

class Writer {
 public:
  static constexpr bool kReads = false;

  explicit Writer(json::Object& object) : object_(object) {}

  template <class T>
  void field(std::string_view name, const T& value) {
    json::Value* present = object_.find(name);
    if (present != nullptr) {
      if (!says_nothing(value)) return write(Output{*present}, value);
      if (!is_absence_of(*present, value)) erase_or_zero(name, *present, value);
      return;
    }
    if (says_nothing(value)) return;
    json::Value fresh;
    write(Output{fresh}, value);
    const bool is_empty = kIsObject<T> && fresh.as_object() != nullptr && fresh.as_object()->empty();
    if (!is_empty) object_[name] = std::move(fresh);
  }
  // Written even if it says nothing.
  template <class T>
  void required(std::string_view name, const T& value) {
    write(Output{object_[name]}, value);
  }

 private:
  template <class T>
  void erase_or_zero(std::string_view name, json::Value& present, const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, Port>) {
      write(Output{present}, value);
    } else {
      object_.erase(name);
    }
  }

  json::Object& object_;
};

template <Struct T>
void read(const Input& input, T& value) {
  Reader reader(input);
  fields(reader, value);
}

template <Struct T>
void write(Output to, const T& value) {
  if (to.value.as_object() == nullptr) to.value = json::Value(json::Object());
  Writer writer(*to.value.as_object());
  fields(writer, value);
}

}  // namespace margay::codec
