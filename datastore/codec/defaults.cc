#include "datastore/codec/defaults.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/ip/prefix.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/policy.h"

namespace margay::codec {
namespace {

bool is_absent(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member == nullptr || member->is_null();
}

bool is_absent_or_empty(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  if (member == nullptr || member->is_null()) return true;
  if (const json::Array* array = member->as_array()) return array->empty();
  return member->as_string() != nullptr && member->as_string()->empty();
}

bool has_elements(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member != nullptr && member->as_array() != nullptr && !member->as_array()->empty();
}

template <class... Words>
json::Value array_of(Words... words) {
  return json::Value(json::Array{json::Value(words)...});
}

void default_pool(json::Value& spec) {
  const std::string_view text = spec.string_at({"cidr"});
  const Result<IpPrefix> cidr = IpPrefix::parse_containing(text);
  if (!cidr.ok()) return;
  if (!IpPrefix::parse(text).ok()) spec["cidr"] = json::Value(cidr->to_string());
  if (is_absent(spec, "blockSize") || *spec.find("blockSize") == json::Value(0)) {
    spec["blockSize"] = json::Value(cidr->is_v4() ? model::kBlockSizeV4Default : model::kBlockSizeV6Default);
  }
  if (!is_absent_or_empty(spec, "allowedUses")) return;
  const bool is_for_namespaces = !is_absent_or_empty(spec, "namespaceSelector");
  spec["allowedUses"] = is_for_namespaces ? array_of("Workload") : array_of("Workload", "Tunnel");
}

void default_tier(json::Value& spec, std::string_view name) {
  constexpr std::pair<std::string_view, double> kOrders[] = {
      {model::kDefaultTier, model::kDefaultTierOrder},
      {model::kKubeAdminTier, model::kKubeAdminTierOrder},
      {model::kKubeBaselineTier, model::kKubeBaselineTierOrder},
  };
  for (const auto& [built_in, order] : kOrders) {
    if (built_in != name) continue;
    if (is_absent(spec, "order")) spec["order"] = json::Value(static_cast<std::int64_t>(order));
    if (is_absent(spec, "defaultAction"))
      spec["defaultAction"] = json::Value(name == model::kDefaultTier ? "Deny" : "Pass");
  }
}

void default_policy(json::Value& spec) {
  if (is_absent_or_empty(spec, "tier")) spec["tier"] = json::Value(model::kDefaultTier);
  if (spec.string_at({"stagedAction"}) == "Delete" || !is_absent_or_empty(spec, "types")) return;
  if (!has_elements(spec, "egress")) {
    spec["types"] = array_of("Ingress");
  } else {
    spec["types"] = has_elements(spec, "ingress") ? array_of("Ingress", "Egress") : array_of("Egress");
  }
}

void default_ports(json::Value& spec, std::string_view direction) {
  json::Value* rules = spec.find(direction);
  if (rules == nullptr || rules->as_array() == nullptr) return;
  for (json::Value& rule : *rules->as_array()) {
    json::Value* ports = rule.find("ports");
    if (ports == nullptr || ports->as_array() == nullptr) continue;
    for (json::Value& port : *ports->as_array()) {
      if (port.as_object() != nullptr && is_absent(port, "protocol")) port["protocol"] = json::Value("TCP");
    }
  }
}

void default_kubernetes_policy(json::Value& spec) {
  if (spec.string_at({"stagedAction"}) == "Delete") return;
  if (is_absent(spec, "podSelector")) spec["podSelector"] = json::Value(json::Object());
  default_ports(spec, "ingress");
  default_ports(spec, "egress");
  if (!is_absent_or_empty(spec, "policyTypes")) return;
  spec["policyTypes"] = has_elements(spec, "egress") ? array_of("Ingress", "Egress") : array_of("Ingress");
}

}  // namespace

void apply_defaults(model::Kind kind, json::Value& object) {
  using model::Kind;
  json::Value* spec = object.find("spec");
  if (spec == nullptr || spec->as_object() == nullptr) return;
  if (kind == Kind::kIpPool) {
    default_pool(*spec);
  } else if (kind == Kind::kTier) {
    default_tier(*spec, object.string_at({"metadata", "name"}));
  } else if (kind == Kind::kKubernetesNetworkPolicy || kind == Kind::kStagedKubernetesNetworkPolicy) {
    default_kubernetes_policy(*spec);
  } else if (kind == Kind::kNetworkPolicy || kind == Kind::kGlobalNetworkPolicy || kind == Kind::kStagedNetworkPolicy ||
             kind == Kind::kStagedGlobalNetworkPolicy) {
    default_policy(*spec);
  }
}

}  // namespace margay::codec
