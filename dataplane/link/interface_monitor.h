// InterfaceMonitor: what network interfaces there are, with their addresses; told by the kernel as it changes.
//
//   dump at the beginning, and again after a loss ─┐
//                                                  ├─▶ interfaces() ─▶ on_change(names), once a turn
//   RTNLGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR ──────┘
//
// A rename changes two names. An interface that was removed and made again under its name has another index: it is
// among the names, and who keeps state of it by index begins anew.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/ip/ids.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "dataplane/link/interface_table.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

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

  [[nodiscard]] const Interfaces& interfaces() const { return table_.interfaces(); }
  [[nodiscard]] const Interface* find(std::string_view name) const { return table_.find(name); }
  [[nodiscard]] const Interface* find(IfIndex index) const { return table_.find(index); }
  // How often everything was read because messages were lost.
  [[nodiscard]] std::uint64_t losses() const { return losses_; }

  // For watch(), and for tests.
  void note(const netlink::MessageView& message);
  void note_lost();

 private:
  void tell_soon();
  void tell();
  void read_again();

  netlink::Netlink& kernel_;
  OnChange on_change_;
  InterfaceTable table_;
  std::set<std::string> changed_;
  std::uint64_t losses_ = 0;
  std::unique_ptr<loop::Timer> tell_timer_;
  std::unique_ptr<loop::Timer> read_timer_;
  std::unique_ptr<netlink::Monitor> monitor_;
};

}  // namespace margay::link
