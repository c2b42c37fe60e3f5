// The two messages between the halves as JSON: one list of fields for each struct, for both directions.
#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

#include "policy/calc/exchange.h"
#include "policy/calc/exchange_fields.h"

namespace margay::model {

template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

template <>
struct EnumText<policy::IpSetDelta::What> {
  static constexpr std::string_view kWords[] = {"Create", "Update", "Remove"};
};
template <>
struct EnumText<policy::IpSetKind> {
  static constexpr std::string_view kWords[] = {"Nets", "Ports"};
};

template <class A, Is<IcmpMatch> S>
void fields(A& a, S& s) {
  a("type", s.type);
  a("code", s.code);
}

template <class A, Is<TierSpec> S>
void fields(A& a, S& s) {
  a("order", s.order);
  a("defaultAction", s.default_action);
}

}  // namespace margay::model

namespace margay::policy {

using model::Is;

template <class A, Is<RuleEnd> S>
void fields(A& a, S& s) {
  a("nets", s.nets);
  a("notNets", s.not_nets);
  a("sets", s.sets);
  a("notSets", s.not_sets);
  a("ports", s.ports);
  a("portSets", s.port_sets);
  a("notPorts", s.not_ports);
  a("notPortSets", s.not_port_sets);
  a("serviceSets", s.service_sets);
}

template <class A, Is<Rule> S>
void fields(A& a, S& s) {
  a("action", s.action);
  a("ipVersion", s.ip_version);
  a("protocol", s.protocol);
  a("notProtocol", s.not_protocol);
  a("icmp", s.icmp);
  a("notICMP", s.not_icmp);
  a("source", s.source);
  a("destination", s.destination);
  a("index", s.index);
  a("annotations", s.annotations);
}

template <class A, Is<RuleSet> S>
void fields(A& a, S& s) {
  a("ingress", s.ingress);
  a("egress", s.egress);
}

template <class A, Is<PolicyHead> S>
void fields(A& a, S& s) {
  a("tier", s.tier);
  a("order", s.order);
  a("selector", s.selector);
  a("hasIngress", s.has_ingress);
  a("hasEgress", s.has_egress);
  a("isStaged", s.is_staged);
  a("doNotTrack", s.do_not_track);
  a("preDNAT", s.pre_dnat);
  a("applyOnForward", s.apply_on_forward);
  a("isForEveryNode", s.is_for_every_node);
}

template <class A, Is<ProfileBody> S>
void fields(A& a, S& s) {
  a("labels", s.labels);
  a("isMissing", s.is_missing);
  a("rules", s.rules);
}

template <class A, Is<IpSetDelta> S>
void fields(A& a, S& s) {
  a("what", s.what);
  a("kind", s.kind);
  a("added", s.added);
  a("removed", s.removed);
}

template <class A, Is<ClusterUpdate> S>
void fields(A& a, S& s) {
  a("tiers", s.tiers);
  a("heads", s.heads);
  a("ipSets", s.ip_sets);
  a("policies", s.policies);
  a("profiles", s.profiles);
  a("isInSync", s.is_in_sync);
}

template <class A, Is<NodeDemand> S>
void fields(A& a, S& s) {
  a("policiesAdded", s.policies_added);
  a("policiesRemoved", s.policies_removed);
  a("profilesAdded", s.profiles_added);
  a("profilesRemoved", s.profiles_removed);
}

namespace {

template <class T>
Result<T> read(const json::Value& value, std::string_view what) {
  T out;
  if (exchange::get(value, out)) return out;
  return invalid(std::string("this is no ").append(what));
}

}  // namespace

json::Value to_json(const ClusterUpdate& update) { return exchange::put(update); }
json::Value to_json(const NodeDemand& demand) { return exchange::put(demand); }

Result<ClusterUpdate> cluster_update_from_json(const json::Value& value) {
  return read<ClusterUpdate>(value, "update of the cluster half");
}
Result<NodeDemand> demand_from_json(const json::Value& value) {
  return read<NodeDemand>(value, "demand of a node half");
}

}  // namespace margay::policy
