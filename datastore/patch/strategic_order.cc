#include "datastore/patch/strategic_order.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace margay::patch {
namespace {

using json::Array;
using json::Value;

// First places of identities.
class Places {
 public:
  explicit Places(const std::vector<std::string>& identities) {
    for (const std::string& identity : identities) places_.emplace(identity, places_.size());
  }
  [[nodiscard]] std::optional<std::size_t> find(const std::string& identity) const {
    const auto found = places_.find(identity);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unordered_map<std::string_view, std::size_t> places_;
};

struct Element {
  Value value;
  std::size_t place_in_patch = 0;
  std::optional<std::size_t> place_before;
};

bool goes_before(const Element& a, const Element& b) {
  return a.place_before && b.place_before && *a.place_before < *b.place_before;
}

// Both keep their own order.
Array interleaved(std::vector<Element> others, std::vector<Element> patched) {
  Array out;
  out.reserve(others.size() + patched.size());
  auto other = others.begin();
  auto mine = patched.begin();
  while (other != others.end() || mine != patched.end()) {
    const bool takes_other = mine == patched.end() || (other != others.end() && goes_before(*other, *mine));
    out.push_back(std::move((takes_other ? other++ : mine++)->value));
  }
  return out;
}

}  // namespace

std::string element_identity(const Value& element, std::string_view merge_key) {
  if (merge_key.empty()) return json::dump(element);
  const Value* key = element.find(merge_key);
  return key == nullptr ? std::string() : json::dump(*key);
}

std::vector<std::string> element_identities(const Array& list, std::string_view merge_key) {
  std::vector<std::string> identities;
  identities.reserve(list.size());
  for (const Value& element : list) identities.push_back(element_identity(element, merge_key));
  return identities;
}

Array in_patched_order(Array list, std::string_view merge_key, const ElementOrders& orders) {
  const Places patch(orders.of_patch);
  const Places before(orders.before);
  std::vector<Element> patched;
  std::vector<Element> others;
  for (Value& value : list) {
    const std::string identity = element_identity(value, merge_key);
    const auto place = patch.find(identity);
    (place ? patched : others).push_back({std::move(value), place.value_or(0), before.find(identity)});
  }
  std::stable_sort(patched.begin(), patched.end(),
                   [](const Element& a, const Element& b) { return a.place_in_patch < b.place_in_patch; });
  return interleaved(std::move(others), std::move(patched));
}

bool is_subsequence(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  auto at = whole.begin();
  for (const std::string& identity : part) {
    at = std::find(at, whole.end(), identity);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

}  // namespace margay::patch
