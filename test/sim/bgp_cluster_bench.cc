// A whole cluster in one process: every node's own BGP speaker with its sessions to the reflectors, a block announced
// by each, all routes of all nodes. The network and its clock are simulated (test/sim), the speakers are the real ones.
//
//   bench_bgp_cluster [nodes] [reflectors]
//
// Virtual time is what a cluster would need with 2 ms between any two nodes and processors that cost nothing; CPU time
// is what the speakers of all nodes computed together.
#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/core/text.h"
#include "test/sim/network.h"

namespace margay::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStep = 50ms;
constexpr Duration kLimit = 10min;
constexpr Duration kStartGap = 5ms;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void print_figure(const std::string& what, double value, const char* unit) {
  std::printf("%-60s %9.1f %s\n", what.c_str(), value, unit);
}

std::size_t routes_in(Network& network) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < network.size(); ++i) sum += network.node(i).sink.routes.size();
  return sum;
}

double bytes_in_use() { return static_cast<double>(mallinfo2().uordblks); }

// Lets the network run until its nodes hold so many routes; prints both times. False: it did not come to that.
bool converge(Network& network, std::size_t routes, const std::string& what) {
  const double begin = cpu_seconds();
  Duration virtual_time{};
  while (routes_in(network) != routes && virtual_time < kLimit) {
    network.run(kStep);
    virtual_time += kStep;
  }
  print_figure(concat(what, ": virtual time"), std::chrono::duration<double>(virtual_time).count(), "s");
  print_figure(concat(what, ": CPU time"), cpu_seconds() - begin, "s");
  if (virtual_time < kLimit) return true;
  std::printf("%s: not reached: %zu routes of %zu\n", what.c_str(), routes_in(network), routes);
  return false;
}

int run(int nodes, int reflectors) {
  const auto count = static_cast<std::size_t>(nodes);
  const double before = bytes_in_use();
  Network network(1);
  network.set_pieces(0);
  network.set_start_gap(kStartGap);
  const double begin = cpu_seconds();
  network.reflected(nodes - reflectors, reflectors);
  print_figure("all nodes started: virtual time",
               static_cast<double>(nodes) * std::chrono::duration<double>(kStartGap).count(), "s");
  print_figure("all nodes started: CPU time", cpu_seconds() - begin, "s");
  if (!converge(network, count * (count - 1), "then all have all routes")) return 1;
  const double per_node = (bytes_in_use() - before) / static_cast<double>(nodes);
  print_figure("memory of a node: speaker, test's copy of the kernel", per_node / 1024, "KiB");
  print_figure("of it for a route", per_node / static_cast<double>(nodes - 1), "B");

  // The last node dies without a word; graceful restart keeps its route until the restart time is over.
  network.node(count - 1).kill();
  if (!converge(network, (count - 1) * (count - 1), "a node dies: its route is gone from all")) return 1;
  network.node(count - 1).start(false);
  if (!converge(network, count * (count - 1), "it comes back: all have all routes")) return 1;

  // A reflector dies: nothing may change, the other reflects the same.
  network.node(0).kill();
  network.run(2min);
  const std::size_t without = routes_in(network);
  std::printf("a reflector dies: after two minutes %zu routes are missing, its own aside\n",
              count * (count - 1) - without - (count - 1));
  return 0;
}

}  // namespace
}  // namespace margay::sim

int main(int argc, char** argv) {
  const int nodes = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int reflectors = argc > 2 ? std::atoi(argv[2]) : 2;
  if (nodes < 3 || nodes > 60'000 || reflectors < 2 || reflectors >= nodes) {
    std::fprintf(stderr, "usage: bench_bgp_cluster [nodes, 3 to 60000] [reflectors, at least 2]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("%d nodes, %d of them reflectors, one process\n", nodes, reflectors);
  return margay::sim::run(nodes, reflectors);
}
