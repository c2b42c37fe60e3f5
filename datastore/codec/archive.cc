#include "datastore/codec/archive.h"

namespace margay::codec {

bool is_empty_container(const json::Value& value) {
  if (const json::Array* array = value.as_array()) return array->empty();
  if (const json::Object* object = value.as_object()) return object->empty();
  return false;
}

bool is_null_or_empty_text(const json::Value& value) {
  return value.is_null() || (value.as_string() != nullptr && value.as_string()->empty());
}

MemberList::MemberList(json::View object) {
  for (const auto& [name, value] : object.members()) {
    if (size_ < kInline) {
      inline_[size_] = {name, value};
    } else {
      more_.push_back({name, value});
    }
    ++size_;
  }
}

json::View MemberList::find(std::string_view name) {
  for (std::size_t i = 0; i < size_; ++i) {
    const std::size_t index = next_;
    next_ = next_ + 1 == size_ ? 0 : next_ + 1;
    if (at(index).name == name) return at(index).value;
  }
  return {};
}

Reader::Reader(const Input& object)
    : input_(object), is_object_(object.view.type() == json::Type::kObject), members_(object.view) {
  if (!is_object_) object.wrong_type("an object");
}

}  // namespace margay::codec
