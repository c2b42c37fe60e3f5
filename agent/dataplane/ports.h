// What the dataplane drives, as it needs it: the seams behind which kernel_ports.h puts the drivers of dataplane/, and
// tests put fakes. Routes have their seam one level lower (netlink::Netlink).
// Thread: the dataplane's.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/dataplane/tunnel_counters.h"
#include "agent/render/iptables_renderer.h"
#include "base/ip/ids.h"
#include "base/ip/mac.h"
#include "dataplane/driver/driver.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/rule.h"
#include "dataplane/iptables/table_driver.h"
#include "ipip/devices/device_spec.h"
#include "ipip/plan/plan.h"

namespace margay::agent {

// IptablesRenderer, or another one with the same promises (agent/render/iptables_renderer.h).
class RendererPort {
 public:
  virtual ~RendererPort() = default;
  virtual void apply(const policy::Delta& delta) = 0;
  virtual void set_settings(const model::FelixConfigurationSpec& settings) = 0;
  virtual void set_networks(render::NodeNetworks networks) = 0;
  virtual void set_interfaces(render::InterfaceAddresses interfaces) = 0;
  virtual render::RenderChange take() = 0;
  [[nodiscard]] virtual const std::map<std::string, FieldErrors>& problems() const = 0;
  // The host endpoint of each interface that has one, as of the last take().
  [[nodiscard]] virtual const std::map<std::string, model::ObjectKey>& hosts() const = 0;
};

struct ObjectCounts {
  std::size_t desired = 0, actual = 0;
};

class SetPort : public dataplane::Driver {
 public:
  virtual void change(const std::string& name, const render::SetChange& change) = 0;
  virtual void set_settings(const model::FelixConfigurationSpec& settings) = 0;
  // Driver::apply() creates and updates; this removes what nothing refers to any more.
  virtual dataplane::ApplyReport apply_removals(TimePoint now) = 0;
  [[nodiscard]] virtual ObjectCounts counts() const = 0;
};

class TablePort : public dataplane::Driver {
 public:
  virtual void change(iptables::TableChange change) = 0;
  virtual void set_settings(const model::FelixConfigurationSpec& settings) = 0;
  // The next apply() tries again what the kernel has refused: a set that it needs may have come.
  virtual void retry_refused() = 0;
  // Whether the kernel has what was wanted at the last apply(); a chain that it refused denies in its place, which
  // counts, although it is a failure.
  [[nodiscard]] virtual bool is_applied() const = 0;
  [[nodiscard]] virtual ObjectCounts counts() const = 0;
  [[nodiscard]] virtual std::size_t rule_count() const = 0;
  [[nodiscard]] virtual const iptables::TableStatistics& statistics() const = 0;
};

// Which programs of iptables write the tables: what apply() chooses, and what has to go since it was another.
class BackendPort : public dataplane::Driver {
 public:
  virtual void set_mode(iptables::BackendMode mode) = 0;
  [[nodiscard]] virtual const iptables::BackendChoice& choice() const = 0;
  // Of ours in the tables of the other one. Once all tables are written.
  virtual dataplane::ApplyReport apply_removals(TimePoint now) = 0;
};

// Settings of interfaces and of the host (sysctl).
class SettingPort : public dataplane::Driver {
 public:
  // That of an interface which workloads use; once it has gone, nothing has to be taken back.
  virtual void set_workload_interface(const std::string& name) = 0;
  virtual void forget_interface(const std::string& name) = 0;
  virtual void set_forwarding(bool is_wanted) = 0;
  [[nodiscard]] virtual ObjectCounts counts() const = 0;
};

struct NeighbourKey {
  IfIndex interface;
  IpAddress address;
  friend auto operator<=>(const NeighbourKey&, const NeighbourKey&) = default;
};

class NeighbourPort : public dataplane::Driver {
 public:
  virtual void set(const NeighbourKey& key, const Mac& mac) = 0;
  virtual void remove(const NeighbourKey& key) = 0;
  // The interface has gone, and all it had.
  virtual void forget(IfIndex interface) = 0;
  [[nodiscard]] virtual ObjectCounts counts() const = 0;
};

// Connections that the kernel remembers. What apply() reports may be of an earlier one: a walk through all of them
// takes its time, and stands beside the loop.
class ConntrackPort : public dataplane::Driver {
 public:
  // Those from or to the address, before and after NAT.
  virtual void forget(const IpAddress& address) = 0;
};

// Devices of tunnels, with their entries (ipip/devices).
class TunnelPort : public dataplane::Driver {
 public:
  virtual void set_devices(const ipip::DeviceSpecs& wanted, Duration linger) = 0;
  virtual void set_vtep(const ipip::VtepKey& key, const std::optional<ipip::Vtep>& vtep) = 0;
  // Those that are there, also such as nobody wants any more.
  [[nodiscard]] virtual std::map<ipip::DeviceKind, IfIndex> devices() const = 0;
  // What they have carried is put into `to`.
  virtual Status count(TunnelCounters& to) = 0;
};

// IP-in-IP by programs at the uplinks (eBPF), which put the outer header on what plain routes lead to.
class EncapsulationPort : public dataplane::Driver {
 public:
  // nullopt: none any more, plain neither.
  virtual void set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node) = 0;
  // Another node's and reached plain, also inside of a prefix that is not.
  virtual void set_plain(const IpPrefix& prefix) = 0;
  virtual void set_own_prefixes(const std::set<IpPrefix>& prefixes) = 0;
  virtual void set_senders(const std::set<IpAddress>& senders) = 0;
  // Ours: the outer source.
  virtual void set_address(const std::optional<IpAddress>& address) = 0;
  virtual void set_uplinks(const std::set<IfIndex>& uplinks) = 0;
  // What may become an uplink: made ready for it.
  virtual void set_hooks(const std::set<IfIndex>& interfaces) = 0;
  // What was carried and dropped is put into `to`.
  virtual Status count(TunnelCounters& to) = 0;
};

struct Ports {
  std::unique_ptr<RendererPort> renderer;
  std::unique_ptr<SetPort> sets;
  // Those that this kernel has; a family without its filter table carries nothing.
  std::map<iptables::TableId, std::unique_ptr<TablePort>> tables;
  std::function<void()> on_tables_done{};  // after each pass over them; may be empty
  std::unique_ptr<BackendPort> backend;    // after the tables, which it speaks to
  std::unique_ptr<SettingPort> settings;
  std::unique_ptr<NeighbourPort> neighbours;
  std::unique_ptr<ConntrackPort> conntrack;
  std::unique_ptr<TunnelPort> tunnels;
  std::unique_ptr<EncapsulationPort> encapsulation;  // null: IP-in-IP has a device, or is not possible
};

}  // namespace margay::agent
