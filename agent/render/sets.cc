#include "agent/render/sets.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/render/names.h"

namespace margay::render {
namespace {

using policy::IpSetDelta;
using policy::IpSetMember;

std::vector<ipset::Member> members_of(const std::vector<IpSetMember>& members, IpFamily family) {
  std::vector<ipset::Member> out;
  for (const IpSetMember& member : members) {
    if (member.net.family() != family) continue;
    out.push_back({.net = member.net, .protocol = member.protocol.number(), .port = member.port.value()});
  }
  return out;
}

SetChange::What what_of(IpSetDelta::What what) {
  switch (what) {
    case IpSetDelta::What::kCreate: return SetChange::What::kReplace;
    case IpSetDelta::What::kUpdate: return SetChange::What::kUpdate;
    case IpSetDelta::What::kRemove: return SetChange::What::kRemove;
  }
  return SetChange::What::kRemove;
}

std::set<IpPrefix> hosts(const std::set<IpAddress>& addresses) {
  std::set<IpPrefix> out;
  for (const IpAddress& address : addresses) out.insert(IpPrefix::host(address));
  return out;
}

std::vector<IpSetMember> difference(const std::set<IpPrefix>& a, const std::set<IpPrefix>& b) {
  std::vector<IpSetMember> out;
  for (const IpPrefix& net : a) {
    if (!b.contains(net)) out.push_back({.net = net, .protocol = {}, .port = {}});
  }
  return out;
}

}  // namespace

void Sets::apply(const std::map<policy::IpSetId, IpSetDelta>& changes) {
  for (const auto& [id, delta] : changes) {
    const auto [at, is_new] = policy_changes_.try_emplace(id, delta);
    if (!is_new) at->second.merge(delta);
  }
}

void Sets::set_networks(const NodeNetworks& networks, const std::set<IpPrefix>& external) {
  Wanted wanted;
  wanted[std::string(kPools)] = networks.pools;
  wanted[std::string(kMasqueradePools)] = networks.masquerade_pools;
  wanted[std::string(kHosts)] = hosts(networks.hosts);
  wanted[std::string(kIpipPeers)] = hosts(networks.ipip_peers);
  wanted[std::string(kVxlanPeers)] = hosts(networks.vxlan_peers);
  wanted[std::string(kIpvsServices)] = hosts(networks.ipvs_services.value_or(std::set<IpAddress>()));
  for (const std::string_view peers : {kIpipPeers, kVxlanPeers}) {
    wanted[std::string(peers)].insert(external.begin(), external.end());
  }
  for (const auto& [name, nets] : wanted) {
    const auto before = networks_.find(name);
    const bool is_new = before == networks_.end();
    const std::set<IpPrefix>& old = is_new ? std::set<IpPrefix>() : before->second;
    IpSetDelta delta{.what = is_new ? IpSetDelta::What::kCreate : IpSetDelta::What::kUpdate,
                     .added = difference(nets, old),
                     .removed = difference(old, nets)};
    if (!is_new && delta.added.empty() && delta.removed.empty()) continue;
    const auto [at, is_first] = network_changes_.try_emplace(name, delta);
    if (!is_first) at->second.merge(std::move(delta));
  }
  networks_ = std::move(wanted);
}

void Sets::add(const std::string& id, const IpSetDelta& delta, IpFamily family,
               std::map<std::string, SetChange>& out) const {
  SetChange change{
      .what = what_of(delta.what),
      .spec = {.type = delta.kind == policy::IpSetKind::kPorts ? ipset::SetType::kHashIpPort : ipset::SetType::kHashNet,
               .family = family},
      .added = members_of(delta.added, family),
      .removed = members_of(delta.removed, family)};
  // The other family's members were all.
  if (change.what == SetChange::What::kUpdate && change.added.empty() && change.removed.empty()) return;
  out.emplace(set_name(family, id), std::move(change));
}

std::map<std::string, SetChange> Sets::take() {
  std::map<std::string, SetChange> out;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    if (family == IpFamily::kV6 && !has_ipv6_) continue;
    for (const auto& [id, delta] : policy_changes_) add(std::string(id.view()), delta, family, out);
    for (const auto& [id, delta] : network_changes_) add(id, delta, family, out);
  }
  policy_changes_.clear();
  network_changes_.clear();
  return out;
}

}  // namespace margay::render
