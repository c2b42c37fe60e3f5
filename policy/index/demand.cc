#include "policy/index/demand.h"

#include <string>
#include <utility>

#include "datastore/selector/restrictions.h"

namespace margay::policy {

Demands::Demands(const selector::Selector& selector, LabelStore& store) {
  for (const auto& [key, restriction] : selector::restrictions_of(selector)) {
    if (!restriction.must_be_present) continue;
    are_impossible_ |= restriction.must_be_absent;
    Demand demand{.key = store.acquire_key(key), .any_of = {}};
    if (restriction.must_have_one_of) {
      are_impossible_ |= restriction.must_have_one_of->empty();
      for (const std::string& value : *restriction.must_have_one_of) {
        demand.any_of.push_back(store.acquire(key, value));
      }
    }
    demands_.push_back(std::move(demand));
  }
}

void Demands::release(LabelStore& store) {
  for (const Demand& demand : demands_) {
    store.release_key(demand.key);
    for (const LabelId label : demand.any_of) store.release(label);
  }
  *this = Demands();
}

}  // namespace margay::policy
