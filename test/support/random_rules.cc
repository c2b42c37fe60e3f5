#include "test/support/random_rules.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {
namespace {

using policy::Delta;
using policy::Endpoint;
using policy::IpSetDelta;
using policy::Rule;

constexpr std::uint64_t kAddresses = 8;
constexpr int kPolicies = 8;
constexpr std::uint64_t kWorkloads = 4;
const std::vector<const char*> kNetSets = {"s:0", "s:1", "s:a-name-that-is-too-long-for-the-kernel-0123456789"};
const std::vector<const char*> kPortSets = {"n:0", "n:1"};

model::ObjectKey policy_key(int number) {
  // Of two kinds, and some staged.
  if (number % 2 == 0) {
    return {.kind = model::Kind::kNetworkPolicy, .name_space = "ns", .name = concat("p", number)};
  }
  return {.kind = model::Kind::kGlobalNetworkPolicy, .name_space = "", .name = concat("p", number)};
}

model::ObjectKey workload_key(std::uint64_t number) {
  return {.kind = model::Kind::kWorkloadEndpoint, .name_space = "ns", .name = concat("w", number)};
}

model::ObjectKey host_key(std::string name) {
  return {.kind = model::Kind::kHostEndpoint, .name_space = "", .name = std::move(name)};
}

IpAddress address_of(IpFamily family, std::uint64_t number) {
  return family == IpFamily::kV4 ? IpAddress::v4(0x0a000000U + static_cast<std::uint32_t>(number))
                                 : IpAddress::v6(0xfd00000000000000ULL, number);
}

std::string interface_of(std::uint64_t number) { return concat("cali", number); }

}  // namespace

IpAddress RandomRules::address(IpFamily family) { return address_of(family, random_.below(kAddresses)); }

std::vector<IpPrefix> RandomRules::nets() {
  std::vector<IpPrefix> out;
  if (!chance(3)) return out;
  for (std::uint64_t n = 1 + random_.below(3); n > 0; --n) {
    const IpFamily family = chance(3) ? IpFamily::kV6 : IpFamily::kV4;
    const int length = chance(12) ? 0 : address_bits(family) - static_cast<int>(random_.below(4));
    out.push_back(IpPrefix::containing(address(family), length));
  }
  return out;
}

std::vector<policy::IpSetId> RandomRules::set_ids(const std::vector<const char*>& ids) {
  std::vector<policy::IpSetId> out;
  while (chance(6)) out.emplace_back(pick(ids));
  return out;
}

std::vector<PortRange> RandomRules::ports() {
  std::vector<PortRange> out;
  if (!chance(4)) return out;
  const std::uint64_t count = chance(4) ? 10 + random_.below(25) : 1 + random_.below(3);
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto first = static_cast<std::uint16_t>(1 + random_.below(60));
    const auto last = static_cast<std::uint16_t>(chance(2) ? first : first + random_.below(3));
    out.push_back(PortRange::between(Port(first), Port(last)).value());
  }
  return out;
}

model::Protocol RandomRules::protocol() {
  return pick<model::Protocol>({model::kProtocolTcp, model::kProtocolTcp, model::kProtocolUdp, model::kProtocolSctp,
                                model::kProtocolIcmp, model::kProtocolIcmpV6, model::kProtocolUdpLite,
                                model::Protocol(47)});
}

policy::RuleEnd RandomRules::end() {
  policy::RuleEnd out;
  out.nets = nets();
  if (chance(2)) out.not_nets = nets();
  out.sets = set_ids(kNetSets);
  out.not_sets = set_ids(kNetSets);
  out.ports = ports();
  if (chance(3)) out.not_ports = ports();
  out.port_sets = set_ids(kPortSets);
  out.not_port_sets = set_ids(kPortSets);
  if (chance(3)) out.service_sets = set_ids(kPortSets);
  return out;
}

Rule RandomRules::rule(std::uint32_t index) {
  Rule out;
  out.index = index;
  out.action = pick<model::RuleAction>({model::RuleAction::kAllow, model::RuleAction::kAllow, model::RuleAction::kDeny,
                                        model::RuleAction::kPass, model::RuleAction::kLog});
  if (chance(6)) out.ip_version = chance(2) ? IpFamily::kV4 : IpFamily::kV6;
  if (chance(2)) out.protocol = protocol();
  if (chance(5)) out.not_protocol = protocol();
  const auto icmp = [this] {
    model::IcmpMatch match{.type = static_cast<std::int32_t>(random_.below(3)), .code = {}};
    if (chance(2)) match.code = static_cast<std::int32_t>(random_.below(2));
    return match;
  };
  if (chance(8)) out.icmp = icmp();
  if (chance(8)) out.not_icmp = icmp();
  if (chance(2)) out.source = end();
  if (chance(2)) out.destination = end();
  return out;
}

policy::RuleSet RandomRules::rules() {
  policy::RuleSet out;
  for (auto* list : {&out.ingress, &out.egress}) {
    const std::uint64_t count = random_.below(4);
    for (std::uint64_t n = 0; n < count; ++n) list->push_back(rule(static_cast<std::uint32_t>(n)));
  }
  return out;
}

// Policies that are not there come with them.
std::vector<policy::TierPolicies> RandomRules::tiers(Delta& delta) {
  std::vector<policy::TierPolicies> out;
  const std::uint64_t count = random_.below(3);
  for (std::uint64_t n = 0; n < count; ++n) {
    policy::TierPolicies tier{.tier = concat("t", n), .ingress = {}, .egress = {}};
    tier.default_action = chance(3) ? model::TierDefaultAction::kPass : model::TierDefaultAction::kDeny;
    for (auto* list : {&tier.ingress, &tier.egress}) {
      for (int number = 0; number < kPolicies; ++number) {
        if (!chance(3)) continue;
        const model::ObjectKey key = policy_key(number);
        const auto told = delta.policies.find(key);
        const bool is_there = told != delta.policies.end() ? told->second != nullptr : state_.policies().contains(key);
        if (!is_there) change_policy(delta, number);
        list->push_back({.id = key, .is_staged = number == kPolicies - 1});
      }
    }
    out.push_back(std::move(tier));
  }
  return out;
}

void RandomRules::change_set(Delta& delta, const std::string& id) {
  const bool is_ports = id.starts_with("n:");
  IpSetDelta change;
  change.what = IpSetDelta::What::kCreate;
  change.kind = is_ports ? policy::IpSetKind::kPorts : policy::IpSetKind::kNets;
  std::set<policy::IpSetMember> members;
  for (std::uint64_t n = random_.below(6); n > 0; --n) {
    const IpFamily family = chance(2) ? IpFamily::kV6 : IpFamily::kV4;
    policy::IpSetMember member{.net = IpPrefix::host(address(family)), .protocol = {}, .port = {}};
    if (is_ports) {
      member.protocol = chance(2) ? model::kProtocolUdp : model::kProtocolTcp;
      member.port = Port(static_cast<std::uint16_t>(1 + random_.below(60)));
    } else {
      member.net = IpPrefix::containing(member.net.first(), address_bits(family) - static_cast<int>(random_.below(3)));
    }
    members.insert(member);
  }
  const auto before = state_.ip_sets().find(policy::IpSetId(id));
  if (before != state_.ip_sets().end() && chance(2)) {
    const auto old = before->second.members();
    change.what = IpSetDelta::What::kUpdate;
    std::set_difference(members.begin(), members.end(), old.begin(), old.end(), std::back_inserter(change.added));
    std::set_difference(old.begin(), old.end(), members.begin(), members.end(), std::back_inserter(change.removed));
  } else {
    change.added.assign(members.begin(), members.end());
  }
  delta.ip_sets[policy::IpSetId(id)] = std::move(change);
}

void RandomRules::change_policy(Delta& delta, int number) {
  policy::Policy policy;
  policy.id = policy_key(number);
  policy.is_staged = number == kPolicies - 1;
  policy.selector = concat("selector ", random_.below(2));
  policy.tier = "t";
  policy.rules = rules();
  const model::ObjectKey key = policy.id;
  delta.policies[key] = std::make_shared<const policy::Policy>(std::move(policy));
}

void RandomRules::change_profile(Delta& delta) {
  policy::Profile profile{.name = pick<std::string>({"f0", "f1"}), .is_missing = chance(6), .rules = {}};
  if (!profile.is_missing) profile.rules = rules();
  const std::string name = profile.name;
  delta.profiles[name] = std::make_shared<const policy::Profile>(std::move(profile));
}

void RandomRules::change_workload(Delta& delta) {
  const std::uint64_t number = random_.below(kWorkloads);
  auto& place = delta.endpoints[workload_key(number)];
  place = nullptr;
  if (chance(6)) return;
  auto workload = std::make_shared<model::WorkloadEndpoint>();
  workload->spec.interface_name = interface_of(number);
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    workload->spec.ip_networks.push_back(IpPrefix::host(address_of(family, number)));
  }
  Endpoint endpoint{.workload = std::move(workload), .host = nullptr, .policy = {}};
  endpoint.policy.normal = tiers(delta);
  for (const char* profile : {"f0", "f1"}) {
    if (chance(2)) endpoint.policy.profiles.emplace_back(profile);
  }
  place = std::make_shared<const Endpoint>(std::move(endpoint));
}

void RandomRules::change_host(Delta& delta) {
  const bool is_for_all = chance(2);
  auto& place = delta.endpoints[host_key(is_for_all ? "all" : "eth0")];
  place = nullptr;
  if (chance(3)) return;
  auto host = std::make_shared<model::HostEndpoint>();
  host->spec.interface_name = is_for_all ? "*" : "eth0";
  Endpoint endpoint{.workload = nullptr, .host = std::move(host), .policy = {}};
  endpoint.policy.normal = tiers(delta);
  if (chance(2)) endpoint.policy.forward = tiers(delta);
  if (chance(2)) endpoint.policy.untracked = tiers(delta);
  if (chance(2)) endpoint.policy.pre_dnat = tiers(delta);
  for (auto& tier : endpoint.policy.pre_dnat) tier.egress.clear();
  if (chance(2)) endpoint.policy.profiles = {"f0"};
  place = std::make_shared<const Endpoint>(std::move(endpoint));
}

std::set<model::ObjectKey> RandomRules::used_policies(const Delta& delta) const {
  std::map<model::ObjectKey, std::shared_ptr<const Endpoint>> endpoints = state_.endpoints();
  for (const auto& [key, endpoint] : delta.endpoints) endpoints[key] = endpoint;
  std::set<model::ObjectKey> out;
  for (const auto& [key, endpoint] : endpoints) {
    if (endpoint == nullptr) continue;
    const policy::EndpointPolicy& policy = endpoint->policy;
    for (const auto* tiers : {&policy.normal, &policy.forward, &policy.untracked, &policy.pre_dnat}) {
      for (const policy::TierPolicies& tier : *tiers) {
        for (const auto& ref : tier.ingress) out.insert(ref.id);
        for (const auto& ref : tier.egress) out.insert(ref.id);
      }
    }
  }
  return out;
}

// As an engine does it: policies that no endpoint has any more go.
void RandomRules::drop_unused(Delta& delta) {
  const std::set<model::ObjectKey> used = used_policies(delta);
  for (const auto& [key, policy] : state_.policies()) {
    if (!used.contains(key)) delta.policies[key] = nullptr;
  }
  for (auto& [key, policy] : delta.policies) {
    if (!used.contains(key)) policy = nullptr;
  }
}

Delta RandomRules::next() {
  Delta delta;
  if (state_.ip_sets().empty()) {
    for (const char* id : kNetSets) change_set(delta, id);
    for (const char* id : kPortSets) change_set(delta, id);
    delta.profiles["f0"] = std::make_shared<const policy::Profile>(policy::Profile{.name = "f0", .rules = rules()});
    delta.profiles["f1"] = std::make_shared<const policy::Profile>(policy::Profile{.name = "f1", .rules = rules()});
  }
  for (std::uint64_t n = 1 + random_.below(4); n > 0; --n) {
    switch (random_.below(6)) {
      case 0: change_set(delta, chance(2) ? pick(kNetSets) : pick(kPortSets)); break;
      case 1: change_policy(delta, static_cast<int>(random_.below(kPolicies))); break;
      case 2: change_profile(delta); break;
      case 3: change_host(delta); break;
      default: change_workload(delta);
    }
  }
  drop_unused(delta);
  const Status status = state_.apply(delta);
  MARGAY_CHECK(status.ok());
  return delta;
}

Delta RandomRules::whole() const {
  Delta out;
  for (const auto& [id, set] : state_.ip_sets()) {
    out.ip_sets[id] = {.what = IpSetDelta::What::kCreate, .kind = set.kind(), .added = set.members(), .removed = {}};
  }
  out.policies = state_.policies();
  out.profiles = state_.profiles();
  out.endpoints = state_.endpoints();
  return out;
}

NodePacket RandomRules::packet() {
  const IpFamily family = chance(2) ? IpFamily::kV6 : IpFamily::kV4;
  NodePacket out;
  const std::uint64_t from = random_.below(kAddresses);
  const std::uint64_t to = random_.below(kAddresses);
  out.source = address_of(family, from);
  out.destination = address_of(family, to);
  const std::vector<std::string> hosts = {"eth0", "eth1", ""};
  out.in = from < kWorkloads ? interface_of(from) : pick(hosts);
  out.out = to < kWorkloads ? interface_of(to) : pick(hosts);
  if (out.in.empty() && out.out.empty()) out.in = "eth0";
  out.protocol = protocol().number();
  if (out.protocol == 1 || out.protocol == 58) {
    out.protocol = family == IpFamily::kV4 ? 1 : 58;
    out.icmp_type = static_cast<std::uint8_t>(random_.below(3));
    out.icmp_code = static_cast<std::uint8_t>(random_.below(2));
  }
  out.source_port = static_cast<std::uint16_t>(1 + random_.below(60));
  out.destination_port = static_cast<std::uint16_t>(1 + random_.below(60));
  // Tunnels of workloads are another matter.
  const bool has_dnat = chance(4) && !out.icmp_type;
  if (has_dnat) {
    out.before_dnat = address(family);
    out.port_before_dnat = static_cast<std::uint16_t>(1 + random_.below(60));
  }
  return out;
}

const Endpoint* RandomRules::workload_on(const std::string& interface) const {
  for (const auto& [key, endpoint] : state_.endpoints()) {
    if (endpoint->workload != nullptr && endpoint->workload->spec.interface_name == interface) return endpoint.get();
  }
  return nullptr;
}

const Endpoint* RandomRules::host_on(const std::string& interface) const {
  for (const char* name : {"eth0", "all"}) {
    const auto at = state_.endpoints().find(host_key(name));
    if (at == state_.endpoints().end()) continue;
    const std::string& wanted = at->second->host->spec.interface_name;
    if (wanted == interface || wanted == "*") return at->second.get();
  }
  return nullptr;
}

namespace {

policy::HostPacket host_packet(const NodePacket& packet) {
  policy::HostPacket out;
  out.packet.source = packet.source;
  out.packet.destination = packet.destination;
  out.packet.protocol = model::Protocol(packet.protocol);
  out.packet.source_port = Port(packet.source_port);
  out.packet.destination_port = Port(packet.destination_port);
  out.packet.icmp_type = packet.icmp_type;
  out.packet.icmp_code = packet.icmp_code;
  out.before_dnat = out.packet;
  if (packet.before_dnat) {
    out.before_dnat.destination = *packet.before_dnat;
    out.before_dnat.destination_port = Port(packet.port_before_dnat);
  }
  out.is_forwarded = !packet.in.empty() && !packet.out.empty();
  return out;
}

bool is_workload(const std::string& interface) { return interface.starts_with("cali"); }

}  // namespace

// One end after the other: an interface nobody knows drops; a host may always talk to its own workloads.
bool RandomRules::passes(const NodePacket& packet) const {
  using policy::Answer;
  using policy::Direction;
  const policy::HostPacket asked = host_packet(packet);
  if (packet.in.empty() && is_workload(packet.out)) return true;
  for (const auto& [interface, direction] :
       {std::pair(packet.in, is_workload(packet.in) ? Direction::kEgress : Direction::kIngress),
        std::pair(packet.out, is_workload(packet.out) ? Direction::kIngress : Direction::kEgress)}) {
    if (interface.empty()) continue;
    if (is_workload(interface)) {
      const Endpoint* endpoint = workload_on(interface);
      if (endpoint == nullptr) return false;
      if (policy::evaluate(state_, *endpoint, direction, asked.packet).answer == Answer::kDeny) return false;
    } else if (const Endpoint* endpoint = host_on(interface)) {
      const auto decision = policy::evaluate_host(state_, *endpoint, direction, asked);
      if (decision && decision->answer == Answer::kDeny) return false;
    }
  }
  return true;
}

}  // namespace margay::test
