#include "dataplane/link/interface_monitor.h"

#include <linux/rtnetlink.h>

#include <utility>

namespace margay::link {

namespace {

constexpr Duration kReadAgainDelay = std::chrono::milliseconds(200);

void add_request(netlink::Batch& batch, std::uint16_t type) {
  netlink::Request request = batch.add(type, 0);
  if (type == RTM_GETLINK)
    request.header(ifinfomsg{});
  else
    request.header(ifaddrmsg{});
}

}  // namespace

InterfaceMonitor::InterfaceMonitor(loop::Loop& loop, netlink::Netlink& kernel, OnChange on_change)
    : kernel_(kernel),
      on_change_(std::move(on_change)),
      tell_timer_(loop.make_timer([this] { tell(); })),
      read_timer_(loop.make_timer([this] { read_again(); })) {}

Status InterfaceMonitor::watch(loop::FdWatcher& watcher) {
  MARGAY_ASSIGN_OR_RETURN(
      monitor_,
      netlink::open_monitor(watcher, NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR},
                            {[this](const netlink::MessageView& message) { note(message); }, [this] { note_lost(); }}));
  return std::monostate();
}

void InterfaceMonitor::tell_soon() {
  if (!changed_.empty() && !tell_timer_->is_armed()) tell_timer_->arm(Duration{});
}

void InterfaceMonitor::tell() {
  const std::set<std::string> names = std::exchange(changed_, {});
  on_change_(names);
}

void InterfaceMonitor::note(const netlink::MessageView& message) {
  table_.note(message, changed_);
  tell_soon();
}

void InterfaceMonitor::note_lost() {
  ++losses_;
  if (!read_timer_->is_armed()) read_timer_->arm(Duration{});
}

// Without the kernel's answer what is known stays, and it is asked again.
void InterfaceMonitor::read_again() {
  if (!read().ok()) read_timer_->arm(kReadAgainDelay);
}

Status InterfaceMonitor::read() {
  InterfaceTable found;
  const netlink::Visit visit = [&found](const netlink::MessageView& message) {
    std::set<std::string> all;
    found.note(message, all);
  };
  netlink::Batch links, addresses;
  add_request(links, RTM_GETLINK);
  add_request(addresses, RTM_GETADDR);
  Status read = kernel_.dump(
      links, [&found] { found.clear(); }, visit);
  if (read.ok())
    read = kernel_.dump(
        addresses, [&found] { found.clear_addresses(); }, visit);
  if (!read.ok()) return read.error().within("reading interfaces");
  changed_.merge(table_.difference(found));
  table_ = std::move(found);
  tell_soon();
  return std::monostate();
}

}  // namespace margay::link
