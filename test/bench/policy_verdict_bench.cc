// A whole matrix of questions: 300 pods to 300 pods on 3 ports, with 10 policies for each pod.
//
//   bench_policy_verdict [runs]
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "policy/verdict/verdict.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using namespace policy;

constexpr std::uint32_t kPods = 300;
constexpr std::uint32_t kPolicies = 100;
constexpr std::uint32_t kPoliciesOfPod = 10;

IpAddress address(std::uint32_t pod) { return IpAddress::v4(0x0a000000U + pod); }
IpSetId set_name(std::uint32_t set) { return IpSetId(concat("s:abcdefghijklmnopqrstuvwxyz-0123456789-", set)); }

std::shared_ptr<const Policy> make_policy(std::uint32_t number) {
  Policy policy;
  policy.id = {.kind = model::Kind::kNetworkPolicy, .name_space = "ns", .name = concat("policy-", number)};
  RuleSet rules;
  for (std::uint32_t i = 0; i < 3; ++i) {
    Rule rule;
    rule.action = model::RuleAction::kAllow;
    rule.protocol = model::kProtocolTcp;
    rule.index = i;
    rule.source.sets = {set_name((number + i) % kPolicies)};
    rule.destination.ports = {PortRange(Port(static_cast<std::uint16_t>(80 + i)))};
    rules.ingress.push_back(rule);
    std::swap(rule.source.sets, rule.destination.sets);
    rules.egress.push_back(rule);
  }
  policy.rules = std::move(rules);
  return std::make_shared<const Policy>(std::move(policy));
}

State make_state() {
  Delta delta;
  for (std::uint32_t n = 0; n < kPolicies; ++n) {
    IpSetDelta& set = delta.ip_sets[set_name(n)];
    set.what = IpSetDelta::What::kCreate;
    for (std::uint32_t pod = n % 10; pod < kPods; pod += 10) {
      set.added.push_back({.net = IpPrefix::host(address(pod)), .protocol = {}, .port = {}});
    }
    const auto policy = make_policy(n);
    delta.policies[policy->id] = policy;
  }
  State out;
  MARGAY_CHECK(out.apply(delta).ok());
  return out;
}

std::vector<Endpoint> make_endpoints(const State& state) {
  std::vector<ObjectKey> keys;
  for (const auto& [key, policy] : state.policies()) keys.push_back(key);
  std::vector<Endpoint> out(kPods);
  for (std::uint32_t pod = 0; pod < kPods; ++pod) {
    TierPolicies tier{.tier = "default", .ingress = {}, .egress = {}};
    for (std::uint32_t i = 0; i < kPoliciesOfPod; ++i) {
      const PolicyRef ref{.id = keys[(pod * 7 + i) % keys.size()], .is_staged = false};
      tier.ingress.push_back(ref);
      tier.egress.push_back(ref);
    }
    out[pod].policy.normal.push_back(std::move(tier));
  }
  return out;
}

std::size_t ask_all(const State& state, const std::vector<Endpoint>& endpoints) {
  std::size_t allowed = 0;
  Packet packet;
  packet.source_port = Port(40000);
  for (std::uint32_t from = 0; from < kPods; ++from) {
    for (std::uint32_t to = 0; to < kPods; ++to) {
      for (const Port port : {Port(80), Port(81), Port(443)}) {
        packet.source = address(from);
        packet.destination = address(to);
        packet.destination_port = port;
        if (evaluate(state, &endpoints[from], &endpoints[to], packet).answer == Answer::kAllow) ++allowed;
      }
    }
  }
  return allowed;
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  using namespace margay::bench;
  const int runs = argc > 1 ? std::atoi(argv[1]) : 5;
  const auto state = make_state();
  const auto endpoints = make_endpoints(state);
  Samples samples;
  std::size_t allowed = 0;
  for (int run = 0; run < runs; ++run) {
    const auto start = Clock::now();
    allowed = ask_all(state, endpoints);
    samples.add(seconds_since(start));
  }
  print_samples("300 x 300 pods x 3 ports", samples, 1e3, "ms");
  print_samples("one question", samples, 1e9 / (300.0 * 300 * 3), "ns");
  print_figure("of them allowed", static_cast<double>(allowed), "");
  return 0;
}
