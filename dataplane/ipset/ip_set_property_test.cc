// Random courses: what is wanted changes, calls fail, rules hold sets, others edit the kernel at any moment. When that
// is over, the kernel is as wanted and what is others' is as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "dataplane/ipset/fake_sets.h"
#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/ipset/test_sets.h"

namespace margay::ipset {
namespace {

using test::kStart;

constexpr std::size_t kNames = 6;

class Course {
 public:
  explicit Course(std::uint64_t seed) : random_(seed) {
    kernel_.sets()["others"] = {.spec = kSpecs[0], .members = {any_member(kSpecs[0])}};
    for (std::size_t i = 0; i < kNames; ++i) {
      if (random_.below(3) == 0) edit(any_name());
    }
    // Others are at work between any two calls of the driver.
    kernel_.on_call = [this] {
      if (random_.below(20) == 0) edit(any_name());
    };
    start_driver();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

  // No more faults: the driver gets as far as it can.
  void settle() {
    kernel_.fail_call(0);
    kernel_.on_call = {};
    for (auto& [name, held] : kernel_.sets()) held.references = 0;
    driver_->allow_removal();
    driver_->queue_resync();
    for (int i = 0; i < 5 && !driver_->apply(kStart).is_in_sync(); ++i) {
    }
  }

  [[nodiscard]] std::string difference() {
    auto held = kernel_.sets();
    if (held["others"] != FakeSets::Held{.spec = kSpecs[0], .members = others_}) return "the set of others changed";
    held.erase("others");
    for (const auto& [name, set] : wanted_) {
      const auto at = held.find(name);
      if (at == held.end()) return name + " is missing";
      if (at->second.spec != set.spec) return name + " has the wrong type";
      if (at->second.members != set.members) return name + " has the wrong members";
      held.erase(at);
    }
    return held.empty() ? "" : held.begin()->first + " is too many";
  }

  // A driver that starts now has nothing to write.
  [[nodiscard]] std::size_t writes_of_a_restart() {
    const std::size_t before = kernel_.writes();
    start_driver();
    driver_->allow_removal();
    static_cast<void>(driver_->apply(kStart));
    return kernel_.writes() - before;
  }

 private:
  struct Wanted {
    SetSpec spec;
    std::set<Member> members;
  };
  static constexpr SetSpec kSpecs[] = {{SetType::kHashNet, IpFamily::kV4},
                                       {SetType::kHashIp, IpFamily::kV4},
                                       {SetType::kHashNet, IpFamily::kV6},
                                       {SetType::kHashIpPort, IpFamily::kV4},
                                       {SetType::kHashNetPort, IpFamily::kV6}};

  std::string any_name() { return concat("m4-", random_.below(kNames)); }
  SetSpec any_spec() { return kSpecs[random_.below(4) == 0 ? random_.below(std::size(kSpecs)) : 0]; }

  Member any_member(const SetSpec& spec) {
    const bool is_net = spec.type == SetType::kHashNet || spec.type == SetType::kHashNetPort;
    const bool has_port = spec.type == SetType::kHashIpPort || spec.type == SetType::kHashNetPort;
    const int bits = address_bits(spec.family);
    const int length = is_net ? std::max(1, bits - static_cast<int>(random_.below(4))) : bits;
    const std::uint64_t number = random_.below(40);
    const IpAddress address = spec.family == IpFamily::kV4
                                  ? IpAddress::v4(0x0a000000U + static_cast<std::uint32_t>(number))
                                  : IpAddress::v6(0x20010db800000000U, number);
    Member out{IpPrefix::containing(address, length)};
    if (has_port) out.protocol = 6, out.port = static_cast<std::uint16_t>(random_.below(3));
    return out;
  }

  std::vector<Member> some_members(const SetSpec& spec, std::size_t most) {
    std::vector<Member> out(random_.below(most));
    for (Member& member : out) member = any_member(spec);
    return out;
  }

  void start_driver() {
    driver_ = std::make_unique<IpSetDriver>(kernel_, IpSetDriverConfig{.prefixes = {"m4-"}, .member_max = 12});
    for (const auto& [name, set] : wanted_) {
      driver_->replace(name, set.spec, {set.members.begin(), set.members.end()});
    }
  }

  void want(const std::string& name) {
    const auto at = wanted_.find(name);
    const std::uint64_t what = random_.below(6);
    if (what == 0) {
      driver_->remove(name);
      wanted_.erase(name);
    } else if (what <= 2 || at == wanted_.end()) {
      const SetSpec spec = any_spec();
      const auto members = some_members(spec, 30);
      driver_->replace(name, spec, members);
      wanted_[name] = {spec, {members.begin(), members.end()}};
    } else {
      const auto removed = some_members(at->second.spec, 6);
      const auto added = some_members(at->second.spec, 6);
      driver_->update(name, added, removed);
      for (const Member& member : removed) at->second.members.erase(member);
      at->second.members.insert(added.begin(), added.end());
    }
  }

  // By somebody else.
  void edit(const std::string& name) {
    const auto at = kernel_.sets().find(name);
    if (at == kernel_.sets().end() || random_.below(4) == 0) {
      const SetSpec spec = any_spec();
      const auto members = some_members(spec, 12);
      kernel_.sets()[name] = {.spec = spec, .member_max = 12, .members = {members.begin(), members.end()}};
      return;
    }
    FakeSets::Held& held = at->second;
    switch (random_.below(4)) {
      case 0: kernel_.sets().erase(at); break;
      case 1: held.members.clear(); break;
      case 2: held.has_timeouts = true; break;
      default: held.members.insert(any_member(held.spec)); break;
    }
  }

  void step() {
    switch (random_.below(12)) {
      case 0: edit(any_name()); break;
      case 1: kernel_.fail_call(1 + static_cast<int>(random_.below(6))); break;
      case 2:
        if (kernel_.sets().contains(any_name())) kernel_.sets().begin()->second.references ^= 1U;
        break;
      case 3: driver_->queue_resync(); break;
      case 4: start_driver(); break;
      case 5: driver_->allow_removal(); break;
      case 6:
      case 7: static_cast<void>(driver_->apply(kStart)); break;
      case 8: static_cast<void>(driver_->apply_removals(kStart)); break;
      default: want(any_name()); break;
    }
    kernel_.sets()["others"].references = 0;
  }

  SeededRandom random_;
  FakeSets kernel_;
  std::unique_ptr<IpSetDriver> driver_;
  std::map<std::string, Wanted> wanted_;
  std::set<Member> others_;

 public:
  void remember_others() { others_ = kernel_.sets()["others"].members; }
};

TEST(IpSetDriver, AnyCourseOfEventsEndsAsWanted) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Course course(seed);
    course.remember_others();
    course.run(120);
    course.settle();
    ASSERT_EQ(course.difference(), "") << "seed " << seed;
    ASSERT_EQ(course.writes_of_a_restart(), 0U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace margay::ipset
