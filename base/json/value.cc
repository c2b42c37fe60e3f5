#include "base/json/value.h"

#include <algorithm>
#include <cmath>

#include "base/core/check.h"

namespace margay::json {
namespace {

// Exact: no rounding of the integer, so that 2^53 + 1 does not equal 2^53 as a double.
bool equals(std::int64_t integer, double number) {
  if (!(number >= -0x1p63 && number < 0x1p63)) return false;
  return std::trunc(number) == number && static_cast<std::int64_t>(number) == integer;
}

template <class Members>
auto find_member(Members& members, std::string_view name) -> decltype(&members.front().value) {
  for (auto& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

}  // namespace

Object::Object(std::initializer_list<Member> members) {
  members_.reserve(members.size());
  for (const Member& member : members) (*this)[member.name] = member.value;
}

const Value* Object::find(std::string_view name) const { return find_member(members_, name); }

Value* Object::find(std::string_view name) { return find_member(members_, name); }

Value& Object::operator[](std::string_view name) {
  if (Value* found = find(name)) return *found;
  return append_new(std::string(name), {});
}

Value& Object::append_new(std::string name, Value value) {
  return members_.emplace_back(Member{std::move(name), std::move(value)}).value;
}

bool Object::erase(std::string_view name) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
  if (found == members_.end()) return false;
  members_.erase(found);
  return true;
}

bool operator==(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  // Most often both are in the same order.
  std::size_t at = 0;
  while (at < a.size() && a.members_[at].name == b.members_[at].name) {
    if (!(a.members_[at].value == b.members_[at].value)) return false;
    ++at;
  }
  const auto rest_by_name = [at](const Object& object) {
    std::vector<const Member*> members;
    for (std::size_t i = at; i < object.size(); ++i) members.push_back(&object.members_[i]);
    std::sort(members.begin(), members.end(), [](const Member* x, const Member* y) { return x->name < y->name; });
    return members;
  };
  if (at == a.size()) return true;
  const std::vector<const Member*> mine = rest_by_name(a);
  const std::vector<const Member*> others = rest_by_name(b);
  return std::equal(mine.begin(), mine.end(), others.begin(),
                    [](const Member* x, const Member* y) { return x->name == y->name && x->value == y->value; });
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kNull: return "null";
    case Type::kBool: return "boolean";
    case Type::kInteger: return "integer";
    case Type::kDouble: return "number";
    case Type::kString: return "string";
    case Type::kArray: return "array";
    case Type::kObject: return "object";
  }
  MARGAY_CHECK(!"json::Type out of range");
}

const Value* Value::find_member(std::string_view name) const {
  const Object* object = as_object();
  return object == nullptr ? nullptr : object->find(name);
}

const Value* Value::find(std::initializer_list<std::string_view> path) const {
  const Value* at = this;
  for (const std::string_view name : path) {
    at = at->find(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Value* Value::find(std::initializer_list<std::string_view> path) {
  return const_cast<Value*>(std::as_const(*this).find(path));
}

std::string_view Value::string_at(std::initializer_list<std::string_view> path) const {
  const Value* found = find(path);
  const std::string* text = found == nullptr ? nullptr : found->as_string();
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

const Array& Value::array_at(std::initializer_list<std::string_view> path) const {
  static const Array kNone;
  const Value* const found = find(path);
  const Array* const array = found == nullptr ? nullptr : found->as_array();
  return array == nullptr ? kNone : *array;
}

Value& Value::operator[](std::string_view name) { return make_object()[name]; }

Object& Value::make_object() {
  if (is_null()) data_.emplace<Object>();
  Object* object = as_object();
  MARGAY_CHECK(object != nullptr);
  return *object;
}

Array& Value::make_array() {
  if (is_null()) data_.emplace<Array>();
  Array* array = as_array();
  MARGAY_CHECK(array != nullptr);
  return *array;
}

bool operator==(const Value& a, const Value& b) {
  if (a.type() == b.type()) return a.data_ == b.data_;
  if (a.as_integer() != nullptr && b.as_double() != nullptr) return equals(*a.as_integer(), *b.as_double());
  if (a.as_double() != nullptr && b.as_integer() != nullptr) return equals(*b.as_integer(), *a.as_double());
  return false;
}

}  // namespace margay::json
