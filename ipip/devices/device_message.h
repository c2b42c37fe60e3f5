// Tunnel devices in rtnetlink messages. Pure. Source: linux/if_link.h, ip-link(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip/ids.h"
#include "dataplane/netlink/message.h"
#include "ipip/devices/device_counters.h"
#include "ipip/devices/device_spec.h"

namespace margay::ipip {

// A device as the kernel has it.
struct FoundDevice {
  IfIndex index;
  std::string name;
  std::string type;      // "ipip", "vxlan", …
  bool is_ours = false;  // carries our mark (its alias)
  std::optional<Mac> mac{};
  // VXLAN
  std::uint32_t vni = 0;
  std::uint16_t port = 0;
  bool learns = false;
  std::optional<IpAddress> local{};
  friend bool operator==(const FoundDevice&, const FoundDevice&) = default;
};
// nullopt: no RTM_NEWLINK, or without counters.
std::optional<DeviceCounters> parse_counters(const netlink::MessageView& message);

// nullopt: no RTM_NEWLINK, or malformed.
std::optional<FoundDevice> parse_device(const netlink::MessageView& message);

// What must be done with a device that is there.
enum class Fit : std::uint8_t { kFits, kChange, kRebuild };
Fit compare(DeviceKind kind, const DeviceSpec& wanted, const FoundDevice& found);

void add_read_request(netlink::Batch& batch, std::string_view name);
// Loads the kernel's module where it has one. EEXIST: the module made it just now (tunl0).
void add_create_request(netlink::Batch& batch, DeviceKind kind, const DeviceSpec& spec);
// Mark, MAC, local address, no learning.
void add_change_request(netlink::Batch& batch, DeviceKind kind, const DeviceSpec& spec, IfIndex index);
// Down and without our mark: for what cannot be deleted.
void add_release_request(netlink::Batch& batch, IfIndex index);
void add_delete_request(netlink::Batch& batch, IfIndex index);

}  // namespace margay::ipip
