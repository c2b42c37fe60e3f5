// Demand: what a selector demands of one label, over the numbers of a LabelStore: what its candidates are looked up by.
#pragma once

#include <vector>

#include "datastore/selector/selector.h"
#include "policy/index/label_store.h"

namespace margay::policy {

struct Demand {
  KeyId key;                    // is present,
  std::vector<LabelId> any_of;  // and when not empty: is one of these
};

class Demands {
 public:
  Demands() = default;
  // Uses the labels until release().
  Demands(const selector::Selector& selector, LabelStore& store);
  void release(LabelStore& store);

  // No labels can fulfil them.
  [[nodiscard]] bool are_impossible() const { return are_impossible_; }
  // All of them are to be fulfilled; empty: nothing is demanded.
  [[nodiscard]] const std::vector<Demand>& all() const { return demands_; }

 private:
  bool are_impossible_ = false;
  std::vector<Demand> demands_;
};

}  // namespace margay::policy
