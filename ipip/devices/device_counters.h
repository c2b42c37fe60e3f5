// DeviceCounters: what the kernel counts of a device, as a value.
// Source: struct rtnl_link_stats64 of linux/if_link.h.
#pragma once

#include <cstdint>

namespace margay::ipip {

// What a device has carried since it was made.
struct DeviceCounters {
  std::uint64_t packets_in = 0, bytes_in = 0, packets_out = 0, bytes_out = 0;
  std::uint64_t errors_in = 0, errors_out = 0, drops_in = 0, drops_out = 0;
  friend bool operator==(const DeviceCounters&, const DeviceCounters&) = default;
};

}  // namespace margay::ipip
