#include "agent/dataplane/tunnels.h"

#include <algorithm>
#include <utility>

namespace margay::agent {
namespace {

using ipip::Carrier;
using ipip::DeviceKind;
using route::Carriage;

constexpr IfIndex kLoopback{1};  // net/core/dev.c: the first interface of every network namespace
constexpr Carrier kCarriers[] = {Carrier::kPlain, Carrier::kIpip, Carrier::kVxlan};

route::Source source_by(Carrier carrier) {
  switch (carrier) {
    case Carrier::kPlain: return route::Source::kNoEncapsulation;
    case Carrier::kIpip: return route::Source::kIpip;
    case Carrier::kVxlan: return route::Source::kVxlan;
  }
  return route::Source::kStatic;
}

Carriage through(const std::map<DeviceKind, IfIndex>& devices, DeviceKind kind) {
  const auto device = devices.find(kind);
  if (device == devices.end()) return {.kind = Carriage::Kind::kNone};
  return {.kind = Carriage::Kind::kOnlink, .device = device->second};
}

Carriage carriage_of(Carrier carrier, IpFamily family, const std::map<DeviceKind, IfIndex>& devices) {
  switch (carrier) {
    case Carrier::kPlain: return {};
    case Carrier::kIpip: return through(devices, DeviceKind::kIpip);
    case Carrier::kVxlan: return through(devices, ipip::vxlan_of(family));
  }
  return {};
}

void change(std::set<IpAddress>& peers, const ipip::PeerChange& by) {
  for (const IpAddress& address : by.removed) peers.erase(address);
  peers.insert(by.added.begin(), by.added.end());
}

void add_own(std::set<IpAddress>& hosts, const ipip::LocalTunnel& tunnel) {
  if (tunnel.node_address) hosts.insert(*tunnel.node_address);
}

}  // namespace

// The local table is looked into whether this life needs it or not: an earlier one may have left an address there.
Tunnels::Tunnels(route::RouteProgrammer& routes, TunnelPort& devices, EncapsulationPort* encapsulation)
    : routes_(routes), port_(devices), encapsulation_(encapsulation) {
  routes_.driver().add_table(route::kLocalTable);
}

bool Tunnels::is_device(std::string_view name) {
  return std::any_of(std::begin(ipip::kDeviceKinds), std::end(ipip::kDeviceKinds),
                     [name](DeviceKind kind) { return ipip::name_of(kind) == name; });
}

void Tunnels::take(const ipip::PlanDelta& delta) {
  for (const auto& [prefix, route] : delta.routes) {
    due_routes_[prefix] = route;
    note_remote(prefix, route);
  }
  for (const auto& [prefix, is_ours] : delta.local_blocks) {
    is_ours ? void(own_blocks_.insert(prefix)) : void(own_blocks_.erase(prefix));
  }
  for (const auto& [key, vtep] : delta.vteps) port_.set_vtep(key, vtep);
  are_networks_due_ |= delta.local || !delta.ipip_peers.empty() || !delta.vxlan_peers.empty();
  change(ipip_peers_, delta.ipip_peers);
  change(vxlan_peers_, delta.vxlan_peers);
  if (delta.local) {
    local_ = *delta.local;
    tell_devices();
  }
  if (delta.learned_rule != nullptr) {
    is_rule_due_ = is_rule_due_ || *delta.learned_rule != *rule_;
    rule_ = delta.learned_rule;
  }
  tell_encapsulation();
}

// A packet on its way by a route that is about to change must still find its node.
void Tunnels::note_remote(const IpPrefix& prefix, const std::optional<ipip::RemoteRoute>& route) {
  if (encapsulation_ == nullptr || !prefix.is_v4()) return;
  if (!route || route->carrier == Carrier::kVxlan) {
    if (remotes_.contains(prefix)) left_remotes_.insert(prefix);
    return;
  }
  remotes_.insert(prefix);
  left_remotes_.erase(prefix);
  if (route->carrier == Carrier::kPlain) {
    encapsulation_->set_plain(prefix);
  } else {
    encapsulation_->set_remote(prefix, route->gateway);
  }
}

void Tunnels::tell_encapsulation() {
  if (encapsulation_ == nullptr) return;
  uses_encapsulation_ |= settings_ && settings_->ipip.value_or(local_.ipip.is_wanted);
  encapsulation_->set_senders(ipip_peers_);
  encapsulation_->set_own_prefixes(own_blocks_);
  encapsulation_->set_address(local_.ipip.node_address);
  std::set<IfIndex> uplinks;
  for (const auto& [index, addresses] : addresses_) {
    const auto& own = local_.ipip.node_address;
    if (own && addresses.contains(*own)) uplinks.insert(index);
  }
  // A pool may want it later, and then no packet is to be lost.
  encapsulation_->set_hooks(uplinks);
  if (!uses_encapsulation_) uplinks.clear();
  has_uplinks_ = !uplinks.empty();
  encapsulation_->set_uplinks(uplinks);
}

void Tunnels::set_addresses(const std::map<IfIndex, std::set<IpAddress>>& addresses) {
  if (encapsulation_ == nullptr) return;
  addresses_ = addresses;
  tell_encapsulation();
}

void Tunnels::set_settings(const ipip::TunnelSettings& settings) {
  is_rule_due_ |= encapsulation_ != nullptr && (!settings_ || settings.ipip_mtu != settings_->ipip_mtu);
  settings_ = settings;
  tell_devices();
  tell_encapsulation();
}

void Tunnels::set_metrics(std::uint32_t v4, std::uint32_t v6) {
  if (v4 == metric_v4_ && v6 == metric_v6_) return;
  metric_v4_ = v4;
  metric_v6_ = v6;
  for (const auto& [prefix, placed] : placed_) {
    due_routes_.try_emplace(prefix,
                            ipip::RemoteRoute{.carrier = placed.carrier, .gateway = placed.gateway, .node = {}});
  }
}

void Tunnels::tell_devices() {
  if (!settings_) return;
  wanted_ = ipip::devices_of(local_, *settings_);
  port_.set_devices(wanted_, settings_->linger);
}

void Tunnels::set_networks(render::NodeNetworks networks) {
  base_ = std::move(networks);
  are_networks_due_ = true;
}

// A device that lingers is guarded like one that is wanted.
std::set<DeviceKind> Tunnels::guarded() const {
  std::set<DeviceKind> out;
  for (const auto& [kind, spec] : wanted_) out.insert(kind);
  for (const auto& [kind, index] : port_.devices()) out.insert(kind);
  return out;
}

std::optional<render::NodeNetworks> Tunnels::take_networks() {
  if (!has_other_networks()) return std::nullopt;
  are_networks_due_ = false;
  told_guarded_ = guarded();
  render::NodeNetworks out = base_;
  out.ipip_peers = ipip_peers_;
  out.vxlan_peers = vxlan_peers_;
  out.hosts = vxlan_peers_;
  for (const ipip::LocalTunnel* own : {&local_.ipip, &local_.vxlan_v4, &local_.vxlan_v6}) add_own(out.hosts, *own);
  for (const DeviceKind kind : told_guarded_) {
    out.tunnel_devices.emplace(ipip::name_of(kind));
    (kind == DeviceKind::kIpip ? out.ipip_enabled : out.vxlan_enabled) = true;
  }
  return out;
}

void Tunnels::tell_carriages(const Devices& devices) {
  carried_by_ = devices;
  is_rule_due_ = false;
  for (const Carrier carrier : kCarriers) {
    std::optional<Carriage> fixed;
    if (carrier == Carrier::kIpip && encapsulation_ != nullptr)
      fixed = Carriage{.mtu = settings_ ? settings_->ipip_mtu : 0, .source = source_};
    routes_.planned(source_by(carrier))
        .set_carriage([carrier, devices, fixed](const IpPrefix& prefix, const IpAddress&) {
          return fixed ? *fixed : carriage_of(carrier, prefix.family(), devices);
        });
  }
  // What the plan carries itself is not BGP's to say.
  const bool plans_ipip = encapsulation_ != nullptr;
  routes_.learned().set_carriage(
      [rule = rule_, devices, plans_ipip](const IpPrefix& prefix, const IpAddress& next_hop) {
        const Carrier carrier = rule->carrier_of(prefix, next_hop);
        const bool is_planned = carrier == Carrier::kVxlan || (carrier == Carrier::kIpip && plans_ipip);
        if (is_planned) return Carriage{.kind = Carriage::Kind::kElsewhere};
        return carriage_of(carrier, prefix.family(), devices);
      });
}

void Tunnels::drop_leftovers() {
  for (const IpPrefix& prefix : std::exchange(left_remotes_, {})) {
    remotes_.erase(prefix);
    encapsulation_->set_remote(prefix, std::nullopt);
  }
}

// Where programs do IP-in-IP no device has the tunnel's address; yet what this host sends to pods of others must come
// from an address that they answer through the tunnel. It is made a local one, before any route has it as its source.
void Tunnels::place_source() {
  if (encapsulation_ == nullptr) return;
  const auto key_of = [](const IpAddress& address) {
    return route::RouteKey{.table = route::kLocalTable, .prefix = IpPrefix::host(address)};
  };
  std::optional<IpAddress> wanted = uses_encapsulation_ ? local_.ipip.address : std::nullopt;
  if (wanted == source_) return;
  route::RouteDriver& driver = routes_.driver();
  if (wanted) {
    route::Route local{.type = route::RouteType::kLocal};
    local.hops.push_back({.interface = kLoopback});
    driver.set_route(route::Source::kIpip, key_of(*wanted), std::move(local));
    routes_.write();
    if (driver.actual(key_of(*wanted)) == nullptr) return;  // tried again with the next pass
  }
  // Additions come before removals: what has it as its source is changed first.
  if (source_) driver.remove_route(route::Source::kIpip, key_of(*source_));
  source_ = wanted;
  is_rule_due_ = true;
}

bool Tunnels::place_routes() {
  place_source();
  const Devices devices = port_.devices();
  const bool is_carried_otherwise = is_rule_due_ || devices != carried_by_;
  if (is_carried_otherwise) tell_carriages(devices);
  if (due_routes_.empty()) return is_carried_otherwise;
  std::map<Carrier, route::RouteBatch> batches;
  for (auto& [prefix, route] : std::exchange(due_routes_, {})) {
    const auto before = placed_.find(prefix);
    if (before != placed_.end() && (!route || route->carrier != before->second.carrier)) {
      batches[before->second.carrier].remove(prefix);
      placed_.erase(before);
    }
    if (!route) continue;
    batches[route->carrier].set(prefix, {route::LearnedHop{.address = route->gateway}},
                                prefix.is_v4() ? metric_v4_ : metric_v6_);
    placed_[prefix] = {.carrier = route->carrier, .gateway = route->gateway};
  }
  for (const auto& [carrier, batch] : batches) routes_.planned(source_by(carrier)).apply(batch);
  return true;
}

}  // namespace margay::agent
