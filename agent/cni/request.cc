#include "agent/cni/request.h"

#include <algorithm>

#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::agent {
namespace {

constexpr std::string_view kPrefix = "cni.projectcalico.org/";

Result<std::vector<std::string>> strings(const json::Value* value, std::string_view what) {
  std::vector<std::string> out;
  if (value == nullptr || value->is_null()) return out;
  if (value->as_array() == nullptr)
    return invalid(concat(what, ": a list of texts is wanted, not ", to_string(value->type())));
  for (const json::Value& each : *value->as_array()) {
    if (each.as_string() == nullptr) return invalid(concat(what, ": a text is wanted, not ", to_string(each.type())));
    out.push_back(*each.as_string());
  }
  return out;
}

// true, false, "true", "false"
Result<std::optional<bool>> boolean(const json::Value* value, std::string_view what) {
  if (value == nullptr || value->is_null()) return std::optional<bool>();
  if (value->as_bool() != nullptr) return std::optional<bool>(*value->as_bool());
  const std::string text = value->as_string() == nullptr ? "" : to_lower(*value->as_string());
  if (text == "true" || text == "false") return std::optional<bool>(text == "true");
  return invalid(concat(what, R"(: "true" or "false" is wanted)"));
}

Result<std::vector<IpAddress>> parse_addresses(const std::vector<std::string>& texts, std::string_view what) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) {
    const auto prefix = IpPrefix::parse_cidr_or_address(trim(text));
    if (!prefix.ok() || !prefix->is_host()) return invalid(concat(what, ": ", quoted(text), " is no address"));
    out.push_back(prefix->first());
  }
  return out;
}

// The annotation as a list: the pod's, else the namespace's.
Result<std::vector<std::string>> annotation(const PlanInput& input, std::string_view name) {
  const std::string key = concat(kPrefix, name);
  auto text = input.pod_annotations.find(key);
  if (!text) text = input.namespace_annotations.find(key);
  if (!text || text->empty()) return std::vector<std::string>{};
  const auto parsed = json::parse(*text);
  if (!parsed.ok()) return invalid(concat("annotation ", key, ": ", parsed.error().message));
  return strings(&parsed.value(), concat("annotation ", key));
}

bool has_pool(const PlanInput& input, IpFamily family) {
  return std::any_of(input.pools.begin(), input.pools.end(), [family](const model::IpPool* pool) {
    return !pool->spec.disabled && pool->spec.cidr.family() == family &&
           ipam::allows(*pool, model::IpPoolUse::kWorkload);
  });
}

// What the annotation says, else the configuration, else whatever there are pools for.
Result<std::vector<IpFamily>> families(const PlanInput& input) {
  std::vector<IpFamily> out;
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> wanted, annotation(input, "ipFamilies"));
  for (const std::string& text : wanted) {
    const std::string lower = to_lower(text);
    if (lower != "ipv4" && lower != "ipv6")
      return invalid(concat("annotation ", kPrefix, "ipFamilies: ", quoted(text)));
    out.push_back(lower == "ipv4" ? IpFamily::kV4 : IpFamily::kV6);
  }
  if (!out.empty()) return out;
  const CniRequest& request = input.request;
  const bool is_said = request.assign_v4 || request.assign_v6;
  if (is_said ? request.assign_v4.value_or(true) : has_pool(input, IpFamily::kV4)) out.push_back(IpFamily::kV4);
  if (is_said ? request.assign_v6.value_or(false) : has_pool(input, IpFamily::kV6)) out.push_back(IpFamily::kV6);
  if (out.empty()) return Error{ErrorCode::kNotFound, "there is no IP pool that workloads may use"};
  return out;
}

Result<std::vector<ipam::PoolRange>> pools_for(const PlanInput& input, IpFamily family) {
  const bool is_v4 = family == IpFamily::kV4;
  MARGAY_ASSIGN_OR_RETURN(std::vector<std::string> requested, annotation(input, is_v4 ? "ipv4pools" : "ipv6pools"));
  if (requested.empty()) requested = is_v4 ? input.request.pools_v4 : input.request.pools_v6;
  return ipam::select_pools(input.pools, {.family = family,
                                          .node_labels = input.node_labels,
                                          .namespace_labels = input.namespace_labels,
                                          .requested = std::move(requested)});
}

// Pools that an address may be of when it is asked for by itself: any that workloads may use.
std::vector<ipam::PoolRange> pools_with(const PlanInput& input, const IpAddress& address) {
  std::vector<ipam::PoolRange> out;
  for (const model::IpPool* pool : input.pools) {
    const bool fits = !pool->spec.disabled && ipam::allows(*pool, model::IpPoolUse::kWorkload);
    if (fits && pool->spec.cidr.contains(address)) out.push_back(ipam::PoolRange::of(*pool));
  }
  return out;
}

Result<std::vector<IpAddress>> fixed_addresses(const PlanInput& input) {
  if (!input.request.addresses.empty()) return input.request.addresses;
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> texts, annotation(input, "ipAddrs"));
  return parse_addresses(texts, concat("annotation ", kPrefix, "ipAddrs"));
}

Status add_unmanaged(const PlanInput& input, AddressPlan& plan) {
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> texts, annotation(input, "ipAddrsNoIpam"));
  if (texts.empty()) return ok_status();
  if (!input.request.allow_no_ipam) {
    return invalid(concat("annotation ", kPrefix,
                          "ipAddrsNoIpam needs feature_control.ip_addrs_no_ipam in the plugin's configuration"));
  }
  MARGAY_ASSIGN_OR_RETURN(const std::vector<IpAddress> list,
                          parse_addresses(texts, concat("annotation ", kPrefix, "ipAddrsNoIpam")));
  for (const IpAddress& address : list) plan.unmanaged.push_back(IpPrefix::host(address));
  return ok_status();
}

}  // namespace

std::string CniRequest::handle() const { return ipam::container_handle(network, container); }

Result<CniRequest> CniRequest::parse(std::string_view body) {
  MARGAY_ASSIGN_OR_RETURN(const json::Value value, json::parse(body));
  CniRequest out;
  const auto text = [&value](std::string_view name, std::string fallback = "") {
    const std::string_view found = value.string_at({name});
    return found.empty() ? std::move(fallback) : std::string(found);
  };
  out.container = text("container");
  out.network = text("network", out.network);
  out.interface = text("interface", out.interface);
  out.netns = text("netns");
  out.pod_namespace = text("podNamespace");
  out.pod_name = text("podName");
  out.pod_uid = text("podUid");
  if (const json::Value* flag = value.find("planFirst"))
    out.wants_plan_first = flag->as_bool() != nullptr && *flag->as_bool();
  if (const json::Value* flag = value.find("ipamOnly"))
    out.is_ipam_only = flag->as_bool() != nullptr && *flag->as_bool();
  if (const json::Value* flag = value.find("allowNoIpam"))
    out.allow_no_ipam = flag->as_bool() != nullptr && *flag->as_bool();
  if (const json::Value* mtu = value.find("mtu"); mtu != nullptr && mtu->as_integer() != nullptr)
    out.mtu = *mtu->as_integer();
  if (const json::Value* wait = value.find("waitSeconds"); wait != nullptr && wait->as_integer() != nullptr) {
    out.wait_seconds = *wait->as_integer();
  }
  MARGAY_ASSIGN_OR_RETURN(out.pools_v4, strings(value.find({"ipam", "ipv4_pools"}), "ipam.ipv4_pools"));
  MARGAY_ASSIGN_OR_RETURN(out.pools_v6, strings(value.find({"ipam", "ipv6_pools"}), "ipam.ipv6_pools"));
  MARGAY_ASSIGN_OR_RETURN(out.assign_v4, boolean(value.find({"ipam", "assign_ipv4"}), "ipam.assign_ipv4"));
  MARGAY_ASSIGN_OR_RETURN(out.assign_v6, boolean(value.find({"ipam", "assign_ipv6"}), "ipam.assign_ipv6"));
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> ips, strings(value.find("ips"), "ips"));
  MARGAY_ASSIGN_OR_RETURN(out.addresses, parse_addresses(ips, "IP"));
  if (out.container.empty()) return invalid("container: is missing");
  return out;
}

Result<AddressPlan> plan_addresses(const PlanInput& input) {
  AddressPlan plan;
  if (const auto mac = input.pod_annotations.find(concat(kPrefix, "hwAddr"))) {
    const auto parsed = Mac::parse(*mac);
    if (!parsed.ok()) return invalid(concat("annotation ", kPrefix, "hwAddr: ", parsed.error().message));
    plan.mac = parsed.value();
  }
  MARGAY_RETURN_IF_ERROR(add_unmanaged(input, plan));
  if (!plan.unmanaged.empty()) return plan;
  MARGAY_ASSIGN_OR_RETURN(const std::vector<IpAddress> fixed, fixed_addresses(input));
  for (const IpAddress& address : fixed) {
    ipam::Demand demand{.family = address.family(), .pools = pools_with(input, address), .address = address};
    if (demand.pools.empty()) {
      return Error{ErrorCode::kNotFound, concat(address.to_string(), " is in no IP pool that workloads may use")};
    }
    plan.demands.push_back(std::move(demand));
  }
  if (!fixed.empty()) return plan;
  MARGAY_ASSIGN_OR_RETURN(const std::vector<IpFamily> wanted, families(input));
  for (const IpFamily family : wanted) {
    MARGAY_ASSIGN_OR_RETURN(std::vector<ipam::PoolRange> pools, pools_for(input, family));
    plan.demands.push_back({.family = family, .pools = std::move(pools)});
  }
  return plan;
}

}  // namespace margay::agent
