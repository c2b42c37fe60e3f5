// SetUses: the IP sets that one subscriber of the cluster half needs, each as often as rules it has been given name it,
// and what it is still to be told about them.
//
// A set is let go when the subscriber is told so (take), not before: one that is needed again until then costs nothing.
// Pure, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "policy/index/set_index.h"

namespace margay::policy {

std::vector<IpSetId> ids_of(const std::map<IpSetId, SetSource>& sets);

class SetUses {
 public:
  explicit SetUses(SetIndex& index) : index_(index) {}
  ~SetUses();
  SetUses(const SetUses&) = delete;
  SetUses& operator=(const SetUses&) = delete;

  void add(const std::map<IpSetId, SetSource>& sets);
  // Sets that another subscriber uses.
  void share(const std::vector<IpSetId>& sets);
  void release(const std::vector<IpSetId>& sets);
  // What SetIndex::take() said; sets that are not ours are passed over.
  void on_change(const IpSetId& id, const IpSetDelta& delta);
  // The index has been asked for its changes since the last put.
  std::map<IpSetId, IpSetDelta> take();

 private:
  void count(const IpSetId& id, const SetSource* source);

  struct Use {
    std::uint32_t count = 0;
    bool is_sent = false;
    std::optional<IpSetDelta> pending;
  };

  SetIndex& index_;
  std::map<IpSetId, Use> uses_;
  std::set<IpSetId> changed_;
};

}  // namespace margay::policy
