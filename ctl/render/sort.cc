#include "ctl/render/sort.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "datastore/schema/jsonpath.h"

namespace margay::render {
namespace {

// What is compared: 0 numbers, 1 texts, 2 nothing there.
struct Key {
  int rank = 2;
  double number = 0;
  std::string text;
  friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(const json::Value* value) {
  if (value == nullptr || value->is_null()) return {};
  if (const std::int64_t* integer = value->as_integer()) return {0, static_cast<double>(*integer), {}};
  if (const double* number = value->as_double()) return {0, *number, {}};
  if (const std::string* text = value->as_string()) return {1, 0, *text};
  return {1, 0, json::dump(*value)};
}

template <class KeyOf>
void sort_items(Items& items, const KeyOf& key) {
  std::vector<std::pair<Key, std::size_t>> order;
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(key(items[i].object), i);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a < b; });
  Items sorted;
  for (const auto& [unused, index] : order) sorted.push_back(std::move(items[index]));
  items = std::move(sorted);
}

}  // namespace

Status sort_by_path(Items& items, std::string_view json_path) {
  const auto path = schema::JsonPath::parse(json_path);
  if (!path.ok()) return path.error();
  sort_items(items, [&](const json::Value& object) {
    const std::vector<const json::Value*> found = path->find(object);
    return key_of(found.empty() ? nullptr : found.front());
  });
  return ok_status();
}

void sort_tiers(Items& items) {
  const bool are_tiers = std::all_of(items.begin(), items.end(), [](const Item& item) {
    return item.resource->kind == "Tier" && item.resource->group == "projectcalico.org";
  });
  if (are_tiers) sort_items(items, [](const json::Value& object) { return key_of(object.find({"spec", "order"})); });
}

}  // namespace margay::render
