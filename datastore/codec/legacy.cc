#include "datastore/codec/legacy.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/text.h"
#include "base/json/yaml.h"

namespace margay::codec {
namespace {

using json::Value;

// What may be a name of an object, from any text.
std::string name_from(std::string_view text) {
  std::string name;
  for (const char c : to_lower(text)) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_kept) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '-') {
      name.push_back('-');
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

Value new_object(std::string_view kind, std::string_view name) {
  Value object = json::Object();
  object["apiVersion"] = Value("projectcalico.org/v3");
  object["kind"] = Value(kind);
  object["metadata"]["name"] = Value(name);
  object["spec"] = json::Object();
  return object;
}

// from[from_name] as to[to_name], if it is there.
void move_member(const Value& from, std::string_view from_name, Value& to, std::string_view to_name) {
  const Value* member = from.find(from_name);
  if (member != nullptr && !member->is_null()) to[to_name] = *member;
}

void move_members(const Value& from, Value& to, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) move_member(from, name, to, name);
}

// A member of `object`, null when there is none.
const Value& part(const Value& object, std::string_view name) {
  static const Value kNull;
  const Value* found = object.find(name);
  return found == nullptr ? kNull : *found;
}

std::string capitalised(std::string_view word) {
  std::string out = to_lower(word);
  if (out == "next-tier") return "Pass";
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

Value new_protocol(const Value& old) {
  if (old.as_string() == nullptr) return old;
  constexpr std::string_view kNames[] = {"TCP", "UDP", "ICMP", "ICMPv6", "SCTP", "UDPLite"};
  for (const std::string_view name : kNames) {
    if (equals_ignoring_case(name, *old.as_string())) return Value(name);
  }
  return old;
}

Value new_entity(const Value& old) {
  Value entity = json::Object();
  for (const auto& [one, many] : {std::pair("net", "nets"), std::pair("notNet", "notNets")}) {
    if (const Value* net = old.find(one)) entity[many] = Value(json::Array{*net});
  }
  move_members(old, entity, {"nets", "notNets", "selector", "notSelector", "ports", "notPorts"});
  for (const auto& [tag, selector] : {std::pair("tag", "selector"), std::pair("notTag", "notSelector")}) {
    if (const std::string_view name = old.string_at({tag}); !name.empty()) {
      entity[selector] = Value(concat("has(", name, ")"));  // tags became labels
    }
  }
  return entity;
}

Value new_rules(const Value& old) {
  if (old.as_array() == nullptr) return old;
  json::Array rules;
  for (const Value& old_rule : *old.as_array()) {
    Value rule = json::Object();
    rule["action"] = Value(capitalised(old_rule.string_at({"action"})));
    move_members(old_rule, rule, {"ipVersion", "icmp"});
    move_member(old_rule, "notICMP", rule, "notICMP");
    for (const std::string_view name : {"protocol", "notProtocol"}) {
      if (const Value* protocol = old_rule.find(name)) rule[name] = new_protocol(*protocol);
    }
    for (const std::string_view name : {"source", "destination"}) {
      if (const Value* entity = old_rule.find(name)) rule[name] = new_entity(*entity);
    }
    rules.push_back(std::move(rule));
  }
  return Value(std::move(rules));
}

void add_rules(const Value& old_spec, Value& spec) {
  for (const std::string_view direction : {"ingress", "egress"}) {
    if (const Value* rules = old_spec.find(direction)) spec[direction] = new_rules(*rules);
  }
}

Value new_bgp_peer(const Value& old) {
  const Value& metadata = part(old, "metadata");
  const std::string_view peer = metadata.string_at({"peerIP"});
  const std::string_view node = metadata.string_at({"node"});
  std::string name(metadata.string_at({"name"}));
  if (name.empty()) name = name_from(concat(node.empty() ? "peer" : node, "-", peer));
  Value object = new_object("BGPPeer", name);
  move_members(metadata, object["spec"], {"node", "peerIP"});
  if (const json::Object* spec = part(old, "spec").as_object()) {
    for (const json::Member& member : *spec) object["spec"][member.name] = member.value;
  }
  return object;
}

Value new_pool(const Value& old) {
  const std::string_view cidr = part(old, "metadata").string_at({"cidr"});
  const Value& old_spec = part(old, "spec");
  Value object = new_object("IPPool", name_from(concat("pool-", cidr)));
  Value& spec = object["spec"];
  spec["cidr"] = Value(cidr);
  const Value* is_on = old_spec.find({"ipip", "enabled"});
  const std::string_view mode = old_spec.string_at({"ipip", "mode"});
  const bool has_ipip = is_on != nullptr && is_on->as_bool() != nullptr && *is_on->as_bool();
  if (has_ipip) spec["ipipMode"] = Value(mode == "cross-subnet" ? "CrossSubnet" : "Always");
  move_member(old_spec, "nat-outgoing", spec, "natOutgoing");
  move_member(old_spec, "disabled", spec, "disabled");
  return object;
}

Value new_policy(const Value& old) {
  Value object = new_object("GlobalNetworkPolicy", name_from(part(old, "metadata").string_at({"name"})));
  const Value& old_spec = part(old, "spec");
  Value& spec = object["spec"];
  move_members(old_spec, spec, {"order", "selector", "doNotTrack", "preDNAT", "applyOnForward"});
  if (const Value* types = old_spec.find("types"); types != nullptr && types->as_array() != nullptr) {
    for (const Value& type : *types->as_array()) {
      if (type.as_string() != nullptr) spec["types"].make_array().emplace_back(capitalised(*type.as_string()));
    }
  }
  add_rules(old_spec, spec);
  return object;
}

Value new_profile(const Value& old) {
  const Value& metadata = part(old, "metadata");
  Value object = new_object("Profile", name_from(metadata.string_at({"name"})));
  add_rules(part(old, "spec"), object["spec"]);
  move_member(metadata, "labels", object["spec"], "labelsToApply");
  if (const json::Array* tags = part(metadata, "tags").as_array()) {
    for (const Value& tag : *tags) {
      if (tag.as_string() != nullptr) object["spec"]["labelsToApply"][*tag.as_string()] = Value("");
    }
  }
  return object;
}

Value new_host_endpoint(const Value& old) {
  const Value& metadata = part(old, "metadata");
  Value object = new_object("HostEndpoint", name_from(metadata.string_at({"name"})));
  move_member(metadata, "labels", object["metadata"], "labels");
  move_member(metadata, "node", object["spec"], "node");
  move_members(part(old, "spec"), object["spec"], {"interfaceName", "expectedIPs", "profiles"});
  return object;
}

// The settings of a node became annotations of its Kubernetes object.
Value new_node(const Value& old) {
  Value object = json::Object();
  object["apiVersion"] = Value("v1");
  object["kind"] = Value("Node");
  move_members(part(old, "metadata"), object["metadata"], {"name"});
  const Value& bgp = part(part(old, "spec"), "bgp");
  for (const auto& [name, annotation] : {std::pair("ipv4Address", "IPv4Address"),
                                         std::pair("ipv6Address", "IPv6Address"), std::pair("asNumber", "ASNumber")}) {
    const Value* value = bgp.find(name);
    if (value == nullptr || value->is_null()) continue;
    const std::string text = value->as_string() != nullptr ? *value->as_string() : json::dump(*value);
    object["metadata"]["annotations"][concat("projectcalico.org/", annotation)] = Value(text);
  }
  return object;
}

Value new_tier(const Value& old) {
  Value object = new_object("Tier", name_from(part(old, "metadata").string_at({"name"})));
  move_members(part(old, "spec"), object["spec"], {"order"});
  return object;
}

struct OldKind {
  std::string_view name;
  Value (*renew)(const Value& old);
};
constexpr OldKind kOldKinds[] = {
    {"bgpPeer", &new_bgp_peer},           {"ipPool", &new_pool}, {"policy", &new_policy}, {"profile", &new_profile},
    {"hostEndpoint", &new_host_endpoint}, {"node", &new_node},   {"tier", &new_tier},
};

FieldErrors explained(std::string_view path, std::string_view found, const Value& renewed) {
  const std::string form = json::dump_yaml(renewed);
  return {{FieldError::Kind::kInvalid, std::string(path),
           concat(found, ", a form that ended with Calico 2; write instead:\n", trim(form))}};
}

constexpr std::string_view kPeerMembers[] = {"scope", "peerIP", "node"};

// Books write "Node" too.
Value with_known_names(Value object) {
  Value* metadata = object.find("metadata");
  if (metadata == nullptr || metadata->as_object() == nullptr) return object;
  for (json::Member& member : *metadata->as_object()) {
    for (const std::string_view name : kPeerMembers) {
      if (equals_ignoring_case(member.name, name) && metadata->find(name) == nullptr) member.name = name;
    }
  }
  return object;
}

}  // namespace

std::optional<FieldErrors> explain_legacy(const json::Value& object) {
  const std::string_view version = object.string_at({"apiVersion"});
  const std::string_view kind = object.string_at({"kind"});
  if (version == "v1") {
    for (const OldKind& old : kOldKinds) {
      if (old.name == kind)
        return explained("kind", concat("found kind ", kind, " in apiVersion v1"), old.renew(with_known_names(object)));
    }
    return std::nullopt;
  }
  if (!version.starts_with("projectcalico.org/") || kind != "BGPPeer") return std::nullopt;
  const Value known = with_known_names(object);
  for (const std::string_view name : kPeerMembers) {
    if (known.find({"metadata", name}) == nullptr) continue;
    return explained(concat("metadata.", name), concat("found ", name, " in metadata"), new_bgp_peer(known));
  }
  return std::nullopt;
}

}  // namespace margay::codec
