// ConntrackDriver: makes the kernel forget the connections of addresses that are given up or move, so that a new owner
// of an address does not inherit them, and packets do not follow a way that has ended.
//
// Many addresses cost one walk through the kernel's table for each family. An entry goes if its source or destination
// is one of them, in its original or its reply direction (so addresses before and after NAT).
// Thread: the dataplane's. Source: linux/netfilter/nfnetlink_conntrack.h.
#pragma once

#include <set>

#include "base/ip/address.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"

namespace margay::conntrack {

class ConntrackDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_NETFILTER.
  explicit ConntrackDriver(netlink::Netlink& kernel) : kernel_(kernel) {}

  // With the next apply(); entries that come after it are not touched.
  void flush(const IpAddress& address) { due_.insert(address); }

  void queue_resync() override {}
  // `removed` counts entries. A family whose walk failed, or of which an entry would not go, stays due.
  dataplane::ApplyReport apply(TimePoint now) override;

  [[nodiscard]] const std::set<IpAddress>& due() const { return due_; }

 private:
  bool flush_family(IpFamily family, dataplane::ApplyReport& report);
  Status collect(IpFamily family, netlink::Batch& deletes);
  static bool send(netlink::Netlink& kernel, const netlink::Batch& deletes, dataplane::ApplyReport& report);

  netlink::Netlink& kernel_;
  std::set<IpAddress> due_;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::conntrack
