// What may happen to an agent, at random but seeded: see the claims in this folder's README.
#include <poll.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/chaos/chaos_world.h"

namespace margay::test {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : parse_number<std::uint64_t>(given).value_or(otherwise);
}

// What an agent has written to the kernel in this life: "routes: 3 updated; ".
std::string written_by(const json::Value& status) {
  const json::Value* drivers = status.find({"dataplane", "drivers"});
  if (drivers == nullptr || drivers->as_object() == nullptr) return "nobody answers";
  std::string out;
  for (const json::Member& driver : *drivers->as_object()) {
    if (driver.name == "encapsulation") continue;  // each life brings its own programs, without a gap
    for (const char* what : {"updated", "removed"}) {
      const json::Value* count = driver.value.find(what);
      if (count == nullptr || *count->as_integer() == 0) continue;
      out += concat(driver.name, ": ", *count->as_integer(), " ", what, "; ");
    }
  }
  return out;
}

// Routes that nobody wants any more stay for a while after a start.
bool has_spare_routes(const json::Value& status) {
  const json::Value* desired = status.find({"dataplane", "drivers", "routes", "desired"});
  const json::Value* actual = status.find({"dataplane", "drivers", "routes", "actual"});
  return desired == nullptr || actual == nullptr || *desired->as_integer() != *actual->as_integer();
}

// How long this life of the agent took to be in sync.
std::uint64_t start_ms(const json::Value& status) {
  for (const json::Value& stage : *status.find("stages")->as_array()) {
    const json::Value* seconds = stage.find("seconds");
    if (stage.string_at({"stage"}) == "DataplaneSynced" && seconds != nullptr) {
      return static_cast<std::uint64_t>(*seconds->as_double() * 1000);
    }
  }
  return 1000;
}

class Chaos : public testing::Test {
 protected:
  void SetUp() override {
    seed_ = number_from_environment("MARGAY_CHAOS_SEED", 1);
    std::string why;
    world_ = ChaosWorld::start(seed_, &why);
    if (world_ == nullptr) GTEST_SKIP() << why;
    node().start_agent();
    ASSERT_EQ(node().wait_for_kernel(), "") << node().logs();
    start_ms_ = start_ms(node().ask("/status"));
    world_->start_witnesses();
  }
  void TearDown() override {
    if (HasFailure() && world_ != nullptr) std::fprintf(stderr, "seed %lu\n%s\n", seed_, node().logs().c_str());
  }
  OneNode& node() { return world_->node(); }
  std::uint64_t below(std::uint64_t bound) { return world_->dice().below(bound); }
  // A moment of random length is the point of this test: nothing waits for anything.
  void let_pass(std::uint64_t ms_max) { (void)poll(nullptr, 0, static_cast<int>(below(ms_max))); }

  void disturb();
  void kill_once();
  void expect_nothing_wrong(std::size_t sent_min = 100);
  void expect_kernel_as_wanted();

  std::uint64_t seed_ = 0, start_ms_ = 1000;
  std::unique_ptr<ChaosWorld> world_;
  std::size_t disturbances_ = 0;
};

void Chaos::disturb() {
  ++disturbances_;
  switch (below(12)) {
    case 0: return world_->flap_link();
    case 1: return world_->edit_foreign_rule();
    case 2: return world_->drop_watches();
    case 3: {
      ChildProcess* server = node().server().process();
      server->send_signal(SIGSTOP);
      let_pass(200);
      return server->send_signal(SIGCONT);
    }
    case 4:
      if (below(4) != 0) return world_->change_object();
      node().server().restart();
      return node().objects().reconnect();
    default: return world_->change_object();
  }
}

void Chaos::kill_once() {
  const std::uint64_t disturbances = below(4);
  for (std::uint64_t i = 0; i < disturbances; ++i) {
    let_pass(100);
    disturb();
  }
  let_pass(start_ms_ * 3 / 2);  // before, while and after it is in sync
  if (below(5) == 0) {
    // Before it has begun to listen to signals it ends as any program does.
    const int status = node().stop_agent();
    EXPECT_TRUE(status == 0 || status == 128 + SIGTERM) << status;
  } else {
    node().kill_agent();
  }
  if (below(3) == 0) world_->change_object();
  node().start_agent();
}

void Chaos::expect_nothing_wrong(std::size_t sent_min) {
  ChaosWorld::Seen seen;
  // On a busy machine the witnesses may have sent little yet.
  EXPECT_TRUE(poll_until(std::chrono::seconds(60), [&] {
    seen = world_->seen();
    return seen.forbidden_sent > sent_min && seen.permitted_sent > sent_min;
  }));
  std::printf("seed %lu: %zu disturbances; %zu forbidden datagrams, %zu passed; %zu permitted, %zu lost\n", seed_,
              disturbances_, seen.forbidden_sent, seen.forbidden_passed, seen.permitted_sent, seen.permitted_lost);
  EXPECT_EQ(seen.forbidden_passed, 0U);
  EXPECT_EQ(seen.permitted_lost, 0U);
}

void Chaos::expect_kernel_as_wanted() {
  ASSERT_EQ(node().wait_for_kernel(), "");
  ASSERT_TRUE(poll_until(std::chrono::seconds(30), [this] { return !has_spare_routes(node().ask("/status")); }));
  const std::string after_chaos = world_->kernel();
  EXPECT_EQ(node().stop_agent(), 0);
  node().start_agent();
  ASSERT_EQ(node().wait_for_kernel(), "");
  EXPECT_EQ(written_by(node().ask("/status")), "") << "the kernel had it all";
  EXPECT_EQ(world_->kernel(), after_chaos);
  EXPECT_EQ(node().stop_agent(), 0);
  world_->pause_witnesses();
  world_->wipe();
  node().start_agent();
  ASSERT_EQ(node().wait_for_kernel(), "");
  EXPECT_EQ(world_->kernel(), after_chaos) << "an agent that begins with nothing";
}

TEST_F(Chaos, NothingForbiddenPassesAndNothingPermittedIsLost) {
  const std::uint64_t kills = number_from_environment("MARGAY_CHAOS_KILLS", 15);
  for (std::uint64_t i = 0; i < kills && !HasFailure(); ++i) kill_once();
  ASSERT_EQ(node().wait_for_kernel(), "");
  expect_nothing_wrong();
  expect_kernel_as_wanted();
}

// Appendix C of calico.md, 2.
TEST_F(Chaos, WhatChangesWhileTheAgentIsAwayActsWhenItIsBack) {
  node().kill_agent();
  for (int i = 0; i < 50; ++i) world_->change_object();
  node().start_agent();
  ASSERT_EQ(node().wait_for_kernel(), "");
  expect_nothing_wrong();
  expect_kernel_as_wanted();
}

// MARGAY_CHAOS_AWAY_SECONDS, half of it with the agent that starts anew: by default longer than the 10 s for which it
// leaves alone what it finds and does not know.
TEST_F(Chaos, WithTheServerAwayAllStaysAlsoForAnAgentThatStartsAnew) {
  const std::string before = world_->kernel();
  const auto away = static_cast<int>(number_from_environment("MARGAY_CHAOS_AWAY_SECONDS", 25) * 500);
  node().server().process()->send_signal(SIGSTOP);
  (void)poll(nullptr, 0, away);
  node().kill_agent();
  node().start_agent();
  (void)poll(nullptr, 0, away);
  EXPECT_EQ(world_->kernel(), before);
  node().server().process()->send_signal(SIGCONT);
  world_->change_object();
  ASSERT_EQ(node().wait_for_kernel(), "");
  expect_nothing_wrong();
  expect_kernel_as_wanted();
}

TEST_F(Chaos, WhatWasRemovedWithTheStockToolsComesBack) {
  const std::string wanted = world_->kernel();
  const std::uint64_t times = number_from_environment("MARGAY_CHAOS_KILLS", 15) / 3 + 1;
  for (std::uint64_t i = 0; i < times; ++i) {
    world_->pause_witnesses();
    const std::string what = world_->sabotage();
    std::string now;
    EXPECT_TRUE(poll_until(std::chrono::seconds(15), [&] { return (now = world_->kernel()) == wanted; })) << what;
    if (HasFailure()) std::fprintf(stderr, "wanted\n%s\nis\n%s\n", wanted.c_str(), now.c_str());
    world_->resume_witnesses();
  }
  expect_nothing_wrong(20);
}

}  // namespace
}  // namespace margay::test
