#include "datastore/patch/object_fields.h"

#include "datastore/patch/field_element.h"
#include "datastore/patch/object_place.h"

namespace margay::patch {
namespace {

using json::Array;
using json::Member;
using json::Object;
using json::Value;
using Entry = FieldSet::Entry;

bool is_empty(const Value& value) {
  const Object* object = value.as_object();
  const Array* list = value.as_array();
  return (object != nullptr && object->empty()) || (list != nullptr && list->empty());
}

FieldSet fields_below(const Value& value, const Shape& shape, ObjectPlace& place) {
  std::vector<Entry> entries;
  if (shape.kind == Shape::Kind::kObject) {
    for (const Member& member : *value.as_object()) {
      place.at_member(member.name, [&] {
        const Shape inner = place.shape_of(member.value);
        const bool is_leaf = inner.is_leaf() || is_empty(member.value);
        entries.push_back({member_element(member.name), is_leaf, fields_below(member.value, inner, place)});
      });
    }
  }
  for (std::size_t i = 0; i < shape.elements.size(); ++i) {
    const Value& item = (*value.as_array())[i];
    entries.push_back({shape.elements[i], true, fields_below(item, place.shape_of(item), place)});
  }
  return FieldSet::of(std::move(entries));
}

Value removed_below(Value value, const FieldSet& fields, ObjectPlace& place) {
  if (fields.empty()) return value;
  const Shape shape = place.shape_of(value);
  if (shape.is_leaf()) return value;
  if (Object* object = value.as_object()) {
    Object kept;
    for (Member& member : *object) {
      const Entry* entry = fields.find(member_element(member.name));
      if (entry != nullptr && entry->is_member) continue;
      if (entry != nullptr) {
        member.value = place.at_member(member.name,
                                       [&] { return removed_below(std::move(member.value), entry->children, place); });
      }
      kept.append_new(std::move(member.name), std::move(member.value));
    }
    return kept;
  }
  Array kept;
  for (std::size_t i = 0; i < shape.elements.size(); ++i) {
    Value& item = (*value.as_array())[i];
    const Entry* entry = fields.find(shape.elements[i]);
    if (entry != nullptr && entry->is_member) continue;
    kept.push_back(entry == nullptr ? std::move(item) : removed_below(std::move(item), entry->children, place));
  }
  return kept;
}

Status check_below(const Value& value, const std::string& path, ObjectPlace& place) {
  if (const Object* object = value.as_object()) {
    for (const Member& member : *object) {
      MARGAY_RETURN_IF_ERROR(
          place.at_member(member.name, [&] { return check_below(member.value, path + "." + member.name, place); }));
    }
    return ok_status();
  }
  const Array* list = value.as_array();
  if (list == nullptr) return ok_status();
  const ListType type = place.list_type();
  if (type.kind == ListType::Kind::kAtomic) return ok_status();
  auto elements = list_elements(*list, type);
  if (!elements.ok()) return std::move(elements).error().within(path);
  for (std::size_t i = 0; i < list->size(); ++i)
    MARGAY_RETURN_IF_ERROR(check_below((*list)[i], path + element_text((*elements)[i]), place));
  return ok_status();
}

}  // namespace

FieldSet fields_of(const Value& object, const ListTypes& types) {
  ObjectPlace place(types);
  return fields_below(object, place.shape_of(object), place);
}

Value remove_fields(Value object, const FieldSet& fields, const ListTypes& types) {
  ObjectPlace place(types);
  return removed_below(std::move(object), fields, place);
}

Status check_lists(const Value& object, const ListTypes& types) {
  ObjectPlace place(types);
  return check_below(object, "", place);
}

}  // namespace margay::patch
