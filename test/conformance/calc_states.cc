#include "test/conformance/calc_states.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using model::Kind;
using model::ObjectKey;
using policy::Input;
using policy::Shared;

template <class T>
std::shared_ptr<T> decoded(const json::Value& value) {
  json::Document document;
  const std::string text = json::dump(value);
  auto out = std::make_shared<T>();
  const FieldErrors errors = codec::decode(*document.parse(text), *out);
  MARGAY_CHECK(errors.empty());
  return out;
}

json::Value named(std::string_view name) {
  json::Value out;
  out["metadata"]["name"] = json::Value(name);
  return out;
}

void copy_to(json::Value& to, std::string_view name, const json::Value& from, std::string_view member) {
  const json::Value& value = get(from, member);
  if (!value.is_null()) to[name] = value;
}

// "tcp", "udp", "sctp" as objects of v3 write them.
json::Value upper_protocol(const json::Value& from) {
  const std::string* name = from.as_string();
  if (name == nullptr) return from;
  const std::pair<std::string_view, const char*> names[] = {{"tcp", "TCP"}, {"udp", "UDP"}, {"sctp", "SCTP"}};
  for (const auto& [lower, upper] : names) {
    if (*name == lower) return {upper};
  }
  return from;
}

void add_end(json::Value& rule, std::string_view end, const json::Value& from, std::string_view prefix) {
  json::Value out = json::Object();
  copy_to(out, "selector", from, concat(prefix, "_selector"));
  copy_to(out, "notSelector", from, concat("!", prefix, "_selector"));
  copy_to(out, "ports", from, concat(prefix, "_ports"));
  copy_to(out, "notPorts", from, concat("!", prefix, "_ports"));
  if (const json::Value& service = get(from, concat(prefix, "_service")); !service.is_null()) {
    out["services"]["name"] = service;
    copy_to(out["services"], "namespace", from, concat(prefix, "_service_ns"));
  }
  const json::Value& accounts = get(from, concat("orig_", prefix, "_service_acct_selector"));
  if (!accounts.is_null()) out["serviceAccounts"]["selector"] = accounts;
  if (!out.as_object()->empty()) rule[end] = std::move(out);
}

json::Value rules(const json::Value& from) {
  json::Array out;
  if (from.as_array() == nullptr) return {std::move(out)};
  for (const json::Value& old : *from.as_array()) {
    json::Value rule = json::Object();
    const std::string_view action = old.string_at({"action"});
    rule["action"] = json::Value(action.empty() ? "Allow" : action);
    if (const json::Value& name = get(old, "protocol"); !name.is_null()) rule["protocol"] = upper_protocol(name);
    copy_to(rule, "http", old, "http");
    add_end(rule, "source", old, "src");
    add_end(rule, "destination", old, "dst");
    out.push_back(std::move(rule));
  }
  return {std::move(out)};
}

// The older model names no types where both are meant.
json::Value types(const json::Value& from) {
  if (from.as_array() == nullptr) return {json::Array{"Ingress", "Egress"}};
  json::Array out;
  for (const json::Value& type : *from.as_array()) out.push_back(*type.as_string() == "ingress" ? "Ingress" : "Egress");
  return {std::move(out)};
}

Input policy_input(std::string_view name, const json::Value& from) {
  json::Value object = named(name);
  json::Value& spec = object["spec"];
  copy_to(spec, "tier", from, "tier");
  copy_to(spec, "order", from, "order");
  copy_to(spec, "selector", from, "selector");
  copy_to(spec, "performanceHints", from, "performance_hints");
  const bool is_pre_dnat = !get(from, "pre_dnat").is_null();
  const bool is_untracked = !get(from, "untracked").is_null();
  spec["types"] = is_pre_dnat ? json::Value(json::Array{"Ingress"}) : types(get(from, "types"));
  if (is_pre_dnat) spec["preDNAT"] = true;
  if (is_untracked) spec["doNotTrack"] = true;
  if (is_pre_dnat || is_untracked) spec["applyOnForward"] = true;
  spec["ingress"] = rules(get(from, "inbound_rules"));
  if (!is_pre_dnat) spec["egress"] = rules(get(from, "outbound_rules"));
  return {.key = {.kind = Kind::kGlobalNetworkPolicy, .name_space = "", .name = std::string(name)},
          .value = Shared<model::GlobalNetworkPolicy>(decoded<model::GlobalNetworkPolicy>(object))};
}

json::Value ports(const json::Value& from) {
  json::Array out;
  if (from.as_array() != nullptr) out = *from.as_array();
  for (json::Value& port : out) port["protocol"] = upper_protocol(get(port, "protocol"));
  return {std::move(out)};
}

void append_all(json::Array& to, const json::Value& from) {
  if (from.as_array() != nullptr) to.insert(to.end(), from.as_array()->begin(), from.as_array()->end());
}

// host/NODE/workload/ORCHESTRATOR/WORKLOAD/endpoint/NAME
Input workload_input(const std::vector<std::string_view>& path, const json::Value& from) {
  const std::string name = concat(path[4], "/", path[5], "/", path[7]);
  json::Value object = named(name);
  object["metadata"]["labels"] = get(from, "labels");
  json::Value& spec = object["spec"];
  spec["node"] = json::Value(path[2]);
  copy_to(spec, "interfaceName", from, "name");
  json::Array nets;
  append_all(nets, get(from, "ipv4_nets"));
  append_all(nets, get(from, "ipv6_nets"));
  spec["ipNetworks"] = json::Value(std::move(nets));
  copy_to(spec, "profiles", from, "profile_ids");
  spec["ports"] = ports(get(from, "ports"));
  return {.key = {.kind = Kind::kWorkloadEndpoint, .name_space = "", .name = name},
          .value = Shared<model::WorkloadEndpoint>(decoded<model::WorkloadEndpoint>(object))};
}

// host/NODE/endpoint/NAME
Input host_input(const std::vector<std::string_view>& path, const json::Value& from) {
  json::Value object = named(path[4]);
  object["metadata"]["labels"] = get(from, "labels");
  json::Value& spec = object["spec"];
  spec["node"] = json::Value(path[2]);
  copy_to(spec, "interfaceName", from, "name");
  json::Array addresses;
  append_all(addresses, get(from, "expected_ipv4_addrs"));
  append_all(addresses, get(from, "expected_ipv6_addrs"));
  spec["expectedIPs"] = json::Value(std::move(addresses));
  copy_to(spec, "profiles", from, "profile_ids");
  spec["ports"] = ports(get(from, "ports"));
  return {.key = {.kind = Kind::kHostEndpoint, .name_space = "", .name = std::string(path[4])},
          .value = Shared<model::HostEndpoint>(decoded<model::HostEndpoint>(object))};
}

Input set_input(std::string_view name, const json::Value& from) {
  json::Value object = named(name);
  object["metadata"]["labels"] = get(from, "labels");
  object["spec"]["nets"] = get(from, "nets");
  return {.key = {.kind = Kind::kGlobalNetworkSet, .name_space = "", .name = std::string(name)},
          .value = Shared<model::GlobalNetworkSet>(decoded<model::GlobalNetworkSet>(object))};
}

Input slice_input(std::string_view name, const json::Value& from) {
  json::Value object = from;
  object["addressType"] = "IPv4";
  return {.key = {.kind = Kind::kEndpointSlice, .name_space = "default", .name = std::string(name)},
          .value = Shared<model::EndpointSlice>(decoded<model::EndpointSlice>(object))};
}

Input tier_input(std::string_view name, const json::Value& from) {
  json::Value object = named(name);
  object["spec"] = from;
  return {.key = {.kind = Kind::kTier, .name_space = "", .name = std::string(name)},
          .value = Shared<model::Tier>(decoded<model::Tier>(object))};
}

// Rules and labels of profiles by name, until both have been seen.
using Profiles = std::map<std::string, json::Value>;

void add_profile_rules(Profiles& profiles, std::string_view name, const json::Value& from) {
  json::Value& spec = profiles.try_emplace(std::string(name), named(name)).first->second["spec"];
  spec["ingress"] = rules(get(from, "inbound_rules"));
  spec["egress"] = rules(get(from, "outbound_rules"));
}

void add_profile_labels(Profiles& profiles, std::string_view name, const json::Value& from) {
  json::Value& spec = profiles.try_emplace(std::string(name), named(name)).first->second["spec"];
  copy_to(spec, "labelsToApply", get(from, "spec"), "labelsToApply");
}

Input profile_input(const std::string& name, const json::Value& object) {
  return {.key = {.kind = Kind::kProfile, .name_space = "", .name = name},
          .value = Shared<model::Profile>(decoded<model::Profile>(object))};
}

}  // namespace

std::vector<Input> inputs_of(const json::Value& state) {
  std::vector<Input> out;
  Profiles profiles;
  for (const json::Value& entry : *state.as_array()) {
    const std::string_view type = entry.string_at({"key_type"});
    const std::vector<std::string_view> path = split(entry.string_at({"key"}).substr(1), '/');
    const std::vector<std::string_view> below(path.begin() + 1, path.end());  // without "calico"
    const json::Value& value = get(entry, "value");
    if (type == "TierKey") out.push_back(tier_input(path[4], value));
    if (type == "PolicyKey") out.push_back(policy_input(path.back(), value));
    if (type == "WorkloadEndpointKey") out.push_back(workload_input(below, value));
    if (type == "HostEndpointKey") out.push_back(host_input(below, value));
    if (type == "NetworkSetKey") out.push_back(set_input(path.back(), value));
    if (type == "ProfileRulesKey") add_profile_rules(profiles, path[4], value);
    if (type == "ResourceKey" && path[4] == "profiles") add_profile_labels(profiles, path.back(), value);
    if (type == "ResourceKey" && path[4] == "kubernetesendpointslices") {
      out.push_back(slice_input(path.back(), value));
    }
  }
  for (const auto& [name, object] : profiles) out.push_back(profile_input(name, object));
  return out;
}

json::Value comparable(const json::Value& expected) {
  json::Value out = json::Object();
  out["ip_sets"] = json::Object();
  for (const json::Member& set : *get(expected, "ip_sets").as_object()) {
    if (set.name == "all-istio-weps") continue;
    json::Array members = *set.value.as_array();
    const auto before = [](const json::Value& a, const json::Value& b) { return *a.as_string() < *b.as_string(); };
    std::sort(members.begin(), members.end(), before);
    out["ip_sets"][set.name] = json::Value(std::move(members));
  }
  std::set<std::string> policies;
  for (const json::Value& policy : *get(expected, "active_policies").as_array()) {
    policies.insert(std::string(policy.string_at({"name"})));
  }
  out["active_policies"] = json::Value(json::Array(policies.begin(), policies.end()));
  out["active_profiles"] = get(expected, "active_profiles");
  for (const char* list : {"endpoint_tiers", "untracked_tiers", "pre_dnat_tiers"}) {
    out[list] = json::Object();
    for (const json::Member& endpoint : *get(expected, list).as_object()) {
      json::Array tiers;
      for (const json::Value& tier : *endpoint.value.as_array()) {
        std::string text = concat(tier.string_at({"tier"}), ":");
        for (const char* direction : {"ingress", "egress"}) {
          text.append(concat(" ", direction));
          for (const json::Value& policy : *get(tier, direction).as_array()) {
            text.append(concat(" ", policy.string_at({"name"})));
          }
        }
        tiers.emplace_back(std::move(text));
      }
      out[list][endpoint.name] = json::Value(std::move(tiers));
    }
  }
  return out;
}

}  // namespace margay::conformance
