// Rules into the kernel: 10,000 in 1,000 policy chains with 100 endpoints that use them, through the table driver and
// each back end, in a network namespace of its own: the first write, reading back an unchanged table, a restart, one
// policy's change (one rule, and all of its rules), every policy's change.
#include <cstdio>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/table_driver.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

using iptables::Backend;

constexpr int kRuns = 5;
constexpr int kChanges = 20;  // of one policy, each run
constexpr int kPolicies = 1'000;
constexpr int kRulesPerPolicy = 10;
constexpr int kEndpoints = 100;
constexpr int kPoliciesPerEndpoint = 10;
constexpr TimePoint kNow{};

// `version` is another address in the rules from `changed` on.
std::shared_ptr<const iptables::Chain> policy(int number, int version, int changed) {
  iptables::Chain chain{.name = concat("margay-pi-", number), .rules = {}};
  for (int rule = 0; rule < kRulesPerPolicy; ++rule) {
    const int octet = rule >= changed ? version % 250 : 0;
    chain.rules.push_back(
        {concat("-s 10.", number / 250, ".", number % 250, ".", octet, "/32 -p tcp -m multiport --dports ", 1000 + rule,
                ",", 2000 + rule, " -j MARK --set-xmark 0x10000/0x10000"),
         concat("Policy default/policy-", number, " ingress")});
  }
  return std::make_shared<const iptables::Chain>(std::move(chain));
}

std::shared_ptr<const iptables::Chain> endpoint(int number) {
  iptables::Chain chain{.name = concat("margay-tw-cali", number), .rules = {}};
  chain.rules.push_back({"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"});
  for (int i = 0; i < kPoliciesPerEndpoint; ++i) {
    chain.rules.push_back({concat("-j margay-pi-", (number * kPoliciesPerEndpoint + i) % kPolicies)});
    chain.rules.push_back({"-m mark --mark 0x10000/0x10000 -j RETURN"});
  }
  chain.rules.push_back({"-j DROP"});
  return std::make_shared<const iptables::Chain>(std::move(chain));
}

void want_all(iptables::TableDriver& driver, int version) {
  iptables::Chain dispatch{.name = "margay-to-wl", .rules = {}};
  for (int number = 0; number < kPolicies; ++number) driver.set_chain(policy(number, version, 0));
  for (int number = 0; number < kEndpoints; ++number) {
    driver.set_chain(endpoint(number));
    dispatch.rules.push_back({concat("-o cali", number, " -g margay-tw-cali", number)});
  }
  driver.set_chain(std::make_shared<const iptables::Chain>(std::move(dispatch)));
  driver.set_hook("FORWARD", {.first = {{"-o cali+ -j margay-to-wl"}}, .last = {}});
  driver.allow_removal();
}

struct Times {
  bench::Samples first, resync, restart, rule, whole, every;
};

class Run {
 public:
  Run(Backend backend, Times& times) : backend_(backend), times_(times) { make_driver(); }

  void measure() {
    timed(
        times_.first, [&] { want_all(*driver_, 1); }, 10'000);
    timed(
        times_.resync, [&] { driver_->queue_resync(); }, 0);
    for (int i = 0; i < kChanges; ++i) {
      const int number = i * 37 % kPolicies;
      timed(
          times_.rule, [&] { driver_->set_chain(policy(number, 2, kRulesPerPolicy - 1)); }, 1);
      timed(
          times_.whole, [&] { driver_->set_chain(policy(number, 3, 0)); }, kRulesPerPolicy);
    }
    timed(
        times_.every, [&] { want_all(*driver_, 4); }, 10'000);
    timed(
        times_.restart,
        [&] {
          make_driver();
          want_all(*driver_, 4);
        },
        0);
  }

 private:
  void make_driver() {
    driver_ = std::make_unique<iptables::TableDriver>(runner_, iptables::TableId{},
                                                      iptables::TableDriverConfig{.backend = backend_});
  }
  // From what is wanted to what is in the kernel; at least so many lines.
  template <class Change>
  void timed(bench::Samples& samples, Change&& change, std::uint64_t lines_min) {
    const std::uint64_t before = driver_->statistics().lines;
    const auto start = bench::Clock::now();
    change();
    const auto report = driver_->apply(kNow);
    samples.add(bench::seconds_since(start));
    const std::uint64_t after = driver_->statistics().lines;
    const std::uint64_t lines = after < before ? after : after - before;
    if (!report.is_in_sync() || lines < lines_min || (lines_min == 0 && lines != 0)) {
      std::printf("not as it should be: %zu failed, %llu lines\n", report.failed,
                  static_cast<unsigned long long>(lines));
    }
    if (lines > lines_most_) lines_most_ = lines;
  }

  Backend backend_;
  Times& times_;
  exec::ProcessRunner runner_;
  std::unique_ptr<iptables::TableDriver> driver_;
  std::uint64_t lines_most_ = 0;
};

void measure(Backend backend) {
  Times times;
  for (int i = 0; i < kRuns; ++i) {
    auto space = netlink::ScratchNamespace::enter();
    Run(backend, times).measure();
  }
  const std::string name(to_string(backend));
  bench::print_samples(name + ": 12,300 rules, first write", times.first, 1e3, "ms");
  bench::print_samples(name + ": read back, nothing to do", times.resync, 1e3, "ms");
  bench::print_samples(name + ": restart, nothing to do", times.restart, 1e3, "ms");
  bench::print_samples(name + ": one rule of one policy (1 line)", times.rule, 1e3, "ms");
  bench::print_samples(name + ": 10 rules of one policy (10 lines)", times.whole, 1e3, "ms");
  bench::print_samples(name + ": all 10,000 rules of policy", times.every, 1e3, "ms");
}

}  // namespace
}  // namespace margay

int main() {
  if (auto space = margay::netlink::ScratchNamespace::enter(); !space.ok()) {
    std::printf("skipped, needs root: %s\n", space.error().message.c_str());
    return 0;
  }
  margay::measure(margay::Backend::kNft);
  margay::measure(margay::Backend::kLegacy);
  return 0;
}
