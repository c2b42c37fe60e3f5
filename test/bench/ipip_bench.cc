// One TCP stream from pod to pod across a router: by plain routes, and by IP-in-IP in eBPF; in turn, in one run. CPU
// time is this process's, which does the kernel's work for both ends and the nodes between as well. Then the planner's
// share: 5,000 prefixes into the kernel's map, one changed.
#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/ebpf/two_subnets.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

constexpr int kRounds = 7;
constexpr std::uint64_t kBytes = std::uint64_t{2} << 30U;
constexpr double kGigabyte = 1e9;

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Figures {
  bench::Samples gigabits_per_second, cpu_per_gigabyte;

  bool measure(const ipip::TwoSubnets& net) {
    const double cpu = cpu_seconds();
    const auto start = bench::Clock::now();
    if (ipip::stream(net, kBytes) != kBytes) return false;
    gigabits_per_second.add(static_cast<double>(kBytes) * 8 / kGigabyte / bench::seconds_since(start));
    cpu_per_gigabyte.add((cpu_seconds() - cpu) / (static_cast<double>(kBytes) / kGigabyte));
    return true;
  }
  void print(const char* what) const {
    std::printf("%-24s median %6.2f Gbit/s (%.2f to %.2f)   %5.2f CPU s a gigabyte (%.2f to %.2f)   n %zu\n", what,
                gigabits_per_second.median(), gigabits_per_second.percentile(0), gigabits_per_second.percentile(1),
                cpu_per_gigabyte.median(), cpu_per_gigabyte.percentile(0), cpu_per_gigabyte.percentile(1),
                gigabits_per_second.count());
  }
};

// The CNI plugin gives pods the MTU that the tunnel leaves.
std::string prepare(ipip::TwoSubnets& net, bool is_tunnelled) {
  if (!net.error.empty()) return net.error;
  if (!is_tunnelled) return net.teach_router();
  for (const ipip::Space* pod : {&net.pod_a, &net.pod_b}) static_cast<void>(pod->ip({"link set eth0 mtu 1480"}));
  return net.start_tunnels();
}

void measure_streams() {
  ipip::TwoSubnets plain, tunnelled;
  for (const std::string& failed : {prepare(plain, false), prepare(tunnelled, true)}) {
    if (!failed.empty()) return static_cast<void>(std::printf("%s\n", failed.c_str()));
  }
  Figures by_routes, by_tunnel;
  for (int round = 0; round < kRounds; ++round) {
    if (!by_routes.measure(plain) || !by_tunnel.measure(tunnelled))
      return static_cast<void>(std::printf("a stream broke off\n"));
  }
  by_routes.print("plain routes");
  by_tunnel.print("IP-in-IP by eBPF");
  std::printf("%-24s %.0f %%\n", "of plain",
              100 * by_tunnel.gigabits_per_second.median() / by_routes.gigabits_per_second.median());
}

void measure_prefixes() {
  constexpr std::uint32_t kPrefixes = 5000;
  std::map<IpPrefix, IpAddress> remotes;
  for (std::uint32_t i = 0; i < kPrefixes; ++i)
    remotes.emplace(IpPrefix::containing(IpAddress::v4(0x0a000000U + (i << 6U)), 26), IpAddress::v4(0xac100000U + i));
  bench::Samples first, one;
  for (int round = 0; round < kRounds; ++round) {
    const auto space = netlink::ScratchNamespace::enter();
    auto tunnel = ipip::EbpfTunnel::open();
    if (!tunnel.ok()) return static_cast<void>(std::printf("%s\n", tunnel.error().message.c_str()));
    auto start = bench::Clock::now();
    tunnel.value()->set_remotes(remotes);
    bool is_done = tunnel.value()->apply(TimePoint{}).is_in_sync();
    first.add(bench::seconds_since(start));
    start = bench::Clock::now();
    tunnel.value()->set_remote(remotes.begin()->first, IpAddress::v4(0xc0000201U + static_cast<std::uint32_t>(round)));
    is_done = is_done && tunnel.value()->apply(TimePoint{}).is_in_sync();
    one.add(bench::seconds_since(start));
    if (!is_done) return static_cast<void>(std::printf("not all prefixes were written\n"));
  }
  bench::print_samples("5,000 prefixes into the kernel", first, 1e3, "ms");
  bench::print_samples("one of them changed", one, 1e6, "us");
}

}  // namespace
}  // namespace margay

int main() {
  if (!margay::netlink::ScratchNamespace::enter().ok()) {
    std::printf("needs root\n");
    return 0;
  }
  margay::measure_streams();
  margay::measure_prefixes();
  return 0;
}
