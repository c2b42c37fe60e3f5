// Counted: things a node half needs from the cluster half (policies, profiles), each as long as something here names
// it. Turns "needed" into differences of what is demanded. Pure, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/core/check.h"

namespace margay::policy {

template <class Key>
class Counted {
 public:
  void add(const Key& key) {
    if (++uses_[key] == 1) touched_.insert(key);
  }
  void release(const Key& key) {
    const auto at = uses_.find(key);
    MARGAY_CHECK(at != uses_.end());
    if (--at->second > 0) return;
    uses_.erase(at);
    touched_.insert(key);
  }
  [[nodiscard]] bool is_demanded(const Key& key) const { return demanded_.contains(key); }

  void take(std::set<Key>& added, std::set<Key>& removed) {
    for (const Key& key : touched_) {
      const bool is_needed = uses_.contains(key);
      if (is_needed && demanded_.insert(key).second) added.insert(key);
      if (!is_needed && demanded_.erase(key) > 0) removed.insert(key);
    }
    touched_.clear();
  }

 private:
  std::map<Key, std::uint32_t> uses_;
  std::set<Key> demanded_;
  std::set<Key> touched_;
};

}  // namespace margay::policy
