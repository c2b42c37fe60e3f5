// The order of a list after a strategic merge patch: elements that the patch names follow the patch's order, the others
// keep theirs; the two are interleaved as they were before, as far as both can be told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace margay::patch {

// What tells an element of a merged list from the others: the value of its merge key, or, without one, itself; "" for
// an object that lacks the key.
std::string element_identity(const json::Value& element, std::string_view merge_key);
std::vector<std::string> element_identities(const json::Array& list, std::string_view merge_key);

struct ElementOrders {
  const std::vector<std::string>& of_patch;
  const std::vector<std::string>& before;
};
json::Array in_patched_order(json::Array list, std::string_view merge_key, const ElementOrders& orders);

// Whether `part` comes out of `whole` by leaving elements out.
bool is_subsequence(const std::vector<std::string>& part, const std::vector<std::string>& whole);

}  // namespace margay::patch
