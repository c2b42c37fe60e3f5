// For tests of the whole renderer: a node into which policy is put, and packets that walk through it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/render/iptables_renderer.h"
#include "base/core/text.h"
#include "test/support/iptables_node.h"

namespace margay::test::fixture {

using iptables::Table;
using iptables::TableId;
using model::Kind;
using policy::ObjectKey;

inline const TableId kFilter4{IpFamily::kV4, Table::kFilter};
inline const TableId kFilter6{IpFamily::kV6, Table::kFilter};
inline const TableId kRaw4{IpFamily::kV4, Table::kRaw};

inline ObjectKey policy_key(std::string name) { return {Kind::kGlobalNetworkPolicy, "", std::move(name)}; }
inline ObjectKey workload_key(std::string name) { return {Kind::kWorkloadEndpoint, "ns", std::move(name)}; }
inline ObjectKey host_key(std::string name) { return {Kind::kHostEndpoint, "", std::move(name)}; }

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// A node, and what is put into it.
class Node {
 public:
  Node() { take(); }

  void take() {
    last = renderer.take();
    for (const std::string& wrong : node.apply(last)) ADD_FAILURE() << wrong;
  }

  void put(const policy::Delta& delta) {
    renderer.apply(delta);
    take();
  }

  void set(const std::function<void(model::FelixConfigurationSpec&)>& change) {
    change(settings);
    renderer.set_settings(settings);
    take();
  }

  void put_networks(const render::NodeNetworks& networks) {
    renderer.set_networks(networks);
    take();
  }

  [[nodiscard]] Walked walk(const NodePacket& packet) const { return node.walk(packet); }

  // "IPv4 filter margay-x" for each chain of the last change; "-" before one that went.
  [[nodiscard]] std::set<std::string> changed() const {
    std::set<std::string> out;
    for (const auto& [id, table] : last.tables) {
      for (const auto& [name, chain] : table.chains) {
        if (id.family == IpFamily::kV4) out.insert(concat(chain == nullptr ? "-" : "", name));
      }
    }
    return out;
  }

  render::IptablesRenderer renderer{render::KernelFeatures{}};
  IptablesNode node;
  render::RenderChange last;
  model::FelixConfigurationSpec settings;
};

inline policy::Rule rule(model::RuleAction action) {
  policy::Rule out;
  out.action = action;
  return out;
}

// A policy whose rules in both directions are these actions, for every packet.
inline std::shared_ptr<const policy::Policy> policy_of(const std::string& name,
                                                       const std::vector<model::RuleAction>& actions,
                                                       const std::string& selector = "all()") {
  policy::Policy out;
  out.id = policy_key(name);
  out.tier = "default";
  out.selector = selector;
  policy::RuleSet rules;
  for (const model::RuleAction action : actions) {
    rules.ingress.push_back(rule(action));
    rules.ingress.back().index = static_cast<std::uint32_t>(rules.ingress.size() - 1);
  }
  rules.egress = rules.ingress;
  out.rules = std::move(rules);
  return std::make_shared<const policy::Policy>(std::move(out));
}

inline policy::TierPolicies tier(const std::vector<std::string>& policies) {
  policy::TierPolicies out{.tier = "default", .ingress = {}, .egress = {}};
  for (const std::string& name : policies) out.ingress.push_back({.id = policy_key(name)});
  out.egress = out.ingress;
  return out;
}

inline std::shared_ptr<policy::Endpoint> workload(int number, const std::vector<std::string>& profiles = {"open"}) {
  auto spec = std::make_shared<model::WorkloadEndpoint>();
  spec->spec.interface_name = concat("cali", number);
  spec->spec.ip_networks = {IpPrefix::host(ip(concat("10.0.0.", number))),
                            IpPrefix::host(ip(concat("fd00::", number)))};
  auto out = std::make_shared<policy::Endpoint>();
  out->workload = std::move(spec);
  out->policy.profiles = profiles;
  return out;
}

inline std::shared_ptr<policy::Endpoint> changed(const std::shared_ptr<policy::Endpoint>& endpoint,
                                                 const std::function<void(model::WorkloadEndpointSpec&)>& change) {
  auto spec = std::make_shared<model::WorkloadEndpoint>(*endpoint->workload);
  change(spec->spec);
  endpoint->workload = std::move(spec);
  return endpoint;
}

inline std::shared_ptr<policy::Endpoint> host(const std::string& interface,
                                              const std::vector<std::string>& addresses = {}) {
  auto spec = std::make_shared<model::HostEndpoint>();
  spec->spec.interface_name = interface;
  for (const std::string& address : addresses) spec->spec.expected_ips.push_back(ip(address));
  auto out = std::make_shared<policy::Endpoint>();
  out->host = std::move(spec);
  return out;
}

// The profile "open" and two workloads that have it.
inline policy::Delta two_workloads() {
  policy::Delta out;
  policy::Profile open{.name = "open", .is_missing = false, .rules = {}};
  open.rules.ingress = open.rules.egress = {rule(model::RuleAction::kAllow)};
  out.profiles["open"] = std::make_shared<const policy::Profile>(open);
  out.endpoints[workload_key("w1")] = workload(1);
  out.endpoints[workload_key("w2")] = workload(2);
  return out;
}

inline NodePacket packet(std::string in, std::string_view source, std::string out, std::string_view destination) {
  NodePacket made;
  made.in = std::move(in);
  made.out = std::move(out);
  made.source = ip(source);
  made.destination = ip(destination);
  return made;
}

inline NodePacket between_workloads() { return packet("cali1", "10.0.0.1", "cali2", "10.0.0.2"); }
inline NodePacket from_outside() { return packet("eth0", "192.0.2.9", "cali1", "10.0.0.1"); }
inline NodePacket to_host(std::uint16_t port) {
  NodePacket made = packet("eth0", "192.0.2.9", "", "192.0.2.1");
  made.destination_port = port;
  return made;
}

}  // namespace margay::test::fixture
