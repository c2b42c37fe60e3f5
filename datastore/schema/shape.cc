// What a server does to an object by its schema: unknown fields, pruning, defaults.
#include <algorithm>
#include <functional>
#include <set>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "datastore/schema/node.h"
#include "datastore/schema/structural.h"
#include "datastore/schema/suggest.h"

namespace margay::schema {
namespace {

using json::Value;

constexpr std::size_t kUnknownMax = 200;

// The members that every object has, of which the server takes care.
bool is_object_head(std::string_view name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

bool allows(const SchemaNode& node, std::string_view name) {
  return node.preserves_unknown || node.allows_any_additional || node.member(name) != nullptr;
}

template <class Predicate>
void keep_only(json::Object& object, Predicate is_kept) {
  json::Object kept;
  for (json::Member& member : object) {
    if (is_kept(member)) kept.append_new(std::move(member.name), std::move(member.value));
  }
  object = std::move(kept);
}

// The objects around a member, outermost first.
struct Level {
  const SchemaNode* node;
  std::size_t path_size;  // of its path, which is the beginning of the member's
};
using Around = std::vector<Level>;

// Walks over a value and calls `on_unknown` for each member that the schema does not declare; where that returns true,
// the member is removed.
template <class OnUnknown>
class Walker {
 public:
  explicit Walker(OnUnknown on_unknown) : on_unknown_(std::move(on_unknown)) {}

  // `is_whole`: a whole API object, the root or an embedded one.
  void walk(const SchemaNode& node, Value& value, bool is_whole) {
    if (json::Array* array = value.as_array(); array != nullptr && node.items != nullptr) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        const std::size_t size = path_.size();
        append_element_path(path_, i);
        walk(*node.items, (*array)[i], node.items->is_embedded_resource);
        path_.resize(size);
      }
    }
    if (json::Object* object = value.as_object()) walk_members(node, *object, is_whole);
  }

 private:
  void walk_members(const SchemaNode& node, json::Object& object, bool is_whole) {
    around_.push_back({&node, path_.size()});
    std::set<std::string_view> removed;
    for (json::Member& member : object) {
      if (is_whole && is_object_head(member.name)) continue;  // the server's
      const std::size_t size = path_.size();
      append_member_path(path_, member.name);
      if (!allows(node, member.name)) {
        if (on_unknown_(member.name, path_, around_)) removed.insert(member.name);
      } else if (const SchemaNode* declared = node.member(member.name)) {
        walk(*declared, member.value, declared->is_embedded_resource);
      }
      path_.resize(size);
    }
    if (!removed.empty()) keep_only(object, [&](const json::Member& member) { return !removed.contains(member.name); });
    around_.pop_back();
  }

  OnUnknown on_unknown_;
  std::string path_;
  Around around_;
};

// Indented too far: the path of the object around this one that has such a member; "" when there is none.
std::string_view home_of(std::string_view name, std::string_view path, const Around& around) {
  for (std::size_t i = around.size() - 1; i-- > 0;) {
    if (around[i].node->properties.contains(name)) return path.substr(0, around[i].path_size);
  }
  return {};
}

// "unknown field; did you mean \"nodeSelector\"?"
std::string unknown_message(std::string_view name, std::string_view path, const Around& around) {
  const SchemaNode& node = *around.back().node;
  std::vector<std::string_view> names;
  for (const auto& [declared, unused] : node.properties) names.push_back(declared);
  const std::optional<std::string> nearest = nearest_name(name, names);
  if (nearest) return concat("unknown field, did you mean ", quoted(*nearest), "?");
  if (const std::string_view home = home_of(name, path, around); !home.empty()) {
    return concat("unknown field here; it is one of ", home, ": indented too far?");
  }
  constexpr std::size_t kListedMax = 12;
  if (names.empty() || names.size() > kListedMax) return "unknown field";
  std::string allowed;
  for (const std::string_view declared : names) allowed.append(allowed.empty() ? "" : ", ").append(declared);
  return concat("unknown field; there are ", allowed);
}

void fill_in(const SchemaNode& node, Value& value);

void fill_in_members(const SchemaNode& node, json::Object& object) {
  const auto is_absent = [&](const json::Member& member) {
    const SchemaNode* declared = member.value.is_null() ? node.member(member.name) : nullptr;
    return declared != nullptr && !declared->is_nullable;
  };
  if (std::any_of(object.begin(), object.end(), is_absent)) keep_only(object, std::not_fn(is_absent));
  for (const auto& [name, declared] : node.properties) {
    if (declared->default_value && object.find(name) == nullptr) object.append_new(name, *declared->default_value);
  }
  for (json::Member& member : object) {
    if (const SchemaNode* declared = node.member(member.name)) fill_in(*declared, member.value);
  }
}

void fill_in(const SchemaNode& node, Value& value) {
  if (json::Object* object = value.as_object()) fill_in_members(node, *object);
  json::Array* array = value.as_array();
  if (array == nullptr || node.items == nullptr) return;
  for (Value& element : *array) fill_in(*node.items, element);
}

}  // namespace

FieldErrors StructuralSchema::unknown_fields(const Value& object) const {
  FieldErrors errors;
  Walker walker([&](std::string_view name, const std::string& path, const Around& around) {
    if (errors.size() < kUnknownMax)
      errors.push_back({FieldError::Kind::kUnknown, path, unknown_message(name, path, around)});
    return false;
  });
  Value copy = object;
  walker.walk(*root_, copy, true);
  return errors;
}

std::vector<std::string> StructuralSchema::prune(Value& object) const {
  std::vector<std::string> removed;
  Walker walker([&](std::string_view, const std::string& path, const Around&) {
    removed.push_back(path);
    return true;
  });
  walker.walk(*root_, object, true);
  return removed;
}

void StructuralSchema::apply_defaults(Value& object) const { fill_in(*root_, object); }

}  // namespace margay::schema
