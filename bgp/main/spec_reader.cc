#include "bgp/main/spec_reader.h"

#include "base/core/text.h"

namespace margay::bgpd {

SpecReader::SpecReader(const json::Value& value, std::string path, FieldErrors& errors)
    : object_(value.as_object()), path_(std::move(path)), errors_(errors) {
  if (object_ == nullptr && !value.is_null()) {
    errors_.push_back({FieldError::Kind::kTypeInvalid, path_, concat("must be an object, not ", json::dump(value))});
  }
}

std::string SpecReader::path_of(std::string_view name) const {
  std::string path = path_;
  append_member_path(path, name);
  return path;
}

void SpecReader::fail(std::string_view name, std::string message, FieldError::Kind kind) {
  errors_.push_back({kind, path_of(name), std::move(message)});
}

const json::Value* SpecReader::member(std::string_view name) {
  known_.insert(std::string(name));
  const json::Value* const value = object_ == nullptr ? nullptr : object_->find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const std::string* SpecReader::string_at(std::string_view name) {
  const json::Value* const value = member(name);
  if (value == nullptr) return nullptr;
  if (value->as_string() == nullptr) {
    fail(name, concat("must be a string, not ", json::dump(*value)), FieldError::Kind::kTypeInvalid);
  }
  return value->as_string();
}

void SpecReader::read(std::string_view name, bool& out) {
  const json::Value* const value = member(name);
  if (value == nullptr) return;
  if (const bool* const given = value->as_bool()) {
    out = *given;
  } else {
    fail(name, concat("must be true or false, not ", json::dump(*value)), FieldError::Kind::kTypeInvalid);
  }
}

void SpecReader::read(std::string_view name, std::string& out) {
  if (const std::string* const text = string_at(name)) out = *text;
}

void SpecReader::read(std::string_view name, Duration& out) {
  const std::string* const text = string_at(name);
  if (text == nullptr) return;
  const auto parsed = parse_duration(*text);
  if (parsed.ok()) {
    out = *parsed;
  } else {
    fail(name, parsed.error().message);
  }
}

void SpecReader::read(std::string_view name, Asn& out) {
  const json::Value* const value = member(name);
  if (value == nullptr) return;
  const std::int64_t* const number = value->as_integer();
  const std::string* const text = value->as_string();
  if (number == nullptr && text == nullptr) {
    return fail(name, concat("must be an AS number, not ", json::dump(*value)), FieldError::Kind::kTypeInvalid);
  }
  const auto parsed = Asn::parse(number != nullptr ? std::to_string(*number) : *text);
  if (parsed.ok()) {
    out = *parsed;
  } else {
    fail(name, parsed.error().message);
  }
}

void SpecReader::read_number(std::string_view name, std::int64_t min, std::int64_t max, std::int64_t& out) {
  const json::Value* const value = member(name);
  if (value == nullptr) return;
  const std::int64_t* const number = value->as_integer();
  if (number == nullptr || *number < min || *number > max) {
    return fail(name, concat("must be a number from ", min, " to ", max, ", not ", json::dump(*value)));
  }
  out = *number;
}

void SpecReader::each(std::string_view name,
                      const std::function<void(const json::Value&, const std::string& path)>& visit) {
  const json::Value* const value = member(name);
  if (value == nullptr) return;
  const std::string path = path_of(name);
  const json::Array* const list = value->as_array();
  if (list == nullptr) return visit(*value, path);
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::string element = path;
    append_element_path(element, i);
    visit((*list)[i], element);
  }
}

void SpecReader::each_member(
    std::string_view name,
    const std::function<void(const std::string& key, const json::Value&, const std::string& path)>& visit) {
  const json::Value* const value = member(name);
  if (value == nullptr) return;
  const json::Object* const object = value->as_object();
  if (object == nullptr) {
    return fail(name, concat("must be an object, not ", json::dump(*value)), FieldError::Kind::kTypeInvalid);
  }
  for (const json::Member& entry : *object) {
    std::string path = path_of(name);
    append_member_path(path, entry.name);
    visit(entry.name, entry.value, path);
  }
}

void SpecReader::finish() {
  if (object_ == nullptr) return;
  for (const json::Member& entry : *object_) {
    if (!known_.contains(entry.name)) fail(entry.name, "unknown field", FieldError::Kind::kUnknown);
  }
}

}  // namespace margay::bgpd
