// The driver under random changes of what is wanted, failures, and edits by others: it always gets there.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "dataplane/iptables/fake_tables.h"
#include "dataplane/iptables/rule_text.h"
#include "dataplane/iptables/table_driver.h"

namespace margay::iptables {
namespace {

using namespace std::chrono_literals;

constexpr TableId kFilter{IpFamily::kV4, Table::kFilter};
constexpr const char* kHooked[] = {"INPUT", "FORWARD", "OUTPUT"};
constexpr std::uint64_t kChains = 12;

std::string name_of(std::uint64_t number) { return concat("margay-c", number); }

// A world: what is wanted, what others have put in, and the driver between.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    kernel_.hide_line_numbers(random_.below(3) == 0);
    kernel_.on_call = [this](const exec::Command&) { check_kernel(); };
    make_driver();
  }

  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: set_chain(); break;
      case 4: remove_chain(); break;
      case 5: set_hook(); break;
      case 6: foreign_rule(); break;
      case 7: tamper(); break;
      case 8: kernel_.fail_call(1 + static_cast<int>(random_.below(3))); break;
      case 9: refuse(); break;
      case 10: make_driver(); break;  // killed and started again
      case 11: time_passes(); break;
      default: break;
    }
    if (random_.below(2) == 0) apply();
  }

  // No more trouble: then kernel equals desired.
  void settle() {
    kernel_.refuse_nothing();
    driver_->allow_removal();
    driver_->queue_resync();
    for (int round = 0; round < 20; ++round) {
      const auto report = apply();
      // Only chains that are not wanted are reported now.
      if (!report.try_again_at) return;
      now_ = *report.try_again_at;
    }
    ADD_FAILURE() << "does not come to an end";
  }

  void check_settled() {
    const auto& table = kernel_.table(kFilter);
    for (const auto& [name, specs] : wanted_) EXPECT_EQ(plain(name), specs) << name;
    for (const auto& [name, chain] : table) {
      if (!name.starts_with(kChainPrefix) || wanted_.contains(name)) continue;
      // Referred to by ours: denies. By others: stays.
      EXPECT_TRUE(is_referred_to(name)) << name;
    }
    for (const char* const name : kHooked) {
      std::vector<std::string> expected;
      const auto hook = hooks_.find(name);
      if (hook != hooks_.end()) expected.push_back(hook->second.first);
      expected.insert(expected.end(), foreign_[name].begin(), foreign_[name].end());
      if (hook != hooks_.end()) expected.push_back(hook->second.second);
      EXPECT_EQ(plain(name), expected) << name;
    }
    const int restores = kernel_.restores();
    driver_->queue_resync();
    apply();
    EXPECT_EQ(kernel_.restores(), restores) << "what is right is not written to";
  }

 private:
  void make_driver() {
    driver_ = std::make_unique<TableDriver>(kernel_, kFilter, TableDriverConfig{});
    for (const auto& [name, specs] : wanted_) driver_->set_chain(chain(name, specs));
    for (const auto& [name, hook] : hooks_) {
      driver_->set_hook(name, Hook{.first = {Rule{hook.first}}, .last = {Rule{hook.second}}});
    }
    if (random_.below(2) == 0) driver_->allow_removal();
  }

  static std::shared_ptr<const Chain> chain(const std::string& name, const std::vector<std::string>& specs) {
    Chain out{.name = name, .rules = {}};
    for (const std::string& spec : specs) out.rules.push_back(Rule{spec});
    return std::make_shared<const Chain>(std::move(out));
  }

  // Refers only to those with higher numbers: no loops.
  void set_chain() {
    const std::uint64_t number = random_.below(kChains);
    std::vector<std::string> specs = wanted_[name_of(number)];
    for (std::uint64_t edits = 1 + random_.below(3); edits > 0; --edits) {
      const bool jumps = number + 1 < kChains && random_.below(3) == 0;
      const std::string target = jumps ? name_of(number + 1 + random_.below(kChains - number - 1)) : "ACCEPT";
      const auto place = static_cast<std::ptrdiff_t>(random_.below(specs.size() + 1));
      if (!specs.empty() && random_.below(3) == 0) {
        specs.erase(specs.begin() + std::min<std::ptrdiff_t>(place, static_cast<std::ptrdiff_t>(specs.size()) - 1));
      } else {
        specs.insert(specs.begin() + place, concat("-p ", random_.below(9), " -j ", target));
      }
    }
    wanted_[name_of(number)] = specs;
    driver_->set_chain(chain(name_of(number), specs));
  }

  void remove_chain() {
    const std::string name = name_of(random_.below(kChains));
    wanted_.erase(name);
    driver_->remove_chain(name);
  }

  void set_hook() {
    const char* const name = kHooked[random_.below(std::size(kHooked))];
    if (random_.below(4) == 0) {
      hooks_.erase(name);
      return driver_->set_hook(name, {});
    }
    const auto jump = [&] { return concat("-p ", random_.below(3), " -j ", name_of(random_.below(kChains))); };
    hooks_[name] = {jump(), jump()};
    driver_->set_hook(name, Hook{.first = {Rule{hooks_[name].first}}, .last = {Rule{hooks_[name].second}}});
  }

  // Others put their rules where they like, ours between or not.
  void foreign_rule() {
    const char* const name = kHooked[random_.below(std::size(kHooked))];
    auto& rules = kernel_.table(kFilter)[name].rules;
    if (!foreign_[name].empty() && random_.below(3) == 0) {
      rules.erase(std::find(rules.begin(), rules.end(), foreign_[name].front()));
      foreign_[name].erase(foreign_[name].begin());
      return;
    }
    const std::string rule = concat("-s 10.0.0.", next_foreign_++, "/32 -j LOG");
    rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(random_.below(rules.size() + 1)), rule);
    foreign_[name].clear();
    for (const std::string& present : rules) {
      if (!find_mark(present)) foreign_[name].push_back(present);
    }
  }

  // They meddle with ours.
  void tamper() {
    auto& table = kernel_.table(kFilter);
    std::vector<std::string> names;
    for (const auto& [name, chain] : table) names.push_back(name);
    auto& rules = table[names[random_.below(names.size())]].rules;
    if (rules.empty()) return;
    const auto place = static_cast<std::ptrdiff_t>(random_.below(rules.size()));
    const std::string rule = rules[static_cast<std::size_t>(place)];
    if (!find_mark(rule)) return;
    const std::uint64_t what = random_.below(3);
    if (what != 1) rules.erase(rules.begin() + place);
    if (what != 0) rules.push_back(rule);
  }

  void refuse() {
    kernel_.refuse_nothing();
    if (random_.below(2) == 0) kernel_.refuse(concat("-p ", random_.below(9), " "));
  }

  void time_passes() { now_ += std::chrono::seconds(random_.below(300)); }

  dataplane::ApplyReport apply() {
    now_ += 1ms;
    auto report = driver_->apply(now_);
    check_kernel();
    return report;
  }

  // At any moment.
  void check_kernel() {
    for (const auto& [name, chain] : kernel_.table(kFilter)) {
      for (const std::string& rule : chain.rules) {
        const std::string target(target_of(rule));
        if (!target.starts_with(kChainPrefix)) continue;
        EXPECT_TRUE(kernel_.table(kFilter).contains(target)) << name << " refers to " << target;
      }
    }
    for (const auto& [name, rules] : foreign_) {
      std::vector<std::string> present;
      for (const std::string& rule : kernel_.table(kFilter)[name].rules) {
        if (!find_mark(rule)) present.push_back(rule);
      }
      EXPECT_EQ(present, rules) << "rules of others in " << name;
    }
  }

  std::vector<std::string> plain(const std::string& name) {
    std::vector<std::string> out;
    for (const std::string& rule : kernel_.table(kFilter)[name].rules)
      out.push_back(rule.substr(rule.rfind("\" ") + 1));
    for (std::string& rule : out) rule = std::string(trim(rule));
    return out;
  }

  bool is_referred_to(const std::string& name) {
    for (const auto& [other, chain] : kernel_.table(kFilter)) {
      for (const std::string& rule : chain.rules) {
        if (target_of(rule) == name) return true;
      }
    }
    return false;
  }

  SeededRandom random_;
  FakeTables kernel_;
  std::unique_ptr<TableDriver> driver_;
  TimePoint now_{};
  std::map<std::string, std::vector<std::string>> wanted_;
  std::map<std::string, std::pair<std::string, std::string>> hooks_;
  std::map<std::string, std::vector<std::string>> foreign_;
  int next_foreign_ = 0;
};

TEST(TableDriverRandom, KernelBecomesWhatIsWantedWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(concat("seed ", seed));
    World world(seed);
    for (int round = 0; round < 4; ++round) {
      for (int step = 0; step < 25; ++step) world.step();
      world.settle();
      world.check_settled();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace margay::iptables
