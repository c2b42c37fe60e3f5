// RouteProgrammer: everything between a protocol's batches and the kernel, on the dataplane's loop.
//
//   RouteBatch ─▶ LearnedRoutes ─▶ RouteDriver ─▶ kernel
//   RouteReport ◀─ what became of it         ◀─ changes that others make: routes, links, addresses
//
// A batch is written when it comes. What others change is repaired a moment later, so that a storm of changes is one
// look; what the kernel refused is tried again, less and less often. A report follows each write.
// Thread: the loop's. It blocks while the kernel works: nothing that must be on time belongs on this loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/route/learned_routes.h"

namespace margay::route {

struct RouteReport {
  std::size_t wanted = 0;
  std::size_t unresolved = 0;                      // of these: no next hop can be reached
  std::size_t installed = 0;                       // routes of ours in the kernel
  std::size_t failed = 0;                          // refused, to be tried again
  std::size_t planned = 0;                         // of plans, besides `wanted`
  std::size_t planned_unresolved = 0;              // of these: no next hop, or no device to carry it
  std::vector<dataplane::ObjectFailure> failures;  // the first of them
  std::map<IpAddress, bool> next_hops;             // those that can or cannot be reached, unlike before
  void merge(RouteReport&& later);
};

struct RouteProgrammerConfig {
  std::uint8_t protocol = 80;  // our mark on routes
  // Where an earlier life may have left routes; LearnedRoutes goes to another when a batch says so.
  RouteTableId table = kMainTable;
  Duration grace{};  // route_driver.h
  bool ipv6 = true;
};

class RouteProgrammer {
 public:
  RouteProgrammer(loop::Loop& loop, netlink::Netlink& kernel, const RouteProgrammerConfig& config,
                  Callback<void(RouteReport)> on_report);

  // Listens to the kernel, in the namespace of the calling thread. Before read(), so that nothing falls between.
  Status watch(loop::FdWatcher& watcher);
  // What is there; found() of it is ours.
  Status read();
  [[nodiscard]] std::size_t found() const { return driver_.actual_count(); }

  void apply(const RouteBatch& batch);
  // How learnt routes leave, from now on; written at once.
  void set_carriage(CarriageRule rule);

  // For watch(), and for tests.
  void note_route(const netlink::MessageView& message);
  void note_link(const netlink::MessageView& message);  // RTM_*LINK, RTM_*ADDR
  void note_lost();

  [[nodiscard]] const RouteDriver& driver() const { return driver_; }

  // For routes of other sources: tell the driver, then write() says it to the kernel; a report follows.
  [[nodiscard]] RouteDriver& driver() { return driver_; }
  // Of a plan that wants routes by next hops; in the configuration's table. `source` is not kBgp.
  [[nodiscard]] LearnedRoutes& planned(Source source);
  [[nodiscard]] LearnedRoutes& learned() { return learned_; }
  void write();

 private:
  void repair_soon();
  void resolve_soon();
  void resolve_again();

  loop::Loop& loop_;
  netlink::Netlink& kernel_;
  RouteTableId table_;
  RouteDriver driver_;
  NextHopResolver resolver_;
  LearnedRoutes learned_;
  std::map<Source, LearnedRoutes> planned_;
  Callback<void(RouteReport)> on_report_;
  std::unique_ptr<loop::Timer> write_timer_;
  std::unique_ptr<loop::Timer> resolve_timer_;
  bool is_repair_due_ = false;
  std::unique_ptr<netlink::Monitor> links_;
  std::unique_ptr<netlink::Monitor> routes_;
};

}  // namespace margay::route
