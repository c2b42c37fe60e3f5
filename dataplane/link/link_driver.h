// LinkDriver: interfaces that are ours altogether (tunl0, a VXLAN device): up, with an MTU and with exactly these
// addresses. It neither makes nor removes interfaces; one that is not there is waited for without complaint.
//
// Invariants
//   1. Interfaces that nobody named are not touched, nor link-local IPv6 addresses of any.
//   2. Addresses that are too many stay until allow_removal().
// Thread: the dataplane's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/delta/delta_tracker.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"
#include "dataplane/driver/driver.h"
#include "dataplane/link/interface_table.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

struct LinkSpec {
  std::optional<std::uint32_t> mtu;      // nullopt: as it is
  std::set<InterfaceAddress> addresses;  // all it has, but link-local IPv6 ones
  friend bool operator==(const LinkSpec&, const LinkSpec&) = default;
};

class LinkDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_ROUTE.
  explicit LinkDriver(netlink::Netlink& kernel) : kernel_(kernel) {}

  void set_link(const std::string& name, LinkSpec spec);
  // Its addresses go; it stays as it is otherwise, and is not ours any more.
  void remove_link(const std::string& name);
  void allow_removal() { may_remove_ = true; }

  // After any change of an interface of ours (InterfaceMonitor): the next apply() reads.
  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

  // Names that are wanted and not there; of the last apply.
  [[nodiscard]] const std::set<std::string>& missing() const { return missing_; }

 private:
  struct LinkKey {
    std::string name;
    friend auto operator<=>(const LinkKey&, const LinkKey&) = default;
    [[nodiscard]] std::string to_string() const { return name; }
  };
  struct LinkState {
    bool is_up = false;
    std::uint32_t mtu = 0;
    friend bool operator==(const LinkState&, const LinkState&) = default;
  };
  struct AddressKey {
    IfIndex interface;
    InterfaceAddress address;
    friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
    [[nodiscard]] std::string to_string() const;
  };
  struct Present {
    friend bool operator==(const Present&, const Present&) = default;
  };

  Status resync();
  Status read(const std::string& name, InterfaceTable& found);
  void take_over(const InterfaceTable& found);
  template <class Key, class Value>
  static void want(DeltaTracker<Key, Value>& tracker, const std::map<Key, Value>& wanted);
  bool send(dataplane::ApplyReport& report);

  netlink::Netlink& kernel_;
  std::map<std::string, LinkSpec> specs_;
  std::set<std::string> left_;  // not ours any more, but their addresses must go
  std::set<std::string> missing_;
  std::map<std::string, IfIndex> indexes_;
  DeltaTracker<LinkKey, LinkState> links_;
  DeltaTracker<AddressKey, Present> addresses_;
  bool needs_resync_ = true;
  bool may_remove_ = false;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::link
