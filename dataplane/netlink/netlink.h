// Netlink: requests to the kernel, and its answers. The seam between drivers and the kernel: KernelNetlink is the real
// one, a fake with state stands behind it in tests.
//
// Calls block until the kernel has answered, which it does while the request is made: they belong on a loop whose
// delay nobody feels (the dataplane's). One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/fd_watch.h"
#include "dataplane/netlink/message.h"

namespace margay::netlink {

// What became of a batch: those that failed, in order; all others were done.
struct Failure {
  std::size_t index = 0;
  int error = 0;     // errno
  std::string text;  // "No such device: Device does not exist" with the kernel's own words, where it has any
};
struct BatchReport {
  // An error of the socket itself: nothing is known of what was sent. Read the kernel's state again.
  Status transport = std::monostate();
  std::vector<Failure> failures;
};

using Visit = std::function<void(const MessageView&)>;

class Netlink {
 public:
  virtual ~Netlink() = default;

  // Every message of a dump. A dump that the kernel says was disturbed by a change is made again: `begin` runs before
  // each attempt, so that what was collected can be thrown away. kUnavailable after 10 disturbed attempts.
  virtual Status dump(const Batch& request, const std::function<void()>& begin, const Visit& visit) = 0;
  // One request that is answered by messages (RTM_GETROUTE of one address).
  virtual Status ask(const Batch& request, const Visit& visit) = 0;
  // Does all requests, in order; one that fails does not stop those after it.
  virtual BatchReport apply(const Batch& batch) = 0;
  // The kernel's name for this socket; notifications of changes made through it carry the same.
  [[nodiscard]] virtual std::uint32_t port() const = 0;
};

// The error of a kernel call: EPERM is kPermissionDenied, ENOENT kNotFound, EEXIST kAlreadyExists, EOPNOTSUPP
// kUnsupported, …
Error error_of(int number, std::string_view what);

// `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER, … In the network namespace the calling thread is in now.
Result<std::unique_ptr<Netlink>> open_netlink(int protocol);

// Listens to what the kernel tells everybody.
class Monitor {
 public:
  virtual ~Monitor() = default;
};
struct MonitorEvents {
  Callback<void(const MessageView&)> on_message;
  // Messages were lost (too many at once): read everything again.
  Callback<void()> on_lost;
};
// `groups`: RTNLGRP_LINK, … In the namespace the calling thread is in now; callbacks on the watcher's loop. What was
// done through the port `except` (see Netlink::port()) is not told: who does 100,000 changes knows of them.
Result<std::unique_ptr<Monitor>> open_monitor(loop::FdWatcher& watcher, int protocol, const std::vector<int>& groups,
                                              MonitorEvents events, std::optional<std::uint32_t> except = std::nullopt);

}  // namespace margay::netlink
