#include <unordered_map>

#include "datastore/patch/field_element.h"
#include "datastore/patch/member_index.h"
#include "datastore/patch/object_fields.h"
#include "datastore/patch/object_place.h"

namespace margay::patch {
namespace {

using json::Member;
using json::Object;
using json::Value;
using Entry = FieldSet::Entry;

// Of the values below one place.
struct Differences {
  std::vector<Entry> added;
  std::vector<Entry> modified;
  std::vector<Entry> removed;
};

class Comparer {
 public:
  explicit Comparer(const ListTypes& types) : place_(types) {}

  // What is below a pair of values, either of which may be missing.
  Differences below(const Value* before, const Value* after) {
    Differences out;
    const Shape old_shape = before == nullptr ? Shape{} : place_.shape_of(*before);
    const Shape new_shape = after == nullptr ? Shape{} : place_.shape_of(*after);
    if (old_shape.kind == new_shape.kind) {
      compare_parts({before, old_shape}, {after, new_shape}, out);
    } else {
      // Nothing of the one is found again in the other.
      const Shape nothing;
      compare_parts({before, old_shape}, {nullptr, nothing}, out);
      compare_parts({nullptr, nothing}, {after, new_shape}, out);
    }
    return out;
  }

 private:
  struct Side {
    const Value* value;
    const Shape& shape;
  };

  void compare_parts(const Side& before, const Side& after, Differences& out) {
    const Object none;
    const bool had_members = before.shape.kind == Shape::Kind::kObject;
    const bool has_members = after.shape.kind == Shape::Kind::kObject;
    compare_members(had_members ? *before.value->as_object() : none, has_members ? *after.value->as_object() : none,
                    out);
    compare_elements(before, after, out);
  }

  void compare_members(const Object& before, const Object& after, Differences& out) {
    const MemberIndex old_members(before);
    const MemberIndex new_members(after);
    for (const Member& member : before) {
      place_.at_member(member.name, [&] {
        compare(member_element(member.name), &member.value, new_members.value(member.name), out);
      });
    }
    for (const Member& member : after) {
      if (old_members.contains(member.name)) continue;
      place_.at_member(member.name, [&] { compare(member_element(member.name), nullptr, &member.value, out); });
    }
  }

  void compare_elements(const Side& before, const Side& after, Differences& out) {
    std::unordered_map<std::string_view, const Value*> items;
    for (std::size_t i = 0; i < after.shape.elements.size(); ++i)
      items.emplace(after.shape.elements[i], &(*after.value->as_array())[i]);
    for (std::size_t i = 0; i < before.shape.elements.size(); ++i) {
      const std::string& element = before.shape.elements[i];
      const auto found = items.find(element);
      compare(element, &(*before.value->as_array())[i], found == items.end() ? nullptr : found->second, out);
      if (found != items.end()) items.erase(found);
    }
    for (const auto& [element, item] : items) compare(std::string(element), nullptr, item, out);
  }

  // At least one is there.
  void compare(const std::string& element, const Value* before, const Value* after, Differences& out) {
    Differences inner = below(before, after);
    const bool is_modified = before != nullptr && after != nullptr && is_other_leaf(*before, *after);
    out.added.push_back({element, before == nullptr, FieldSet::of(std::move(inner.added))});
    out.modified.push_back({element, is_modified, FieldSet::of(std::move(inner.modified))});
    out.removed.push_back({element, after == nullptr, FieldSet::of(std::move(inner.removed))});
  }

  [[nodiscard]] bool is_other_leaf(const Value& before, const Value& after) const {
    const Shape old_shape = place_.shape_of(before);
    const Shape new_shape = place_.shape_of(after);
    if (old_shape.kind != new_shape.kind) return true;
    return old_shape.is_leaf() && !(before == after);
  }

  ObjectPlace place_;
};

}  // namespace

Comparison compare_fields(const Value& before, const Value& after, const ListTypes& types) {
  Differences all = Comparer(types).below(&before, &after);
  return {FieldSet::of(std::move(all.added)), FieldSet::of(std::move(all.modified)),
          FieldSet::of(std::move(all.removed))};
}

}  // namespace margay::patch
