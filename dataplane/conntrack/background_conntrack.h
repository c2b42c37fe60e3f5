// BackgroundConntrack: ConntrackDriver beside the loop, for who must not wait for it. One walk through the kernel's
// table takes some 50 ms where it has 262,144 buckets (linux: from 4 GB of memory on), however few connections there
// are; every pod that goes asks for one.
//
//   flush() ─▶ waiting ─apply()─▶ one walk on a thread of its own ─on_done─▶ apply() reports it, begins the next
//
// What comes during a walk waits for the next, together. Thread: the loop's; destroyed before the loop, it waits for
// the walk under way.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "base/core/task.h"
#include "base/ip/address.h"
#include "base/loop/loop.h"
#include "base/loop/worker.h"
#include "dataplane/conntrack/conntrack_driver.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"

namespace margay::conntrack {

class BackgroundConntrack final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_NETFILTER, used by nobody else. `on_done` runs on the loop after each walk: call apply().
  BackgroundConntrack(loop::Loop& loop, std::unique_ptr<netlink::Netlink> kernel, Task on_done);

  void flush(const IpAddress& address) { waiting_.insert(address); }

  void queue_resync() override {}
  // Begins a walk if one is due and none under way; reports the one that has ended since the last call, if any.
  dataplane::ApplyReport apply(TimePoint now) override;
  [[nodiscard]] bool is_busy() const { return worker_.is_busy(); }

 private:
  // Of the worker's thread while it is busy.
  struct Walk {
    explicit Walk(std::unique_ptr<netlink::Netlink> socket) : kernel(std::move(socket)), driver(*kernel) {}
    std::unique_ptr<netlink::Netlink> kernel;
    ConntrackDriver driver;
    dataplane::ApplyReport report;
  };

  std::shared_ptr<Walk> walk_;
  std::set<IpAddress> waiting_;
  std::optional<TimePoint> retry_at_;  // after a failure
  Task on_done_;
  loop::Worker worker_;
};

}  // namespace margay::conntrack
