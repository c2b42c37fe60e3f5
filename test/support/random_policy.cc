#include "test/support/random_policy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay::test {
namespace {

using model::Kind;
using model::ObjectKey;

const std::vector<std::string> kLabels = {"app", "ver"};
const std::vector<std::string> kParentLabels = {"env", "team"};
constexpr std::uint32_t kPods = 6;
constexpr std::uint32_t kEnds = 10;  // pods, other endpoints, outsiders

// 10.0.0.1 and fd00::1 are the first pod's.
IpAddress address(std::uint64_t end, IpFamily family) {
  return family == IpFamily::kV4 ? IpAddress::v4(0x0a000001U + static_cast<std::uint32_t>(end))
                                 : IpAddress::v6(0xfd00ULL << 48, end + 1);
}

template <class T>
policy::ObjectValue value_of(T object) {
  return policy::ObjectValue(std::make_shared<const T>(std::move(object)));
}

template <class T>
T named(const std::string& name_space, const std::string& name) {
  T out;
  out.metadata.name = name;
  out.metadata.name_space = name_space;
  return out;
}

}  // namespace

StringMap RandomPolicy::some_labels(const std::vector<std::string>& keys) {
  StringMap out;
  for (std::uint64_t n = random_.below(3); n > 0; --n) {
    const std::string key = pick(keys);
    out.set(key, pick({"a", "b", ""}));
  }
  return out;
}

std::string RandomPolicy::some_selector(const std::vector<std::string>& keys, int depth) {
  const std::string key = pick(keys);
  const std::string value = concat("'", pick({"a", "b", ""}), "'");
  switch (random_.below(depth > 0 ? 12 : 8)) {
    case 0: return concat(key, " == ", value);
    case 1: return concat(key, " != ", value);
    case 2: return concat("has(", key, ")");
    case 3: return concat("!has(", key, ")");
    case 4: return concat(key, " in {", value, ", 'b'}");
    case 5: return concat(key, " not in {", value, "}");
    case 6: return concat(key, " starts with ", value);
    case 7: return chance(20) ? "((" : "all()";
    case 8: return concat("!(", some_selector(keys, depth - 1), ")");
    default: break;
  }
  // One after the other: what is drawn must not depend on the compiler.
  const std::string left = some_selector(keys, depth - 1);
  const std::string right = some_selector(keys, depth - 1);
  return concat("(", left, chance(2) ? " || " : " && ", right, ")");
}

std::vector<IpPrefix> RandomPolicy::some_nets(IpFamily family) {
  std::vector<IpPrefix> out;
  for (std::uint64_t n = 1 + random_.below(2); n > 0; --n) {
    const int length = address_bits(family) - static_cast<int>(random_.below(5));
    out.push_back(IpPrefix::containing(address(random_.below(kEnds), family), length));
  }
  return out;
}

// Nets of both families, and sometimes everything.
std::vector<IpPrefix> RandomPolicy::nets_of_set() {
  std::vector<IpPrefix> out = some_nets(IpFamily::kV4);
  for (const IpPrefix& net : some_nets(IpFamily::kV6)) out.push_back(net);
  if (chance(6)) out.emplace_back();
  return out;
}

model::PortOrName RandomPolicy::some_port() {
  if (chance(3)) return model::PortOrName(pick({"web", "dns", "nobody"}));
  const auto first = static_cast<std::uint16_t>(79 + random_.below(3));
  const auto last = static_cast<std::uint16_t>(first + random_.below(2));
  return model::PortOrName(PortRange::between(Port(first), Port(last)).value());
}

RandomPolicy::Made RandomPolicy::make_namespace() {
  auto out = named<model::Namespace>("", some_namespace());
  out.metadata.labels = some_labels(kParentLabels);
  return {{Kind::kNamespace, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_account() {
  const std::string name_space = some_namespace();
  auto out = named<model::ServiceAccount>(name_space, pick({"s0", "s1"}));
  out.metadata.labels = some_labels(kParentLabels);
  return {{Kind::kServiceAccount, out.metadata.name_space, out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_pod() {
  const auto number = random_.below(kPods);
  model::Pod out;
  out.metadata.name = concat("p", number);
  out.metadata.name_space = SharedText(concat("n", number % 3));
  out.metadata.labels = some_labels(kLabels);
  out.spec.node_name = "node";
  out.spec.service_account_name = SharedText(pick({"s0", "s1"}));
  out.spec.host_network = chance(12);
  model::Container& container = out.spec.containers.emplace_back();
  const auto web = Port(static_cast<std::uint16_t>(80 + random_.below(2)));
  container.ports.push_back({"web", chance(2) ? model::kProtocolTcp : model::kProtocolUdp, web, {}, {}});
  container.ports.push_back({"dns", model::kProtocolUdp, Port(80), {}, {}});
  out.status.phase = chance(12) ? model::PodPhase::kSucceeded : model::PodPhase::kRunning;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) out.status.pod_ips.push_back({address(number, family)});
  out.status.pod_ip = address(number, IpFamily::kV4);
  const ObjectKey key{Kind::kPod, std::string(out.metadata.name_space.view()), out.metadata.name};
  return {key, value_of(std::move(out))};
}

// A workload endpoint that is no pod, with profiles of its own.
RandomPolicy::Made RandomPolicy::make_endpoint() {
  auto out = named<model::WorkloadEndpoint>("n0", "w");
  out.metadata.labels = some_labels(kLabels);
  out.spec.orchestrator = "cni";
  out.spec.node = "node";
  out.spec.interface_name = "caliw";
  for (std::uint64_t n = random_.below(3); n > 0; --n) {
    const std::string name = pick({"f0", "f1", "kns.n0"});
    if (out.spec.profiles.empty() || out.spec.profiles.front() != name) out.spec.profiles.push_back(name);
  }
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    out.spec.ip_networks.push_back(IpPrefix::host(address(kPods, family)));
  }
  out.spec.ports.push_back({"web", model::kProtocolTcp, Port(80), {}, {}});
  return {{Kind::kWorkloadEndpoint, "n0", "w"}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_host() {
  auto out = named<model::HostEndpoint>("", "h");
  out.metadata.labels = some_labels(kLabels);
  out.spec.node = "node";
  out.spec.interface_name = "eth0";
  out.spec.expected_ips = {address(kPods + 1, IpFamily::kV4)};
  if (chance(2)) out.spec.profiles = {pick({"f0", "f1"})};
  out.spec.ports.push_back({"web", model::kProtocolTcp, Port(81)});
  return {{Kind::kHostEndpoint, "", "h"}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_profile() {
  auto out = named<model::Profile>("", pick({"f0", "f1"}));
  out.spec.labels_to_apply = some_labels(kLabels);
  out.spec.ingress = rules(true);
  out.spec.egress = rules(true);
  // What a profile's rules look like in practice: no services.
  for (auto* list : {&out.spec.ingress, &out.spec.egress}) {
    for (model::Rule& rule : *list) rule.source.services = rule.destination.services = std::nullopt;
  }
  return {{Kind::kProfile, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_tier() {
  auto out = named<model::Tier>("", pick({"t0", "t1"}));
  if (!chance(4)) out.spec.order = static_cast<double>(random_.below(3)) * 600'000;
  if (!chance(3)) {
    out.spec.default_action = chance(2) ? model::TierDefaultAction::kPass : model::TierDefaultAction::kDeny;
  }
  return {{Kind::kTier, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_set() {
  const std::string name_space = some_namespace();
  auto out = named<model::NetworkSet>(name_space, pick({"set0", "set1"}));
  out.metadata.labels = some_labels(kLabels);
  out.spec.nets = nets_of_set();
  return {{Kind::kNetworkSet, out.metadata.name_space, out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_global_set() {
  auto out = named<model::GlobalNetworkSet>("", pick({"set0", "set1"}));
  out.metadata.labels = some_labels(kLabels);
  out.spec.nets = nets_of_set();
  return {{Kind::kGlobalNetworkSet, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_slice() {
  const std::string name_space = some_namespace();
  auto out = named<model::EndpointSlice>(name_space, pick({"e0", "e1"}));
  out.metadata.labels = {{model::kServiceNameLabel, pick({"svc", "svc", "other"})}};
  for (std::uint64_t n = random_.below(4); n > 0; --n) {
    out.endpoints.emplace_back().addresses = {address(random_.below(kEnds), IpFamily::kV4).to_string()};
  }
  out.ports.push_back({"p", chance(2) ? std::optional(model::kProtocolUdp) : std::nullopt, Port(80)});
  return {{Kind::kEndpointSlice, out.metadata.name_space, out.metadata.name}, value_of(std::move(out))};
}

// Of outsiders; sometimes a pod is on its network.
RandomPolicy::Made RandomPolicy::make_node() {
  auto out = named<model::Node>("", pick({"node", "other-node"}));
  out.metadata.labels = some_labels(kLabels);
  for (std::uint64_t n = random_.below(3); n > 0; --n) {
    const IpFamily family = chance(3) ? IpFamily::kV6 : IpFamily::kV4;
    const std::uint64_t end = chance(4) ? random_.below(kPods) : kPods + random_.below(kEnds - kPods);
    out.status.addresses.push_back({chance(5) ? "ExternalIP" : "InternalIP", address(end, family).to_string()});
  }
  return {{Kind::kNode, "", out.metadata.name}, value_of(std::move(out))};
}

model::EntityRule RandomPolicy::entity(IpFamily family) {
  model::EntityRule out;
  if (chance(4)) out.nets = some_nets(family);
  if (chance(6)) out.not_nets = some_nets(family);
  if (chance(3)) out.selector = some_selector(kLabels, 2);
  if (chance(12)) out.selector = concat("projectcalico.org/kind == 'Node' && ", some_selector(kLabels, 1));
  if (chance(6)) out.not_selector = some_selector(kLabels, 1);
  if (chance(5)) out.namespace_selector = chance(8) ? "global()" : some_selector(kParentLabels, 1);
  if (chance(8)) {
    out.service_accounts.emplace();
    const auto given = random_.below(3);
    if (given != 0) out.service_accounts->names = {pick({"s0", "s1"})};
    if (given != 1) out.service_accounts->selector = concat("has(", pick(kParentLabels), ")");
  }
  return out;
}

void RandomPolicy::add_ports(model::Rule& rule) {
  if (!rule.protocol || !rule.protocol->has_ports()) return;
  for (model::EntityRule* end : {&rule.source, &rule.destination}) {
    const bool is_source = end == &rule.source;
    if (chance(is_source ? 10 : 2)) end->ports.push_back(some_port());
    if (!end->ports.empty() && chance(3)) end->ports.push_back(some_port());
    if (chance(8)) end->not_ports.push_back(some_port());
  }
}

model::Rule RandomPolicy::rule(bool is_global, bool is_ingress) {
  model::Rule out;
  out.action = static_cast<model::RuleAction>(random_.below(4));
  if (chance(2)) out.protocol = chance(2) ? model::kProtocolTcp : model::kProtocolUdp;
  if (chance(12)) out.not_protocol = model::kProtocolUdp;
  if (chance(12)) out.ip_version = chance(2) ? IpFamily::kV4 : IpFamily::kV6;
  // The rules for policies refuse a rule with nets of both families.
  const IpFamily family = chance(3) ? IpFamily::kV6 : IpFamily::kV4;
  if (out.ip_version) out.ip_version = family;
  out.source = entity(family);
  out.destination = entity(family);
  add_ports(out);
  if (chance(10)) {
    // A service stands alone at its end.
    model::EntityRule& end = is_ingress ? out.source : out.destination;
    end = {};
    end.services = model::ServiceMatch{.name = "svc", .name_space = is_global || chance(2) ? some_namespace() : ""};
  }
  return out;
}

std::vector<model::Rule> RandomPolicy::rules(bool is_global) {
  std::vector<model::Rule> out;
  for (std::uint64_t n = random_.below(4); n > 0; --n) out.push_back(rule(is_global, true));
  return out;
}

model::PolicySpec RandomPolicy::spec(bool is_global) {
  model::PolicySpec out;
  out.tier = pick({"", "default", "t0", "t1"});
  if (!chance(3)) out.order = static_cast<double>(random_.below(3));
  if (!chance(3)) out.selector = some_selector(kLabels, 2);
  if (chance(6)) out.service_account_selector = concat("has(", pick(kParentLabels), ")");
  if (is_global && chance(3)) out.namespace_selector = some_selector(kParentLabels, 1);
  if (chance(2)) out.types.push_back(model::PolicyType::kIngress);
  if (chance(2)) out.types.push_back(model::PolicyType::kEgress);
  for (std::uint64_t n = random_.below(4); n > 0; --n) out.ingress.push_back(rule(is_global, true));
  for (std::uint64_t n = random_.below(4); n > 0; --n) out.egress.push_back(rule(is_global, false));
  if (is_global && chance(10)) {
    out.apply_on_forward = true;
    if (out.types == std::vector{model::PolicyType::kIngress} && out.egress.empty()) out.pre_dnat = chance(2);
  }
  return out;
}

RandomPolicy::Made RandomPolicy::make_policy() {
  const std::string name_space = some_namespace();
  auto out = named<model::NetworkPolicy>(name_space, pick({"a", "b"}));
  out.spec = spec(false);
  return {{Kind::kNetworkPolicy, out.metadata.name_space, out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_global_policy() {
  auto out = named<model::GlobalNetworkPolicy>("", pick({"a", "b", "c"}));
  out.spec = spec(true);
  return {{Kind::kGlobalNetworkPolicy, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make_staged_policy() {
  auto out = named<model::StagedGlobalNetworkPolicy>("", pick({"a", "b"}));
  out.spec.policy = spec(true);
  return {{Kind::kStagedGlobalNetworkPolicy, "", out.metadata.name}, value_of(std::move(out))};
}

RandomPolicy::Made RandomPolicy::make() {
  switch (random_.below(19)) {
    case 0: return make_namespace();
    case 1: return make_account();
    case 2: return make_endpoint();
    case 3: return make_host();
    case 4: return make_profile();
    case 5: return make_tier();
    case 6: return make_set();
    case 7: return make_global_set();
    case 8: return make_slice();
    case 9: return make_staged_policy();
    case 10:
    case 11:
    case 12: return make_policy();
    case 13:
    case 14: return make_global_policy();
    case 15: return make_node();
    default: return make_pod();
  }
}

void RandomPolicy::put(PolicyPair& pair, const ObjectKey& key, const policy::ObjectValue& value) {
  pair.put(key, value);
  if (std::holds_alternative<std::monostate>(value)) {
    objects_.erase(key);
  } else {
    objects_[key] = value;
  }
}

void RandomPolicy::change(PolicyPair& pair) {
  Made made = make();
  std::vector<policy::ObjectValue>& history = history_[made.key];
  switch (random_.below(12)) {
    case 0:
    case 1: put(pair, made.key, std::monostate()); return;  // perhaps of what never was
    case 2:
      if (!history.empty()) put(pair, made.key, policy::ObjectValue(history[random_.below(history.size())]));
      return;
    case 3:
      if (!chance(6)) return;
      for (const auto& [key, value] : Objects(objects_)) put(pair, key, value);
      return;
    default: history.push_back(made.value); put(pair, made.key, made.value);
  }
}

policy::Packet RandomPolicy::packet() {
  policy::Packet out;
  const IpFamily family = chance(4) ? IpFamily::kV6 : IpFamily::kV4;
  const std::uint64_t source = random_.below(kEnds);
  out.source = address(source, family);
  out.destination = address((source + 1 + random_.below(kEnds - 1)) % kEnds, family);
  out.protocol = chance(2) ? model::kProtocolTcp : model::kProtocolUdp;
  out.source_port = Port(static_cast<std::uint16_t>(chance(3) ? 80 : 40000));
  out.destination_port = Port(static_cast<std::uint16_t>(79 + random_.below(4)));
  if (chance(10)) {
    out.protocol = family == IpFamily::kV4 ? model::kProtocolIcmp : model::kProtocolIcmpV6;
    out.source_port = out.destination_port = Port();
    out.icmp_type = 8;
    out.icmp_code = 0;
  }
  return out;
}

}  // namespace margay::test
