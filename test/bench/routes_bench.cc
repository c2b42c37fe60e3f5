// Routes into the kernel: 100,000 through the route driver (set, batches, read back), in a network namespace of its
// own. 10,000 is what a node of a large cluster has; 100,000 is compared with the BGP daemons (docs/benchmarks.md).
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <cstdio>
#include <memory>

#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/route/route_driver.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

constexpr int kRuns = 5;
constexpr IfIndex kBridge{10};

bool add_bridge(netlink::Netlink& kernel) {
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE);
    ifinfomsg head{};
    head.ifi_flags = IFF_UP;
    head.ifi_change = IFF_UP;
    head.ifi_index = static_cast<int>(kBridge.value());
    request.header(head);
    request.text(IFLA_IFNAME, "bench");
    const std::size_t nest = request.begin_nest(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "bridge");
    request.end_nest(nest);
  }
  {
    netlink::Request request = batch.add(RTM_NEWADDR, NLM_F_CREATE);
    ifaddrmsg head{};
    head.ifa_family = AF_INET;
    head.ifa_prefixlen = 16;
    head.ifa_index = kBridge.value();
    request.header(head);
    request.address(IFA_LOCAL, IpAddress::v4(0x0a000001));
  }
  return kernel.apply(batch).failures.empty();
}

route::RouteKey key_of(std::uint32_t number) {
  return {route::kMainTable, IpPrefix::containing(IpAddress::v4(0x14000000U + (number << 6)), 26), 1024};
}

// Every thousand routes lead to another node.
route::Route route_of(std::uint32_t number, std::uint32_t shift) {
  route::Route out;
  out.hops.push_back(route::RouteHop{IpAddress::v4(0x0a000002U + number / 1000 + shift), kBridge});
  return out;
}

struct Times {
  bench::Samples install, change, adopt, remove;
};

void run_once(std::uint32_t count, Times& times) {
  auto space = netlink::ScratchNamespace::enter();
  auto kernel = netlink::open_netlink(NETLINK_ROUTE).value();
  if (!add_bridge(*kernel)) return;
  auto driver = std::make_unique<route::RouteDriver>(*kernel, route::RouteDriverConfig{});
  driver->allow_removal();

  auto start = bench::Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) driver->set_route(route::Source::kBgp, key_of(i), route_of(i, 0));
  const auto first = driver->apply(TimePoint{});
  times.install.add(bench::seconds_since(start));

  start = bench::Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) driver->set_route(route::Source::kBgp, key_of(i), route_of(i, 1));
  const auto second = driver->apply(TimePoint{});
  times.change.add(bench::seconds_since(start));
  if (first.updated != count || second.updated != count) std::printf("not all routes were made\n");

  // A restart: the same routes are wanted, the kernel has them.
  start = bench::Clock::now();
  driver = std::make_unique<route::RouteDriver>(*kernel, route::RouteDriverConfig{});
  driver->allow_removal();
  for (std::uint32_t i = 0; i < count; ++i) driver->set_route(route::Source::kBgp, key_of(i), route_of(i, 1));
  const auto third = driver->apply(TimePoint{});
  times.adopt.add(bench::seconds_since(start));
  if (third.updated != 0 || third.removed != 0) std::printf("the restart was not silent\n");

  start = bench::Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) driver->remove_route(route::Source::kBgp, key_of(i));
  const auto last = driver->apply(TimePoint{});
  times.remove.add(bench::seconds_since(start));
  if (last.removed != count) std::printf("not all routes were removed\n");
}

void measure(std::uint32_t count, const char* words) {
  Times times;
  for (int i = 0; i < kRuns; ++i) run_once(count, times);
  bench::print_samples(std::string(words) + " into the kernel", times.install, 1e3, "ms");
  bench::print_samples(std::string(words) + " changed", times.change, 1e3, "ms");
  bench::print_samples(std::string(words) + " adopted after a restart", times.adopt, 1e3, "ms");
  bench::print_samples(std::string(words) + " removed", times.remove, 1e3, "ms");
}

}  // namespace
}  // namespace margay

int main() {
  if (auto space = margay::netlink::ScratchNamespace::enter(); !space.ok()) {
    std::printf("skipped, needs root: %s\n", space.error().message.c_str());
    return 0;
  }
  margay::measure(10'000, "10,000 routes");
  margay::measure(100'000, "100,000 routes");
  return 0;
}
