// DeviceDriver: the devices of our tunnels in the kernel, with their addresses, MTU and entries for remote ends.
//
//   DeviceSpecs, Vteps ─▶ DeviceDriver ─▶ makes, changes, rebuilds, removes devices
//                              ├─▶ LinkDriver: up, MTU, address
//                              └─▶ NeighbourDriver: neighbours and forwarding of VXLAN
//
// Invariants
//   1. A device is changed in place where the kernel can; only another VNI or port, or a device of another type under
//      our name, is rebuilt. VXLAN devices with other names are never touched.
//   2. A device that is not wanted any more stays, and works, for `linger`; one that an earlier life left (it carries
//      our mark) as long from when it was found. tunl0 cannot be deleted where the kernel made it: it is set down.
//   3. What fails is tried again; other devices go on.
// Thread: the dataplane's. Time is passed in. Source: calico.md's device parameters, ip-link(8), bridge(8).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "dataplane/driver/driver.h"
#include "dataplane/link/link_driver.h"
#include "dataplane/link/neighbour_driver.h"
#include "dataplane/netlink/netlink.h"
#include "ipip/devices/device_message.h"
#include "ipip/devices/device_spec.h"
#include "ipip/devices/vtep_table.h"

namespace margay::ipip {

class DeviceDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_ROUTE.
  explicit DeviceDriver(netlink::Netlink& kernel);

  // All that are wanted.
  void set_devices(const DeviceSpecs& wanted, Duration linger);
  void set_vtep(const VtepKey& key, const std::optional<Vtep>& vtep);

  // After a change of one of these interfaces, or of entries on them.
  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

  // Devices that are there, those that linger too; of the last apply().
  [[nodiscard]] std::map<DeviceKind, IfIndex> devices() const;
  // What they have carried, asked of the kernel.
  Result<std::map<DeviceKind, DeviceCounters>> counters();
  [[nodiscard]] std::size_t desired_count() const;
  [[nodiscard]] std::size_t entry_count() const { return neighbours_.actual_count(); }

 private:
  struct State {
    std::optional<DeviceSpec> spec;  // as last wanted in this life
    bool is_wanted = false;
    std::optional<TimePoint> unwanted_since;
    std::optional<FoundDevice> found;
    IfIndex entries_on;                     // 0: nowhere
    std::optional<bool> has_offload;        // checksums of what it sends; nullopt: not asked
    bool was_offload_switched_off = false;  // by us
  };

  Status resync();
  Status read(DeviceKind kind, State& state);
  void settle(DeviceKind kind, State& state, TimePoint now, dataplane::ApplyReport& report);
  Status bring_about(DeviceKind kind, State& state, dataplane::ApplyReport& report);
  Status make(DeviceKind kind, State& state);
  Status remove(DeviceKind kind, State& state);
  static Status settle_offload(DeviceKind kind, State& state);
  Status send(const netlink::Batch& batch, int fine = 0);
  void place_entries(DeviceKind kind, State& state);
  void write_entries(IfIndex index, const VtepTable& table, const VtepTable::Touched& touched);
  VtepTable& vteps(DeviceKind kind) { return kind == DeviceKind::kVxlanV4 ? vteps_v4_ : vteps_v6_; }
  [[nodiscard]] bool is_known(const State& state) const;

  netlink::Netlink& kernel_;
  std::map<DeviceKind, State> states_;
  VtepTable vteps_v4_, vteps_v6_;
  link::LinkDriver links_;
  link::NeighbourDriver neighbours_;
  Duration linger_{};
  bool needs_resync_ = true;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::ipip
