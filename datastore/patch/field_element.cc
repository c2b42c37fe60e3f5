#include "datastore/patch/field_element.h"

#include <algorithm>
#include <unordered_set>

#include "base/core/text.h"

namespace margay::patch {
namespace {

using json::Object;
using json::Value;

Value sorted_by_name(const Object& keys) {
  std::vector<const json::Member*> members;
  for (const json::Member& member : keys) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  Object sorted;
  for (const json::Member* member : members) sorted.append_new(member->name, member->value);
  return sorted;
}

Result<std::string> canonical_json(std::string_view kind, std::string_view text) {
  const Result<Value> value = json::parse(text);
  if (!value.ok()) return value.error();
  if (kind == "v:") return json::dump(*value);
  if (value->as_object() == nullptr) return invalid("keys must be an object");
  return json::dump(sorted_by_name(*value->as_object()));
}

std::string keys_text(std::string_view json_text) {
  const Result<Value> keys = json::parse(json_text);
  if (!keys.ok() || keys->as_object() == nullptr) return concat("[", json_text, "]");
  std::string out = "[";
  for (const json::Member& key : *keys->as_object()) {
    if (out.size() > 1) out.push_back(',');
    out.append(key.name).append("=");
    json::dump_to(out, key.value);
  }
  return out + "]";
}

Result<std::string> map_element(const Value& item, const ListType& type) {
  if (item.as_object() == nullptr)
    return invalid(concat("associative list with keys may not have an element that is ", to_string(item.type())));
  Object keys;
  for (const ListKey& key : type.keys) {
    const Value* value = item.find(key.name);
    if (value == nullptr && key.default_value) value = &*key.default_value;
    if (value == nullptr)
      return invalid(concat("associative list with keys has an element that omits key field ", quoted(key.name),
                            " (and doesn't have default value)"));
    keys[key.name] = *value;
  }
  return "k:" + json::dump(sorted_by_name(keys));
}

Result<std::string> set_element(const Value& item) {
  if (item.as_object() != nullptr || item.as_array() != nullptr)
    return invalid(concat("associative list without keys has an element that is ", to_string(item.type())));
  return "v:" + json::dump(item);
}

}  // namespace

std::string member_element(std::string_view name) { return concat("f:", name); }

bool is_member_element(std::string_view element) { return element.starts_with("f:"); }

Result<std::string> canonical_element(std::string_view text) {
  if (is_member_element(text)) return std::string(text);
  const std::string_view kind = text.substr(0, 2);
  if (kind == "i:" && parse_number<std::uint32_t>(text.substr(2))) return std::string(text);
  if (kind != "k:" && kind != "v:") return invalid(concat(quoted(text), " is no path element of FieldsV1"));
  Result<std::string> canonical = canonical_json(kind, text.substr(2));
  if (!canonical.ok()) return std::move(canonical).error().within(quoted(text));
  return concat(kind, *canonical);
}

std::string element_text(std::string_view element) {
  const std::string_view kind = element.substr(0, 2);
  const std::string_view rest = element.substr(kind.size());
  if (kind == "f:") return concat(".", rest);
  if (kind == "k:") return keys_text(rest);
  return kind == "v:" ? concat("[=", rest, "]") : concat("[", rest, "]");
}

Result<std::vector<std::string>> list_elements(const json::Array& list, const ListType& type) {
  const bool is_map = type.kind == ListType::Kind::kMap;
  std::vector<std::string> elements;
  elements.reserve(list.size());
  std::unordered_set<std::string_view> seen;
  for (const Value& item : list) {
    Result<std::string> element = is_map ? map_element(item, type) : set_element(item);
    if (!element.ok()) return std::move(element).error().within(concat("element ", elements.size()));
    elements.push_back(std::move(*element));
    // The views survive: nothing is moved, since the space is reserved.
    if (!seen.insert(elements.back()).second)
      return invalid(concat("duplicate entries for key ", element_text(elements.back())));
  }
  return elements;
}

}  // namespace margay::patch
