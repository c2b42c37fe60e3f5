// BGP and tunnels of one node in a large cluster: 5,000 nodes with a block each. First calculation, and one Node's
// change, for a node in a mesh, a client of reflectors, a reflector; the tunnel planner for the same.
//
//   bench_agent_bgp [nodes]
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "agent/bgp/bgp_calculation.h"
#include "base/core/text.h"
#include "ipip/plan/planner.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

constexpr int kReflectors = 3;
constexpr int kChanges = 200;

std::string name_of(int number) { return concat("node-", number); }
IpAddress address_of(int number) { return IpAddress::v4(0x0a800000U + static_cast<std::uint32_t>(number) + 1); }
IpPrefix block_of(int number) {
  return IpPrefix::containing(IpAddress::v4(0x0a000000U + (static_cast<std::uint32_t>(number) << 6U)), 26);
}

std::shared_ptr<const model::Node> node(int number, int version) {
  auto out = std::make_shared<model::Node>();
  out->metadata.name = name_of(number);
  // Another version: another address.
  out->metadata.annotations.set("projectcalico.org/IPv4Address",
                                concat(address_of(number + version * 100'000).to_string(), "/16"));
  out->metadata.labels.set("kubernetes.io/hostname", name_of(number));
  out->metadata.labels.set("rack", concat(number % 40));
  if (number < kReflectors) {
    out->metadata.labels.set("route-reflector", "true");
    out->metadata.annotations.set("projectcalico.org/RouteReflectorClusterID", "1.0.0.1");
  }
  return out;
}

agent::BgpInput bgp_node(int number, int version) {
  return {{model::Kind::kNode, "", name_of(number)}, node(number, version)};
}
agent::BgpInput reflector_peers() {
  auto out = std::make_shared<model::BgpPeer>();
  out->metadata.name = "reflectors";
  out->spec.node_selector = "all()";
  out->spec.peer_selector = "has(route-reflector)";
  return {{model::Kind::kBgpPeer, "", "reflectors"}, agent::Shared<model::BgpPeer>(std::move(out))};
}
agent::BgpInput no_mesh() {
  auto out = std::make_shared<model::BgpConfiguration>();
  out->metadata.name = "default";
  out->spec.node_to_node_mesh_enabled = false;
  return {{model::Kind::kBgpConfiguration, "", "default"}, agent::Shared<model::BgpConfiguration>(std::move(out))};
}

void report(const std::string& what, double first_seconds, const Samples& changes, std::size_t results) {
  print_figure(concat(what, ": first calculation"), first_seconds * 1e3, "ms");
  print_samples(concat(what, ": one Node's change"), changes, 1e3, "ms");
  print_figure(concat(what, ": results"), static_cast<double>(results), "");
}

void bench_calculation(const char* what, int nodes, int ours, bool has_mesh) {
  std::vector<agent::BgpInput> inputs;
  for (int i = 0; i < nodes; ++i) inputs.push_back(bgp_node(i, 0));
  inputs.push_back(reflector_peers());
  if (!has_mesh) inputs.push_back(no_mesh());
  agent::BgpCalculation calculation({.node = name_of(ours)});
  const auto begin = Clock::now();
  for (const agent::BgpInput& input : inputs) calculation.apply(input);
  (void)calculation.flush();
  const double first = seconds_since(begin);
  Samples changes;
  for (int i = 0; i < kChanges; ++i) {
    const agent::BgpInput input = bgp_node(100 + i % (nodes - 200), 1);
    const auto from = Clock::now();
    calculation.apply(input);
    (void)calculation.flush();
    changes.add(seconds_since(from));
  }
  report(what, first, changes, calculation.desired()->config.peers.size());
}

void bench_planner(int nodes) {
  std::vector<ipip::PlanInput> inputs;
  auto pool = std::make_shared<model::IpPool>();
  pool->metadata.name = "pool";
  pool->spec.cidr = IpPrefix::parse("10.0.0.0/9").value();
  pool->spec.ipip_mode = model::EncapMode::kAlways;
  inputs.push_back({{model::Kind::kIpPool, "", "pool"}, ipip::Shared<model::IpPool>(std::move(pool))});
  for (int i = 0; i < nodes; ++i) {
    inputs.push_back({{model::Kind::kNode, "", name_of(i)}, node(i, 0)});
    auto block = std::make_shared<model::IpamBlock>();
    block->metadata.name = block_of(i).to_string();
    block->spec.cidr = block_of(i);
    block->spec.affinity = model::BlockOwner{model::AffinityType::kHost, name_of(i)};
    block->spec.allocations.resize(64);
    inputs.push_back({{model::Kind::kIpamBlock, "", block->metadata.name}, ipip::Shared<model::IpamBlock>(block)});
  }
  ipip::TunnelPlanner planner(name_of(nodes - 1), {.ipip = true, .plain = true});
  const auto begin = Clock::now();
  for (const ipip::PlanInput& input : inputs) planner.apply(input);
  const std::size_t routes = planner.flush().routes.size();
  const double first = seconds_since(begin);
  Samples changes;
  for (int i = 0; i < kChanges; ++i) {
    const int number = 100 + i % (nodes - 200);
    const ipip::PlanInput input{{model::Kind::kNode, "", name_of(number)}, node(number, 1)};
    const auto from = Clock::now();
    planner.apply(input);
    (void)planner.flush();
    changes.add(seconds_since(from));
  }
  report("tunnel planner", first, changes, routes);
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  const int nodes = argc > 1 ? std::max(std::atoi(argv[1]), 400) : 5'000;
  margay::bench::bench_calculation("BGP, in the mesh", nodes, nodes - 1, true);
  margay::bench::bench_calculation("BGP, client of reflectors", nodes, nodes - 1, false);
  margay::bench::bench_calculation("BGP, reflector", nodes, 0, false);
  margay::bench::bench_planner(nodes);
  return 0;
}
