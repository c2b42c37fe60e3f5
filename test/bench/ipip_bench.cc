// One TCP stream from pod to pod across a router: by plain routes, by IP-in-IP in eBPF, and by the kernel's ipip device
// where there is one; in turn, in one run. CPU time is this process's, which does the kernel's work for both ends and
// the nodes between as well. Then 5,000 prefixes into the kernel's map, one changed.
//
//   bench_ipip [MEGABYTES]      of each stream (2048); in a virtual machine less will do
#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/ebpf/two_subnets.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

constexpr int kRounds = 7;
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

  bool measure(const ipip::TwoSubnets& net, std::uint64_t bytes) {
    const double cpu = cpu_seconds();
    const auto start = bench::Clock::now();
    if (ipip::stream(net, bytes) != bytes) return false;
    gigabits_per_second.add(static_cast<double>(bytes) * 8 / kGigabyte / bench::seconds_since(start));
    cpu_per_gigabyte.add((cpu_seconds() - cpu) / (static_cast<double>(bytes) / kGigabyte));
    return true;
  }
  void print(const char* what) const {
    std::printf("%-24s median %6.2f Gbit/s (%.2f to %.2f)   %5.2f CPU s a gigabyte (%.2f to %.2f)   n %zu\n", what,
                gigabits_per_second.median(), gigabits_per_second.percentile(0), gigabits_per_second.percentile(1),
                cpu_per_gigabyte.median(), cpu_per_gigabyte.percentile(0), cpu_per_gigabyte.percentile(1),
                gigabits_per_second.count());
  }
};

enum class Way { kPlain, kEbpf, kKernel };

// The CNI plugin gives pods the MTU that the tunnel leaves.
std::string prepare(ipip::TwoSubnets& net, Way way) {
  if (!net.error.empty()) return net.error;
  if (way == Way::kPlain) return net.teach_router();
  for (const ipip::Space* pod : {&net.pod_a, &net.pod_b}) static_cast<void>(pod->ip({"link set eth0 mtu 1480"}));
  return way == Way::kEbpf ? net.start_tunnels() : net.start_kernel_tunnels();
}

void measure_streams(std::uint64_t bytes) {
  struct Path {
    Way way;
    const char* name;
    ipip::TwoSubnets net{};
    Figures figures{};
    bool is_there = false;
  };
  Path paths[] = {{.way = Way::kPlain, .name = "plain routes"},
                  {.way = Way::kEbpf, .name = "IP-in-IP by eBPF"},
                  {.way = Way::kKernel, .name = "by the kernel's ipip"}};
  for (Path& path : paths) {
    const std::string failed = prepare(path.net, path.way);
    path.is_there = failed.empty();
    if (!path.is_there) std::printf("%s: %s\n", path.name, failed.c_str());
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Path& path : paths) {
      if (path.is_there && !path.figures.measure(path.net, bytes))
        return static_cast<void>(std::printf("%s: a stream broke off\n", path.name));
    }
  }
  const double of_plain = paths[0].figures.gigabits_per_second.median();
  for (const Path& path : paths) {
    if (!path.is_there) continue;
    path.figures.print(path.name);
    std::printf("%-24s %.0f %%\n", "of plain", 100 * path.figures.gigabits_per_second.median() / of_plain);
  }
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

int main(int argc, char** argv) {
  if (!margay::netlink::ScratchNamespace::enter().ok()) {
    std::printf("needs root\n");
    return 0;
  }
  const std::uint64_t megabytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2048;
  margay::measure_streams(megabytes << 20U);
  margay::measure_prefixes();
  return 0;
}
