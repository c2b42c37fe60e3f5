#include "agent/bgp/bgp_settings.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "bgp/objects/object_values.h"

namespace margay::agent {
namespace {

using bgp::Family;
using Spec = model::BgpConfigurationSpec;

std::vector<IpPrefix> ranges_of(const std::vector<model::ServiceAddressBlock>& blocks) {
  std::vector<IpPrefix> out;
  for (const model::ServiceAddressBlock& block : blocks) {
    if (block.cidr) out.push_back(*block.cidr);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::uint32_t priority_of(std::int32_t given) { return given > 0 ? static_cast<std::uint32_t>(given) : 1024; }

// What a node may have of its own.
void take(const Spec& spec, BgpSettings& out) {
  if (spec.as_number) out.asn = *spec.as_number;
  if (spec.listen_port) out.listen_port = spec.listen_port->value();
  if (spec.bind_mode) out.binds_to_node = *spec.bind_mode == model::BgpBindMode::kNodeIp;
  if (!spec.service_cluster_ips.empty()) out.cluster_ips = ranges_of(spec.service_cluster_ips);
  if (!spec.service_external_ips.empty()) out.external_ips = ranges_of(spec.service_external_ips);
  if (!spec.service_load_balancer_ips.empty()) out.load_balancer_ips = ranges_of(spec.service_load_balancer_ips);
  if (spec.service_load_balancer_aggregation) {
    out.aggregates_load_balancers = *spec.service_load_balancer_aggregation == model::Switch::kEnabled;
  }
  if (spec.local_workload_peering_ipv4) out.workload_peering[Family::kIpv4Unicast] = spec.local_workload_peering_ipv4;
  if (spec.local_workload_peering_ipv6) out.workload_peering[Family::kIpv6Unicast] = spec.local_workload_peering_ipv6;
  if (spec.ipv4_normal_route_priority)
    out.priority[Family::kIpv4Unicast] = priority_of(*spec.ipv4_normal_route_priority);
  if (spec.ipv6_normal_route_priority)
    out.priority[Family::kIpv6Unicast] = priority_of(*spec.ipv6_normal_route_priority);
  if (spec.log_severity_screen) out.log_severity = spec.log_severity_screen;
}

using Named = std::map<std::string, model::Community>;

std::vector<BgpSettings::Advertisement> advertisements_of(const Spec& spec, const Named& named, FieldErrors& errors) {
  std::vector<BgpSettings::Advertisement> out;
  for (std::size_t i = 0; i < spec.prefix_advertisements.size(); ++i) {
    const model::PrefixAdvertisement& from = spec.prefix_advertisements[i];
    BgpSettings::Advertisement to{from.cidr, {}};
    for (std::size_t k = 0; k < from.communities.size(); ++k) {
      const auto found = named.find(from.communities[k]);
      const auto value =
          found != named.end() ? Result<model::Community>(found->second) : model::Community::parse(from.communities[k]);
      if (value.ok()) {
        to.communities.push_back(bgp::community_of(*value));
      } else {
        errors.push_back(
            {FieldError::Kind::kInvalid, concat("spec.prefixAdvertisements[", i, "].communities[", k, "]"),
             concat(quoted(from.communities[k]), " is neither a community nor the name of one in spec.communities")});
      }
    }
    out.push_back(std::move(to));
  }
  return out;
}

}  // namespace

void BgpSettings::complete(bgp::rib::LocalRoute& route) const {
  route.priority = priority[bgp::family_of(route.prefix.family())];
  for (const Advertisement& advertisement : advertisements) {
    if (!advertisement.cidr.contains(route.prefix)) continue;
    for (const bgp::AnyCommunity& community : advertisement.communities) bgp::add_community(community, route);
  }
  std::sort(route.communities.begin(), route.communities.end());
  route.communities.erase(std::unique(route.communities.begin(), route.communities.end()), route.communities.end());
  auto& large = route.large_communities;
  std::sort(large.begin(), large.end());
  large.erase(std::unique(large.begin(), large.end()), large.end());
}

void BgpConfigurations::set(const std::string& name, std::shared_ptr<const model::BgpConfiguration> object) {
  if (object == nullptr) {
    objects_.erase(name);
  } else {
    objects_[name] = std::move(object);
  }
}

const Spec* BgpConfigurations::find(const std::string& name) const {
  const auto found = objects_.find(name);
  return found == objects_.end() ? nullptr : &found->second->spec;
}

BgpSettings BgpConfigurations::settings_of(const std::string& node, std::map<std::string, FieldErrors>& errors) const {
  BgpSettings out;
  const std::string own = concat(kNodeConfigurationPrefix, node);
  out.mesh_password = mesh_password();
  if (const Spec* const spec = find(std::string(kDefaultConfiguration))) {
    out.has_mesh = spec->node_to_node_mesh_enabled.value_or(true);
    out.mesh_restart_time = spec->node_mesh_max_restart_time;
  }
  Named named;
  for (const std::string& name : {std::string(kDefaultConfiguration), own}) {
    const Spec* const spec = find(name);
    if (spec == nullptr) continue;
    take(*spec, out);
    for (const model::NamedCommunity& community : spec->communities) named[community.name] = community.value;
    if (spec->prefix_advertisements.empty()) continue;
    FieldErrors wrong;
    out.advertisements = advertisements_of(*spec, named, wrong);
    if (!wrong.empty()) errors[name] = std::move(wrong);
  }
  return out;
}

Asn BgpConfigurations::asn_of(const std::string& node) const {
  const Spec* const own = find(concat(kNodeConfigurationPrefix, node));
  if (own != nullptr && own->as_number) return *own->as_number;
  const Spec* const all = find(std::string(kDefaultConfiguration));
  return all != nullptr && all->as_number ? *all->as_number : BgpSettings().asn;
}

std::uint16_t BgpConfigurations::port_of(const std::string& node) const {
  const Spec* const own = find(concat(kNodeConfigurationPrefix, node));
  if (own != nullptr && own->listen_port) return own->listen_port->value();
  const Spec* const all = find(std::string(kDefaultConfiguration));
  return all != nullptr && all->listen_port ? all->listen_port->value() : BgpSettings().listen_port;
}

std::optional<model::SecretReference> BgpConfigurations::mesh_password() const {
  const Spec* const all = find(std::string(kDefaultConfiguration));
  return all == nullptr ? std::nullopt : all->node_mesh_password;
}

}  // namespace margay::agent
