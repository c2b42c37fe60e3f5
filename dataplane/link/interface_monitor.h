// InterfaceMonitor: what network interfaces there are, with their addresses; told by the kernel as it changes.
//
//   dump at the beginning, and again after a loss ─┐
//                                                  ├─▶ interfaces() ─▶ on_change(names), once a turn
//   RTNLGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR ──────┘
//
// Names are what people and policy use; the kernel tells by index. A rename changes two names; an interface that was
// removed and made again under its name has another index: on_change() names it, and who keeps state of it by index
// must begin anew.
// Thread: the loop's. Source: linux/rtnetlink.h, rtnetlink(7).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

struct Interface {
  IfIndex index;
  std::string name;
  bool is_up = false;       // an administrator's choice (IFF_UP)
  bool is_running = false;  // and it can carry packets (IFF_LOWER_UP, not dormant)
  bool is_loopback = false;
  std::uint32_t mtu = 0;
  std::optional<Mac> mac;  // of Ethernet-like ones
  std::string kind;        // "veth", "ipip", "vxlan", …; empty: hardware
  IfIndex master;          // the bridge, bond or VRF it is in; 0: none
  // In the kernel's order, link-local ones included; none that failed duplicate address detection.
  std::vector<InterfaceAddress> addresses;
  friend bool operator==(const Interface&, const Interface&) = default;
};

class InterfaceMonitor {
 public:
  using OnChange = Callback<void(const std::set<std::string>& names)>;

  // `kernel`: of NETLINK_ROUTE. `on_change` runs on the loop, never from inside a call; the names of all interfaces
  // that came, went or differ in anything since the last time.
  InterfaceMonitor(loop::Loop& loop, netlink::Netlink& kernel, OnChange on_change);

  // Listens, in the network namespace of the calling thread. Before read(), so that nothing falls between.
  Status watch(loop::FdWatcher& watcher);
  // Reads everything. A later loss of messages is repaired by itself; if reading fails then, it is tried again.
  Status read();

  [[nodiscard]] const std::map<std::string, Interface>& interfaces() const { return by_name_; }
  [[nodiscard]] const Interface* find(std::string_view name) const;
  [[nodiscard]] const Interface* find(IfIndex index) const;
  // How often everything was read because messages were lost.
  [[nodiscard]] std::uint64_t losses() const { return losses_; }

  // For watch(), and for tests.
  void note(const netlink::MessageView& message);
  void note_lost();

 private:
  using ByName = std::map<std::string, Interface>;
  void note_link(const netlink::MessageView& message);
  void note_address(const netlink::MessageView& message);
  void forget(IfIndex index);
  void changed(const std::string& name);
  void tell();
  void read_again();

  loop::Loop& loop_;
  netlink::Netlink& kernel_;
  OnChange on_change_;
  ByName by_name_;
  std::map<IfIndex, std::string> names_;
  std::set<std::string> changed_;
  std::uint64_t losses_ = 0;
  bool is_lost_ = false;
  std::unique_ptr<loop::Timer> tell_timer_;
  std::unique_ptr<loop::Timer> read_timer_;
  std::unique_ptr<netlink::Monitor> monitor_;
};

}  // namespace margay::link
