// A node of a large cluster: 5,000 blocks of 1,000 other nodes, planned and programmed through VXLAN (devices, entries,
// routes), then one node's change; in a network namespace of its own.
#include <linux/netlink.h>

#include <cstdio>
#include <memory>
#include <string>

#include "agent/dataplane/tunnels.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/route/route_programmer.h"
#include "ipip/devices/device_driver.h"
#include "ipip/plan/node_ends.h"
#include "ipip/plan/plan_world.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

constexpr std::uint32_t kNodes = 1000;
constexpr std::uint32_t kBlocks = 5000;
constexpr int kChanges = 100;

class Port final : public agent::TunnelPort {
 public:
  explicit Port(netlink::Netlink& kernel) : driver_(kernel) {}
  void set_devices(const ipip::DeviceSpecs& wanted, Duration linger) override { driver_.set_devices(wanted, linger); }
  void set_vtep(const ipip::VtepKey& key, const std::optional<ipip::Vtep>& vtep) override {
    driver_.set_vtep(key, vtep);
  }
  [[nodiscard]] std::map<ipip::DeviceKind, IfIndex> devices() const override { return driver_.devices(); }
  void queue_resync() override { driver_.queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply(now); }
  Status count(agent::TunnelCounters&) override { return ok_status(); }

 private:
  ipip::DeviceDriver driver_;
};

std::string name_of(std::uint32_t number) { return concat("node-", number); }
std::string address_of(std::uint32_t base, std::uint32_t number) { return IpAddress::v4(base + number).to_string(); }

ipip::PlanInput node_of(std::uint32_t number, std::uint32_t shift) {
  return ipip::node(name_of(number),
                    {{"IPv4Address", address_of(0x0a000001U, number) + "/32"},
                     {"IPv4VXLANTunnelAddr", address_of(0x0b000000U, number + shift)},
                     {"VXLANTunnelMACAddr", ipip::mac_of_name(concat(number, shift), IpFamily::kV4).to_string()}});
}

// One pass, as the dataplane's loop makes it. The seconds it took.
struct Node {
  explicit Node(netlink::Netlink& kernel) : routes(loop, kernel, {}, [](const route::RouteReport&) {}), port(kernel) {
    routes.driver().allow_removal();
    tunnels.set_settings({});
  }
  double pass() {
    const auto start = bench::Clock::now();
    tunnels.take(planner.flush());
    static_cast<void>(tunnels.take_networks());
    failed = port.apply(TimePoint{}).failed;
    if (tunnels.place_routes()) routes.write();
    return bench::seconds_since(start);
  }
  loop::SimLoop loop;
  route::RouteProgrammer routes;
  Port port;
  agent::Tunnels tunnels{routes, port, nullptr};
  ipip::TunnelPlanner planner{"node-0"};
  std::size_t failed = 0;
};

int run() {
  auto space = netlink::ScratchNamespace::enter();
  if (!space.ok()) return std::fprintf(stderr, "needs root: %s\n", space.error().message.c_str()), 1;
  auto kernel = netlink::open_netlink(NETLINK_ROUTE).value();
  auto node = std::make_unique<Node>(*kernel);
  const auto start = bench::Clock::now();
  node->planner.apply(ipip::pool("20.0.0.0/8", model::EncapMode::kNever, model::EncapMode::kAlways));
  for (std::uint32_t i = 0; i <= kNodes; ++i) node->planner.apply(node_of(i, 0));
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    node->planner.apply(ipip::block(address_of(0x14000000U, i * 64) + "/26", name_of(1 + i % kNodes)));
  }
  const double inputs = bench::seconds_since(start);
  bench::print_figure("objects taken in", inputs * 1e3, "ms");
  const double first = node->pass();
  bench::print_figure(concat(kBlocks, " blocks of ", kNodes, " nodes planned and programmed"), first * 1e3, "ms");
  std::printf("routes %zu, failed %zu\n", node->routes.driver().actual_count(), node->failed);
  bench::Samples changes;
  for (int i = 1; i <= kChanges; ++i) {
    const auto begin = bench::Clock::now();
    node->planner.apply(node_of(static_cast<std::uint32_t>(i), 100'000));
    node->pass();
    changes.add(bench::seconds_since(begin));
  }
  bench::print_samples("one node's tunnel address changes", changes, 1e3, "ms");
  return node->failed == 0 && node->routes.driver().actual_count() == kBlocks ? 0 : 1;
}

}  // namespace
}  // namespace margay

int main() { return margay::run(); }
