#include <unordered_map>

#include "datastore/patch/member_index.h"
#include "datastore/patch/object_fields.h"
#include "datastore/patch/object_place.h"

namespace margay::patch {
namespace {

using json::Array;
using json::Member;
using json::Object;
using json::Value;

class FieldMerger {
 public:
  explicit FieldMerger(const ListTypes& types) : place_(types) {}

  Value merge(Value live, const Value& config) {
    const Shape live_shape = place_.shape_of(live);
    const Shape config_shape = place_.shape_of(config);
    if (live_shape.kind != config_shape.kind) return config;
    switch (live_shape.kind) {
      case Shape::Kind::kLeaf: return config;
      case Shape::Kind::kObject: return merge_members(std::move(*live.as_object()), *config.as_object());
      case Shape::Kind::kList: break;
    }
    return merge_elements(std::move(live), live_shape, config, config_shape);
  }

 private:
  Object merge_members(Object live, const Object& config) {
    const MemberIndex index(config);
    std::vector<bool> is_done(config.size(), false);
    for (Member& member : live) {
      const auto position = index.find(member.name);
      if (!position) continue;
      is_done[*position] = true;
      member.value =
          place_.at_member(member.name, [&] { return merge(std::move(member.value), *index.value(member.name)); });
    }
    std::size_t position = 0;
    for (const Member& member : config) {
      if (!is_done[position++]) live.append_new(member.name, member.value);
    }
    return live;
  }

  Value merge_elements(Value live, const Shape& live_shape, const Value& config, const Shape& config_shape) {
    Array& items = *live.as_array();
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < live_shape.elements.size(); ++i) places.emplace(live_shape.elements[i], i);
    for (std::size_t i = 0; i < config_shape.elements.size(); ++i) {
      const Value& item = (*config.as_array())[i];
      const auto found = places.find(config_shape.elements[i]);
      if (found == places.end()) {
        items.push_back(item);
      } else {
        items[found->second] = merge(std::move(items[found->second]), item);
      }
    }
    return live;
  }

  ObjectPlace place_;
};

}  // namespace

Value merge_fields(Value live, const Value& config, const ListTypes& types) {
  return FieldMerger(types).merge(std::move(live), config);
}

}  // namespace margay::patch
