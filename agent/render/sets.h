// Sets: the sets that rules refer to, one for each family, and what of them changed. Pure, one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "agent/render/inputs.h"
#include "agent/render/iptables_renderer.h"
#include "policy/desired/delta.h"

namespace margay::render {

class Sets {
 public:
  explicit Sets(const KernelFeatures& features) : has_ipv6_(features.has_ipv6) {}

  void apply(const std::map<policy::IpSetId, policy::IpSetDelta>& changes);
  // `external`: networks of hosts that are no nodes, and may send tunnelled packets as nodes do.
  void set_networks(const NodeNetworks& networks, const std::set<IpPrefix>& external);

  std::map<std::string, SetChange> take();

 private:
  // Of networks.
  using Wanted = std::map<std::string, std::set<IpPrefix>>;  // by the set's own name

  void add(const std::string& id, const policy::IpSetDelta& delta, IpFamily family,
           std::map<std::string, SetChange>& out) const;

  const bool has_ipv6_;
  std::map<policy::IpSetId, policy::IpSetDelta> policy_changes_;
  std::map<std::string, policy::IpSetDelta> network_changes_;
  Wanted networks_;
};

}  // namespace margay::render
