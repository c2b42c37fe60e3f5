#include "agent/bgp/service_routes.h"

#include <algorithm>

namespace margay::agent {
namespace {

bool is_inside(const std::vector<IpPrefix>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const IpPrefix& range) { return range.contains(address); });
}

bool is_single(const std::vector<IpPrefix>& ranges, const IpAddress& address) {
  return std::find(ranges.begin(), ranges.end(), IpPrefix::host(address)) != ranges.end();
}

}  // namespace

ServiceRoutes::Facts ServiceRoutes::facts_of(const model::Service& service) {
  Facts facts;
  if (service.spec.type == model::ServiceType::kExternalName) return facts;
  facts.is_local = service.spec.external_traffic_policy == model::TrafficPolicy::kLocal;
  facts.has_load_balancer = service.spec.type == model::ServiceType::kLoadBalancer;
  const auto add = [&](const model::ClusterIp& ip) {
    if (ip.address) facts.cluster_ips.push_back(*ip.address);
  };
  for (const model::ClusterIp& ip : service.spec.cluster_ips) add(ip);
  if (service.spec.cluster_ips.empty() && service.spec.cluster_ip) add(*service.spec.cluster_ip);
  facts.external_ips = service.spec.external_ips;
  for (const model::LoadBalancerIngress& ingress : service.status.load_balancer.ingress) {
    if (ingress.ip) facts.load_balancer_ips.push_back(*ingress.ip);
  }
  return facts;
}

ServiceRoutes::Slice ServiceRoutes::slice_of(const model::ObjectKey& key, const model::EndpointSlice& slice) const {
  Slice out;
  out.service = {key.name_space, std::string(slice.metadata.labels.get(model::kServiceNameLabel))};
  out.has_ready_endpoint =
      std::any_of(slice.endpoints.begin(), slice.endpoints.end(), [&](const model::Endpoint& endpoint) {
        return model::node_of(endpoint) == node_ && endpoint.conditions.ready.value_or(true);
      });
  return out;
}

void ServiceRoutes::set_service(const model::ObjectKey& key, const std::shared_ptr<const model::Service>& service) {
  const Name name{key.name_space, key.name};
  if (service == nullptr) {
    if (services_.erase(name) > 0) dirty_.insert(name);
    return;
  }
  Facts facts = facts_of(*service);
  const auto [place, is_new] = services_.try_emplace(name);
  if (!is_new && place->second == facts) return;
  place->second = std::move(facts);
  dirty_.insert(name);
}

void ServiceRoutes::forget_slice(const Name& key) {
  const auto found = slices_.find(key);
  if (found == slices_.end()) return;
  const Name service = found->second.service;
  slices_.erase(found);
  auto& slices = slices_of_[service];
  slices.erase(key);
  if (slices.empty()) slices_of_.erase(service);
  dirty_.insert(service);
}

void ServiceRoutes::set_slice(const model::ObjectKey& key, const std::shared_ptr<const model::EndpointSlice>& slice) {
  const Name name{key.name_space, key.name};
  if (slice == nullptr) return forget_slice(name);
  Slice facts = slice_of(key, *slice);
  const auto found = slices_.find(name);
  if (found != slices_.end() && found->second == facts) return;
  forget_slice(name);
  slices_of_[facts.service].insert(name);
  dirty_.insert(facts.service);
  slices_.emplace(name, std::move(facts));
}

void ServiceRoutes::set_settings(const BgpSettings& settings, bool advertises) {
  const bool is_same = cluster_ranges_ == settings.cluster_ips && external_ranges_ == settings.external_ips &&
                       load_balancer_ranges_ == settings.load_balancer_ips &&
                       aggregates_ == settings.aggregates_load_balancers && advertises_ == advertises;
  if (is_same) return;
  cluster_ranges_ = settings.cluster_ips;
  external_ranges_ = settings.external_ips;
  load_balancer_ranges_ = settings.load_balancer_ips;
  aggregates_ = settings.aggregates_load_balancers;
  advertises_ = advertises;
  is_all_dirty_ = true;
}

bool ServiceRoutes::has_ready_endpoint(const Name& service) const {
  const auto found = slices_of_.find(service);
  if (found == slices_of_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const Name& slice) { return slices_.at(slice).has_ready_endpoint; });
}

std::set<IpPrefix> ServiceRoutes::wanted_of(const Name& service) const {
  std::set<IpPrefix> out;
  const auto found = services_.find(service);
  if (found == services_.end() || !advertises_) return out;
  const Facts& facts = found->second;
  const bool tells_all = facts.is_local && has_ready_endpoint(service);
  const auto add_inside = [&](const std::vector<IpAddress>& addresses, const std::vector<IpPrefix>& ranges) {
    for (const IpAddress& address : addresses) {
      if (is_inside(ranges, address)) out.insert(IpPrefix::host(address));
    }
  };
  if (tells_all) {
    add_inside(facts.cluster_ips, cluster_ranges_);
    add_inside(facts.external_ips, external_ranges_);
    add_inside(facts.load_balancer_ips, load_balancer_ranges_);
  }
  if (facts.is_local || !facts.has_load_balancer) return out;
  for (const IpAddress& address : facts.load_balancer_ips) {
    const bool is_alone = !aggregates_ || is_single(load_balancer_ranges_, address);
    if (is_alone && is_inside(load_balancer_ranges_, address)) out.insert(IpPrefix::host(address));
  }
  return out;
}

void ServiceRoutes::replace(std::set<IpPrefix>& before, std::set<IpPrefix> after) {
  if (before == after) return;
  for (const IpPrefix& prefix : after) {
    if (!before.contains(prefix)) has_changed_ |= ++prefixes_[prefix] == 1;
  }
  for (const IpPrefix& prefix : before) {
    if (after.contains(prefix)) continue;
    const auto count = prefixes_.find(prefix);
    if (--count->second > 0) continue;
    prefixes_.erase(count);
    has_changed_ = true;
  }
  before = std::move(after);
}

bool ServiceRoutes::update() {
  if (is_all_dirty_) {
    std::set<IpPrefix> ranges;
    if (advertises_) {
      ranges.insert(cluster_ranges_.begin(), cluster_ranges_.end());
      ranges.insert(external_ranges_.begin(), external_ranges_.end());
      for (const IpPrefix& range : load_balancer_ranges_) {
        if (aggregates_ && !range.is_host()) ranges.insert(range);
      }
    }
    replace(told_ranges_, std::move(ranges));
    for (const auto& [name, facts] : services_) dirty_.insert(name);
    is_all_dirty_ = false;
  }
  for (const Name& name : std::exchange(dirty_, {})) {
    std::set<IpPrefix> wanted = wanted_of(name);
    if (wanted.empty() && !told_.contains(name)) continue;
    std::set<IpPrefix>& told = told_[name];
    replace(told, std::move(wanted));
    if (told.empty()) told_.erase(name);
  }
  return std::exchange(has_changed_, false);
}

}  // namespace margay::agent
