// ProfileTable: the profiles of the cluster half: those that users wrote, and those that stand for namespaces and
// service accounts. The labels of all go to the index; the whole of each to those who demand it.
//
// A profile that is not there is given as a missing one, which denies. Of two of one name that of the namespace or
// service account counts; projectcalico-default-allow exists without an object. Pure, one thread.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policy/calc/policy_table.h"

namespace margay::policy {

class ProfileTable {
 public:
  // By which name is looked up first.
  enum class Origin { kNamespace, kServiceAccount, kProfile };

  ProfileTable(Subscribers& subscribers, SetIndex& index, Problems& problems);

  // Null: absent. `key` is that of the object it comes from, for problems.
  void put(Origin origin, const std::string& name, const ObjectKey& key, Shared<model::Profile> profile);

  void demand(SubscriberId id, const std::string& name);
  void give_up(SubscriberId id, const std::string& name);
  void tell(const Subscriber& subscriber, ClusterUpdate& update) const;

 private:
  struct Entry {
    std::array<Shared<model::Profile>, 3> by_origin;  // those that can be used
    StringMap labels;                                 // as the index has them
    bool is_in_index = false;
    // While it is demanded.
    std::set<SubscriberId> demanded_by;
    Shared<ProfileBody> body;
    std::vector<IpSetId> sets;
  };

  [[nodiscard]] Shared<model::Profile> find(const std::string& name, const Entry& entry) const;
  void refresh(const std::string& name, Entry& entry);
  void set_body(const std::string& name, Entry& entry, const Shared<model::Profile>& profile);
  void drop_if_unused(const std::string& name);

  Subscribers& subscribers_;
  SetIndex& index_;
  Problems& problems_;
  std::map<std::string, Entry> entries_;
  Shared<model::Profile> default_allow_;
};

}  // namespace margay::policy
