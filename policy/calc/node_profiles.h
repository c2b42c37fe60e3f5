// NodeProfiles: the profiles that local endpoints name, as far as the cluster half has answered. Pure, one thread.
#pragma once

#include <map>
#include <string>

#include "policy/calc/counted.h"
#include "policy/calc/exchange.h"
#include "policy/calc/input.h"
#include "policy/desired/delta.h"
#include "policy/index/label_index.h"

namespace margay::policy {

class NodeProfiles {
 public:
  explicit NodeProfiles(LabelIndex& index) : index_(index) {}

  void put(const std::string& name, const Shared<ProfileBody>& body, Delta& out);
  [[nodiscard]] bool is_here(const std::string& name) const { return entries_.contains(name); }

  void add_use(const std::string& name) { uses_.add(name); }
  void release_use(const std::string& name) { uses_.release(name); }
  // Those given up are gone from the outside with this delta.
  void take_demand(NodeDemand& demand, Delta& out);

 private:
  struct Entry {
    StringMap labels;
    Shared<Profile> published;
  };

  LabelIndex& index_;
  std::map<std::string, Entry> entries_;
  Counted<std::string> uses_;
};

}  // namespace margay::policy
