#include "controllers/loadbalancer/service_wish.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/digest/digest.h"
#include "base/json/value.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kClass = "calico";
constexpr std::string_view kPoolsV4 = "projectcalico.org/ipv4pools";
constexpr std::string_view kPoolsV6 = "projectcalico.org/ipv6pools";
constexpr std::string_view kAddresses = "projectcalico.org/loadBalancerIPs";
constexpr model::IpPoolUse kUse = model::IpPoolUse::kLoadBalancer;

bool asks(const model::Service& service) {
  const StringMap& annotations = service.metadata.annotations;
  return !annotations.get(kPoolsV4).empty() || !annotations.get(kPoolsV6).empty() ||
         !annotations.get(kAddresses).empty();
}

bool is_ours(const ServiceView& view) {
  const model::Service& service = view.service;
  if (service.spec.type != model::ServiceType::kLoadBalancer || service.metadata.deletion_timestamp) return false;
  if (!service.spec.load_balancer_class.empty()) return service.spec.load_balancer_class == kClass;
  return view.assign == model::AssignIps::kAllServices || asks(service);
}

Result<std::vector<std::string>> list_in(const model::Service& service, std::string_view annotation) {
  std::vector<std::string> out;
  const std::string_view text = service.metadata.annotations.get(annotation);
  if (text.empty()) return out;
  const auto parsed = json::parse(text);
  if (!parsed.ok() || parsed->as_array() == nullptr) {
    return invalid(concat("annotation ", annotation, ": a JSON list of texts is wanted"));
  }
  for (const json::Value& each : *parsed->as_array()) {
    if (each.as_string() == nullptr) return invalid(concat("annotation ", annotation, ": a text is wanted"));
    out.push_back(*each.as_string());
  }
  return out;
}

// What is asked for by address; empty: nothing.
Result<std::vector<IpAddress>> fixed_addresses(const model::Service& service) {
  std::vector<IpAddress> out;
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> texts, list_in(service, kAddresses));
  for (const std::string& text : texts) {
    const auto address = IpAddress::parse(trim(text));
    if (!address.ok()) return invalid(concat("annotation ", kAddresses, ": ", quoted(text), " is no address"));
    const bool is_second = std::any_of(out.begin(), out.end(),
                                       [&](const IpAddress& other) { return other.family() == address->family(); });
    if (is_second) {
      return invalid(concat("annotation ", kAddresses, ": more than one address of ", to_string(address->family())));
    }
    out.push_back(*address);
  }
  if (out.empty() && service.spec.load_balancer_ip) out.push_back(*service.spec.load_balancer_ip);
  return out;
}

bool has_pool(const ServiceView& view, IpFamily family) {
  return std::any_of(view.pools.begin(), view.pools.end(), [family](const model::IpPool* pool) {
    return pool->spec.cidr.family() == family && ipam::allows(*pool, kUse);
  });
}

void add_family(std::vector<IpFamily>& families, IpFamily family) {
  if (std::find(families.begin(), families.end(), family) == families.end()) families.push_back(family);
}

// Kubernetes fills in spec.ipFamilies; other servers do not.
std::vector<IpFamily> families_of(const ServiceView& view) {
  std::vector<IpFamily> out;
  const model::ServiceSpec& spec = view.service.spec;
  for (const model::ServiceIpFamily family : spec.ip_families) {
    add_family(out, family == model::ServiceIpFamily::kIpv4 ? IpFamily::kV4 : IpFamily::kV6);
  }
  if (!out.empty()) return out;
  for (const model::ClusterIp& ip : spec.cluster_ips) {
    if (ip.address) add_family(out, ip.address->family());
  }
  if (out.empty() && spec.cluster_ip && spec.cluster_ip->address) out.push_back(spec.cluster_ip->address->family());
  if (!out.empty()) return out;
  const bool only_v6 = !has_pool(view, IpFamily::kV4) && has_pool(view, IpFamily::kV6);
  return {only_v6 ? IpFamily::kV6 : IpFamily::kV4};
}

// Those that are on their way out keep nobody.
template <class Fits>
std::vector<IpPrefix> prefixes_of(const ServiceView& view, IpFamily family, Fits fits) {
  std::vector<IpPrefix> out;
  for (const model::IpPool* pool : view.pools) {
    const bool is_there = ipam::allows(*pool, kUse) && !pool->metadata.deletion_timestamp;
    if (is_there && pool->spec.cidr.family() == family && fits(*pool)) out.push_back(pool->spec.cidr);
  }
  return out;
}
std::vector<IpPrefix> any_pool(const ServiceView& view, IpFamily family) {
  return prefixes_of(view, family, [](const model::IpPool&) { return true; });
}

void note(ServiceWish& wish, std::string_view problem) {
  wish.problem += concat(wish.problem.empty() ? "" : "; ", problem);
}

void wish_for(const ServiceView& view, const IpAddress& address, ServiceWish& wish) {
  AddressWish& one = wish.addresses.emplace_back(AddressWish{.family = address.family(), .address = address});
  one.kept = any_pool(view, address.family());
  for (const model::IpPool* pool : view.pools) {
    const bool fits = ipam::allows(*pool, kUse) && !pool->spec.disabled && pool->spec.cidr.contains(address);
    if (fits) one.pools.push_back(ipam::PoolRange::of(*pool));
  }
  if (one.pools.empty() && !one.accepts(address))
    note(wish, concat(address.to_string(), " is in no IP pool for the use LoadBalancer"));
}

void wish_for(const ServiceView& view, IpFamily family, ServiceWish& wish) {
  AddressWish& one = wish.addresses.emplace_back(AddressWish{.family = family});
  one.kept = any_pool(view, family);
  auto requested = list_in(view.service, family == IpFamily::kV4 ? kPoolsV4 : kPoolsV6);
  if (!requested.ok()) return note(wish, requested.error().message);
  const std::vector<std::string> names = *requested;
  auto pools = ipam::select_pools(view.pools, {.family = family,
                                               .use = kUse,
                                               .namespace_labels = view.namespace_labels,
                                               .requested = std::move(requested).value()});
  if (!pools.ok()) return note(wish, pools.error().message);
  one.pools = std::move(pools).value();
  // Selectors count when an address is given, not for as long as it is held.
  one.kept = prefixes_of(view, family, [&](const model::IpPool& pool) {
    if (names.empty()) return pool.spec.assignment_mode == model::AssignmentMode::kAutomatic;
    return std::any_of(one.pools.begin(), one.pools.end(),
                       [&](const ipam::PoolRange& range) { return range.cidr == pool.spec.cidr; });
  });
  if (one.pools.empty()) {
    note(wish, concat("there is no IP pool of ", to_string(family), " for the use LoadBalancer that may be used here"));
  }
}

}  // namespace

bool AddressWish::accepts(const IpAddress& held) const {
  if (held.family() != family || (address && *address != held)) return false;
  return std::any_of(kept.begin(), kept.end(), [&](const IpPrefix& prefix) { return prefix.contains(held); });
}

ServiceWish wish_of(const ServiceView& view) {
  ServiceWish wish;
  // In a cluster without such pools somebody else may be at work, or nobody.
  const bool has_any = has_pool(view, IpFamily::kV4) || has_pool(view, IpFamily::kV6);
  const bool is_meant = asks(view.service) || view.service.spec.load_balancer_class == kClass;
  wish.is_ours = is_ours(view) && (has_any || is_meant);
  if (!wish.is_ours) return wish;
  const auto fixed = fixed_addresses(view.service);
  if (!fixed.ok()) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      wish.addresses.push_back({.family = family, .kept = any_pool(view, family)});
    }
    wish.problem = fixed.error().message;
  } else if (!fixed->empty()) {
    for (const IpAddress& address : *fixed) wish_for(view, address, wish);
  } else {
    for (const IpFamily family : families_of(view)) wish_for(view, family, wish);
  }
  return wish;
}

std::string service_handle(const model::ObjectMeta& service) {
  const auto digest = digest::sha256(to_lower(concat(service.name, '-', service.name_space, '-', service.uid)));
  std::string handle = "lb-";
  for (const char c : base64_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()))) {
    if (c != '+' && c != '/' && c != '=') handle.push_back(c);
  }
  return to_lower(handle);
}

bool is_load_balancer_address(const std::vector<const model::IpPool*>& pools, const IpAddress& address) {
  return std::any_of(pools.begin(), pools.end(), [&](const model::IpPool* pool) {
    return ipam::allows(*pool, kUse) && pool->spec.cidr.contains(address);
  });
}

}  // namespace margay::controllers
