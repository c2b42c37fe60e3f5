// Tunnels: routes to other nodes and the devices they leave by, on the dataplane's loop.
//
//   PlanDelta, TunnelSettings ─▶ TunnelPort (devices) ─▶ place_routes(): RouteProgrammer
//        └▶ EncapsulationPort, where IP-in-IP is done by eBPF: its routes are plain, with a smaller MTU and the
//        tunnel's
//           address as this host's own, which is a local route as no device has it
//   NodeNetworks, senders, which devices there are ─▶ take_networks(): the renderer
//
// Who uses it does, in this order: take_networks() and the rules, both ports' apply(), place_routes(), one write of all
// routes. So a device is guarded before it is there, and a route never leads into one that is not. A pool that changes
// its mode is one replacing write for each prefix, those that BGP taught included.
// Thread: the dataplane's. What it refers to outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "agent/dataplane/ports.h"
#include "agent/render/inputs.h"
#include "dataplane/route/route_programmer.h"
#include "ipip/devices/device_spec.h"
#include "ipip/plan/plan.h"

namespace margay::agent {

class Tunnels {
 public:
  // `encapsulation`: null where there is none.
  Tunnels(route::RouteProgrammer& routes, TunnelPort& devices, EncapsulationPort* encapsulation);

  void take(const ipip::PlanDelta& delta);
  void set_settings(const ipip::TunnelSettings& settings);
  // ipv4NormalRoutePriority and ipv6…: of planned routes, as of those that BGP teaches: one key for one prefix.
  void set_metrics(std::uint32_t v4, std::uint32_t v6);
  // Without what this class adds: senders, hosts, devices.
  void set_networks(render::NodeNetworks networks);

  // By interface: addresses of the host. What packets to other nodes leave by is told the programs.
  void set_addresses(const std::map<IfIndex, std::set<IpAddress>>& addresses);

  // nullopt: as last taken.
  std::optional<render::NodeNetworks> take_networks();
  // Once routes have been written: what packets needed that were on their way by the routes before goes with the
  // encapsulation's next apply().
  [[nodiscard]] bool has_leftovers() const { return !left_remotes_.empty(); }
  void drop_leftovers();
  [[nodiscard]] bool has_other_networks() const { return are_networks_due_ || guarded() != told_guarded_; }
  // With the devices that are there now. True: routes are to be written.
  bool place_routes();

  // Programs are to do IP-in-IP, and it is known where.
  [[nodiscard]] bool is_encapsulating() const { return has_uplinks_; }
  [[nodiscard]] static bool is_device(std::string_view name);

 private:
  using Devices = std::map<ipip::DeviceKind, IfIndex>;
  struct Placed {
    ipip::Carrier carrier = ipip::Carrier::kPlain;
    IpAddress gateway;
  };
  void tell_devices();
  void tell_encapsulation();
  void note_remote(const IpPrefix& prefix, const std::optional<ipip::RemoteRoute>& route);
  void tell_carriages(const Devices& devices);
  void place_source();
  [[nodiscard]] std::set<ipip::DeviceKind> guarded() const;

  route::RouteProgrammer& routes_;
  TunnelPort& port_;
  EncapsulationPort* encapsulation_;
  ipip::LocalTunnels local_;
  std::optional<ipip::TunnelSettings> settings_;  // nullopt: not told yet, and no device is made of guesses
  ipip::DeviceSpecs wanted_;
  std::shared_ptr<const ipip::LearnedRule> rule_ = std::make_shared<const ipip::LearnedRule>();
  std::map<IpPrefix, Placed> placed_;                                // planned routes, as told
  std::map<IpPrefix, std::optional<ipip::RemoteRoute>> due_routes_;  // nullopt: none any more
  std::set<IpPrefix> remotes_, left_remotes_;  // that programs know; of these those whose route has gone
  std::set<IpPrefix> own_blocks_;
  std::map<IfIndex, std::set<IpAddress>> addresses_;
  bool has_uplinks_ = false;
  bool uses_encapsulation_ = false;  // has been wanted in this life: others may still send so (D-035)
  render::NodeNetworks base_;
  std::set<IpAddress> ipip_peers_, vxlan_peers_;
  bool are_networks_due_ = false;
  std::set<ipip::DeviceKind> told_guarded_;
  std::optional<Devices> carried_by_;  // the devices that routes were told of
  std::uint32_t metric_v4_ = 1024, metric_v6_ = 1024;
  bool is_rule_due_ = false;
  std::optional<IpAddress> source_;  // made ours, where programs stand for the device that would have it
};

}  // namespace margay::agent
