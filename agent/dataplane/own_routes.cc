#include "agent/dataplane/own_routes.h"

#include <linux/rtnetlink.h>

#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

constexpr std::int32_t kProtocolMax = 255;

std::uint32_t metric_of(const std::optional<std::int32_t>& priority, std::uint32_t fallback) {
  return priority && *priority > 0 ? static_cast<std::uint32_t>(*priority) : fallback;
}

// Of the family it is meant for; anything else counts as absent.
std::optional<IpAddress> source_of(const std::optional<IpAddress>& address, IpFamily family) {
  return address && address->family() == family ? address : std::nullopt;
}

}  // namespace

RouteForm form_of(const model::FelixRoutes& settings) {
  RouteForm form;
  form.metric_v4 = metric_of(settings.ipv4_normal_route_priority, form.metric_v4);
  form.metric_v6 = metric_of(settings.ipv6_normal_route_priority, form.metric_v6);
  form.source_v4 = source_of(settings.device_route_source_address, IpFamily::kV4);
  form.source_v6 = source_of(settings.device_route_source_address_ipv6, IpFamily::kV6);
  return form;
}

std::uint8_t protocol_of(const model::FelixRoutes& settings, std::uint8_t fallback, FieldErrors& problems) {
  if (!settings.device_route_protocol) return fallback;
  const std::int32_t number = *settings.device_route_protocol;
  const bool is_taken = number <= RTPROT_STATIC || number == RTPROT_RA || number == RTPROT_DHCP;
  if (!is_taken && number <= kProtocolMax) return static_cast<std::uint8_t>(number);
  problems.push_back({FieldError::Kind::kInvalid, "spec.deviceRouteProtocol",
                      concat(number, " is the number of routes that are not ours; ", int{fallback}, " is used")});
  return fallback;
}

route::RouteKey OwnRoutes::key_of(const IpPrefix& prefix) const {
  return {.table = route::kMainTable, .prefix = prefix, .metric = prefix.is_v4() ? form_.metric_v4 : form_.metric_v6};
}

// The driver adds before it removes: with another metric both are there for a moment.
bool OwnRoutes::set_form(const RouteForm& form) {
  if (form == form_) return false;
  for (const auto& [address, interface] : workloads_)
    driver_.remove_route(route::Source::kLocalWorkload, key_of(address));
  for (const IpPrefix& block : blocks_) driver_.remove_route(route::Source::kBlackhole, key_of(block));
  form_ = form;
  for (const auto& [address, interface] : workloads_) put(address, interface);
  for (const IpPrefix& block : blocks_) put_block(block);
  return true;
}

void OwnRoutes::put(const IpPrefix& address, IfIndex interface) {
  route::Route route{.hops = {{.interface = interface}}};
  route.preferred_source = address.is_v4() ? form_.source_v4 : form_.source_v6;
  driver_.set_route(route::Source::kLocalWorkload, key_of(address), std::move(route));
}

void OwnRoutes::put_block(const IpPrefix& block) {
  driver_.set_route(route::Source::kBlackhole, key_of(block), {.type = route::RouteType::kBlackhole});
}

void OwnRoutes::set_workload(const IpPrefix& address, std::optional<IfIndex> interface) {
  if (interface) {
    workloads_.insert_or_assign(address, *interface);
    return put(address, *interface);
  }
  workloads_.erase(address);
  driver_.remove_route(route::Source::kLocalWorkload, key_of(address));
}

void OwnRoutes::set_blocks(const std::set<IpPrefix>& blocks) {
  for (const IpPrefix& block : blocks_) {
    if (!blocks.contains(block)) driver_.remove_route(route::Source::kBlackhole, key_of(block));
  }
  blocks_.clear();
  for (const IpPrefix& block : blocks) {
    if (block.is_host()) continue;
    blocks_.insert(block);
    put_block(block);
  }
}

}  // namespace margay::agent
