// Sets into the kernel: through the driver, in a network namespace of its own. A large cluster's selector has tens of
// thousands of members; a node has some hundred sets of a few.
#include <linux/netlink.h>

#include <cstdio>
#include <memory>

#include "base/core/text.h"
#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "test/bench/measure.h"

namespace margay {
namespace {

constexpr int kRuns = 5;
constexpr std::uint32_t kChanges = 1000;
constexpr ipset::SetSpec kSpec{ipset::SetType::kHashNet, IpFamily::kV4};

std::vector<ipset::Member> hosts(std::uint32_t count, std::uint32_t first) {
  std::vector<ipset::Member> out;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.push_back({IpPrefix::host(IpAddress::v4(0x0a000000U + first + i))});
  return out;
}

struct Times {
  bench::Samples fill, change, resync, adopt, swap, remove;
};

void add(bench::Samples& samples, ipset::IpSetDriver& driver, bool must_write) {
  const auto start = bench::Clock::now();
  const auto report = driver.apply(TimePoint{});
  samples.add(bench::seconds_since(start));
  if (!report.is_in_sync()) std::printf("not in sync\n");
  if ((report.updated + report.removed > 0) != must_write) std::printf("wrote what it should not, or did not\n");
}

void run_once(std::uint32_t count, Times& times) {
  auto space = netlink::ScratchNamespace::enter();
  auto kernel = netlink::open_netlink(NETLINK_NETFILTER).value();
  auto driver = std::make_unique<ipset::IpSetDriver>(*kernel, ipset::IpSetDriverConfig{});
  driver->allow_removal();
  driver->replace("margay4-a", kSpec, hosts(count, 0));
  add(times.fill, *driver, true);
  driver->update("margay4-a", hosts(kChanges / 2, count), hosts(kChanges / 2, 0));
  add(times.change, *driver, true);
  driver->queue_resync();
  add(times.resync, *driver, false);

  // A restart: the same members are wanted, the kernel has them.
  const auto start = bench::Clock::now();
  driver = std::make_unique<ipset::IpSetDriver>(*kernel, ipset::IpSetDriverConfig{});
  driver->allow_removal();
  driver->replace("margay4-a", kSpec, hosts(count, kChanges / 2));
  const auto adopted = driver->apply(TimePoint{});
  times.adopt.add(bench::seconds_since(start));
  if (adopted.updated != 0) std::printf("the restart was not silent\n");

  driver->replace("margay4-a", kSpec, hosts(count, 4 * count));
  add(times.swap, *driver, true);
  driver->remove("margay4-a");
  add(times.remove, *driver, true);
}

void measure_one_set(std::uint32_t count, const char* words) {
  Times times;
  for (int i = 0; i < kRuns; ++i) run_once(count, times);
  bench::print_samples(concat(words, " into the kernel"), times.fill, 1e3, "ms");
  bench::print_samples(concat(words, ": 1,000 of them changed"), times.change, 1e3, "ms");
  bench::print_samples(concat(words, " read back, no change"), times.resync, 1e3, "ms");
  bench::print_samples(concat(words, " adopted after a restart"), times.adopt, 1e3, "ms");
  bench::print_samples(concat(words, " replaced by others"), times.swap, 1e3, "ms");
  bench::print_samples(concat(words, " removed"), times.remove, 1e3, "ms");
}

void measure_many_sets(std::uint32_t count) {
  bench::Samples fill, resync, change;
  for (int run = 0; run < kRuns; ++run) {
    auto space = netlink::ScratchNamespace::enter();
    auto kernel = netlink::open_netlink(NETLINK_NETFILTER).value();
    ipset::IpSetDriver driver(*kernel, {});
    const auto name = [](std::uint32_t i) { return concat("margay4-", i); };
    for (std::uint32_t i = 0; i < count; ++i) driver.replace(name(i), kSpec, hosts(10, i * 10));
    add(fill, driver, true);
    driver.queue_resync();
    add(resync, driver, false);
    // A new pod that every set selects.
    for (std::uint32_t i = 0; i < count; ++i) driver.update(name(i), hosts(1, 1'000'000), {});
    add(change, driver, true);
  }
  bench::print_samples("1,000 sets of 10 into the kernel", fill, 1e3, "ms");
  bench::print_samples("1,000 sets of 10 read back, no change", resync, 1e3, "ms");
  bench::print_samples("1,000 sets, one member more in each", change, 1e3, "ms");
}

}  // namespace
}  // namespace margay

int main() {
  if (auto space = margay::netlink::ScratchNamespace::enter(); !space.ok()) {
    std::printf("skipped, needs root: %s\n", space.error().message.c_str());
    return 0;
  }
  margay::measure_one_set(100'000, "100,000 members");
  margay::measure_one_set(1'000'000, "1,000,000 members");
  margay::measure_many_sets(1000);
  return 0;
}
