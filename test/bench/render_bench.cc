// Policy as rules of iptables: 1,000 policies of 6 rules and 100 endpoints; the first rendering, then one change after
// the other. Once with 10 policies on each endpoint, once with all of them.
//
//   bench_render [changes]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "agent/render/iptables_renderer.h"
#include "base/core/text.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using policy::Delta;
using policy::ObjectKey;

constexpr std::uint32_t kPolicies = 1000;
constexpr std::uint32_t kEndpoints = 100;

ObjectKey policy_key(std::uint32_t number) {
  return {.kind = model::Kind::kNetworkPolicy, .name_space = "ns", .name = concat("policy-", number)};
}

ObjectKey endpoint_key(std::uint32_t number) {
  return {.kind = model::Kind::kWorkloadEndpoint, .name_space = "ns", .name = concat("endpoint-", number)};
}

policy::IpSetId set_name(std::uint32_t set) {
  return policy::IpSetId(concat("s:abcdefghijklmnopqrstuvwxyz-0123456789-", set));
}

std::shared_ptr<const policy::Policy> make_policy(std::uint32_t number, std::uint32_t version) {
  policy::Policy out;
  out.id = policy_key(number);
  out.tier = "default";
  out.selector = concat("role == 'r", number, "'");
  policy::RuleSet rules;
  for (std::uint32_t i = 0; i < 3; ++i) {
    policy::Rule rule;
    rule.action = model::RuleAction::kAllow;
    rule.protocol = model::kProtocolTcp;
    rule.index = i;
    rule.source.sets = {set_name((number + i) % 100)};
    rule.destination.ports = {PortRange(Port(static_cast<std::uint16_t>(80 + i + version % 1000)))};
    rules.ingress.push_back(rule);
    std::swap(rule.source.sets, rule.destination.sets);
    rules.egress.push_back(rule);
  }
  out.rules = std::move(rules);
  return std::make_shared<const policy::Policy>(std::move(out));
}

std::shared_ptr<const policy::Endpoint> make_endpoint(std::uint32_t number, std::uint32_t policies) {
  auto workload = std::make_shared<model::WorkloadEndpoint>();
  workload->spec.interface_name = concat("cali", 0x10000000U + number * 2654435761U % 0xefffffffU);
  workload->spec.ip_networks = {IpPrefix::host(IpAddress::v4(0x0a000000U + number))};
  policy::Endpoint out;
  out.workload = std::move(workload);
  policy::TierPolicies tier{.tier = "default", .ingress = {}, .egress = {}};
  for (std::uint32_t i = 0; i < policies; ++i) tier.ingress.push_back({.id = policy_key((number * 7 + i) % kPolicies)});
  tier.egress = tier.ingress;
  out.policy.normal.push_back(std::move(tier));
  return std::make_shared<const policy::Endpoint>(std::move(out));
}

Delta whole(std::uint32_t policies_each) {
  Delta out;
  for (std::uint32_t n = 0; n < 100; ++n) {
    policy::IpSetDelta& set = out.ip_sets[set_name(n)];
    set.what = policy::IpSetDelta::What::kCreate;
    for (std::uint32_t pod = 0; pod < 50; ++pod) {
      set.added.push_back(
          {.net = IpPrefix::host(IpAddress::v4(0x0a000000U + n * 50 + pod)), .protocol = {}, .port = {}});
    }
  }
  for (std::uint32_t n = 0; n < kPolicies; ++n) out.policies[policy_key(n)] = make_policy(n, 0);
  for (std::uint32_t n = 0; n < kEndpoints; ++n) out.endpoints[endpoint_key(n)] = make_endpoint(n, policies_each);
  return out;
}

std::pair<std::size_t, std::size_t> chains_and_rules(const render::RenderChange& change) {
  std::pair<std::size_t, std::size_t> out;
  for (const auto& [id, table] : change.tables) {
    out.first += table.chains.size();
    for (const auto& [name, chain] : table.chains) out.second += chain == nullptr ? 0 : chain->rules.size();
  }
  return out;
}

double timed_take(render::IptablesRenderer& renderer, const Delta& delta, std::size_t& rules) {
  const auto start = Clock::now();
  renderer.apply(delta);
  const render::RenderChange change = renderer.take();
  const double seconds = seconds_since(start);
  rules = chains_and_rules(change).second;
  return seconds;
}

void run(std::uint32_t policies_each, std::uint32_t changes) {
  render::IptablesRenderer renderer(render::KernelFeatures{});
  const Delta all = whole(policies_each);
  std::size_t rules = 0;
  Samples first;
  first.add(timed_take(renderer, all, rules));
  std::printf("%u policies, %u endpoints with %u of them each: %zu rules in two families\n", kPolicies, kEndpoints,
              policies_each, rules);
  print_samples("first rendering", first, 1e3, "ms");
  Samples policies;
  Samples endpoints;
  for (std::uint32_t n = 1; n <= changes; ++n) {
    Delta policy;
    policy.policies[policy_key(n % 100)] = make_policy(n % 100, n);
    policies.add(timed_take(renderer, policy, rules));
    Delta endpoint;
    endpoint.endpoints[endpoint_key(kEndpoints)] = n % 2 == 1 ? make_endpoint(kEndpoints, policies_each) : nullptr;
    endpoints.add(timed_take(renderer, endpoint, rules));
  }
  print_samples("one policy changes", policies, 1e6, "us");
  print_samples("one endpoint comes or goes", endpoints, 1e6, "us");
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  const auto changes = static_cast<std::uint32_t>(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1000);
  margay::bench::run(10, changes);
  margay::bench::run(margay::bench::kPolicies, changes / 10 + 1);
  return 0;
}
