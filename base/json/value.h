// Value: a JSON document that can be read and changed (RFC 8259). Objects keep the order of their members, so that what
// a user wrote is shown back in the order it was written.
//
// For reading many documents fast, see view.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/result.h"

namespace margay::json {

class Value;
struct Member;

// Members in order; at most one of a name. Look-up is linear: objects are small.
class Object {
 public:
  // Defined below, where Member is known: clang asks for that.
  Object();
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();
  Object(std::initializer_list<Member> members);

  [[nodiscard]] const Value* find(std::string_view name) const;
  Value* find(std::string_view name);
  // The member of that name, made (null, at the end) if it is not there.
  Value& operator[](std::string_view name);
  // Appends without looking for an equal name: for parsers, which have looked already.
  Value& append_new(std::string name, Value value);
  bool erase(std::string_view name);  // true if it was there

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t size() const;
  std::vector<Member>::iterator begin();
  std::vector<Member>::iterator end();
  [[nodiscard]] std::vector<Member>::const_iterator begin() const;
  [[nodiscard]] std::vector<Member>::const_iterator end() const;

  // Equal members in any order.
  friend bool operator==(const Object& a, const Object& b);

 private:
  std::vector<Member> members_;
};

using Array = std::vector<Value>;

enum class Type { kNull, kBool, kInteger, kDouble, kString, kArray, kObject };
// "null", "boolean", "integer", "number", "string", "array", "object": the words of OpenAPI.
std::string_view to_string(Type type);

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}

  [[nodiscard]] Type type() const { return static_cast<Type>(data_.index()); }
  [[nodiscard]] bool is_null() const { return type() == Type::kNull; }

  // The alternative, or nullptr when it is another.
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const double* as_double() const { return std::get_if<double>(&data_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const Array* as_array() const { return std::get_if<Array>(&data_); }
  [[nodiscard]] const Object* as_object() const { return std::get_if<Object>(&data_); }
  std::string* as_string() { return std::get_if<std::string>(&data_); }
  Array* as_array() { return std::get_if<Array>(&data_); }
  Object* as_object() { return std::get_if<Object>(&data_); }

  // The member of that name, or nullptr when there is none or this is no object. find({"metadata", "name"}) goes
  // deeper.
  // (Templates, as {"a", "b"} would also make a string_view of two pointers.)
  template <std::convertible_to<std::string_view> Name>
  [[nodiscard]] const Value* find(const Name& name) const {
    return find_member(name);
  }
  template <std::convertible_to<std::string_view> Name>
  Value* find(const Name& name) {
    return const_cast<Value*>(find_member(name));
  }
  [[nodiscard]] const Value* find(std::initializer_list<std::string_view> path) const;
  Value* find(std::initializer_list<std::string_view> path);
  // The string there, or "" when there is none.
  [[nodiscard]] std::string_view string_at(std::initializer_list<std::string_view> path) const;
  // The array there, or an empty one when there is none.
  [[nodiscard]] const Array& array_at(std::initializer_list<std::string_view> path) const;
  // Makes this an object if it is null; MARGAY_CHECKs that it is one.
  Value& operator[](std::string_view name);
  // Becomes / must be an object or array, made from null.
  Object& make_object();
  Array& make_array();

  // Integers and doubles of the same value are equal.
  friend bool operator==(const Value& a, const Value& b);

 private:
  [[nodiscard]] const Value* find_member(std::string_view name) const;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

struct Member {
  std::string name;
  Value value;
};

inline Object::Object() = default;
inline Object::Object(const Object&) = default;
inline Object::Object(Object&&) noexcept = default;
inline Object& Object::operator=(const Object&) = default;
inline Object& Object::operator=(Object&&) noexcept = default;
inline Object::~Object() = default;
inline bool Object::empty() const { return members_.empty(); }
inline std::size_t Object::size() const { return members_.size(); }
inline std::vector<Member>::iterator Object::begin() { return members_.begin(); }
inline std::vector<Member>::iterator Object::end() { return members_.end(); }
inline std::vector<Member>::const_iterator Object::begin() const { return members_.begin(); }
inline std::vector<Member>::const_iterator Object::end() const { return members_.end(); }

struct ParseLimits {
  std::size_t bytes_max = 16 * 1024 * 1024;
  std::size_t depth_max = 100;
};

// A whole document. The error names line and column, what was found and what was expected; a duplicate member name is
// an error. Integers outside int64 become doubles, as in other implementations.
Result<Value> parse(std::string_view text, const ParseLimits& limits = {});

// Compact, in member order; doubles in shortest form that reads back the same, without ".0" when integral.
std::string dump(const Value& value);
void dump_to(std::string& out, const Value& value);
// Indented by two spaces, with a newline at the end.
std::string dump_pretty(const Value& value);
// `text` with its quotes and escapes.
void append_quoted(std::string& out, std::string_view text);

}  // namespace margay::json
