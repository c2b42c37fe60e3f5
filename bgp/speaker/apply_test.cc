// apply() by difference: what a change does to sessions, for each field alone and for random sequences of all.
#include <gmock/gmock.h>

#include <functional>

#include "base/core/text.h"

#include "bgp/speaker/config_change.h"
#include "bgp/speaker/speaker_fixture.h"

namespace margay::bgp {
namespace {

using std::chrono::seconds;

struct Change {
  const char* field;
  bool resets;
  std::function<void(SpeakerConfig&, PeerSettings&)> make;
};

FilterChain accept_all() {
  return std::make_shared<const std::vector<Filter>>(std::vector<Filter>{Filter{"all", {FilterRule{}}}});
}

// Every field of config.h, with the mark it bears there.
const std::vector<Change>& all_changes() {
  static const std::vector<Change> changes = {
      {"name", false, [](auto&, auto& peer) { peer.name += "x"; }},
      {"passive", false, [](auto&, auto& peer) { peer.passive = !peer.passive; }},
      {"keepalive_time", false,
       [](auto&, auto& peer) { peer.keepalive_time = peer.keepalive_time == seconds(7) ? seconds(8) : seconds(7); }},
      {"connect_retry", false, [](auto&, auto& peer) { peer.connect_retry += seconds(1); }},
      {"connect_delay", false, [](auto&, auto& peer) { peer.connect_delay += seconds(1); }},
      {"delay_open", false, [](auto&, auto& peer) { peer.delay_open = seconds(1) - peer.delay_open; }},
      {"enforce_first_as", false, [](auto&, auto& peer) { peer.enforce_first_as = !peer.enforce_first_as; }},
      {"allow_as_set", false, [](auto&, auto& peer) { peer.allow_as_set = !peer.allow_as_set; }},
      {"shutdown_text", false, [](auto&, auto& peer) { peer.shutdown_text += "y"; }},
      {"policy.import_chain", false,
       [](auto&, auto& peer) { peer.policy.import_chain[Family::kIpv4Unicast] = accept_all(); }},
      {"policy.export_chain", false,
       [](auto&, auto& peer) { peer.policy.export_chain[Family::kIpv4Unicast] = accept_all(); }},
      {"policy.own_asn_allowed", false, [](auto&, auto& peer) { ++peer.policy.own_asn_allowed; }},
      {"policy.next_hop_mode", false, [](auto&, auto& peer) { peer.policy.next_hop_mode = rib::NextHopMode::kSelf; }},
      {"policy.prefix_limit", false,
       [](auto&, auto& peer) { peer.policy.prefix_limit[Family::kIpv4Unicast].max += 1000; }},
      {"policy.graceful_shutdown", false,
       [](auto&, auto& peer) { peer.policy.graceful_shutdown = !peer.policy.graceful_shutdown; }},
      {"local_routes", false,
       [](auto& config, auto&) {
         config.local_routes.size() > 5
             ? config.local_routes.clear()
             : config.local_routes.push_back(local(concat("10.9.", config.local_routes.size(), ".0/24")));
       }},
      {"multipath", false, [](auto& config, auto&) { config.multipath = !config.multipath; }},
      {"always_compare_med", false,
       [](auto& config, auto&) { config.always_compare_med = !config.always_compare_med; }},
      {"selection_deferral", false, [](auto& config, auto&) { config.selection_deferral += seconds(1); }},
      {"hold_time", true, [](auto&, auto& peer) { peer.hold_time += seconds(3); }},
      {"restart_time", true,
       [](auto&, auto& peer) { peer.restart_time = peer.restart_time.value_or(seconds(0)) + seconds(1); }},
      {"families", true,
       [](auto&, auto& peer) { peer.families[Family::kIpv6Unicast] = !peer.families[Family::kIpv6Unicast]; }},
      {"add_path_send", true,
       [](auto&, auto& peer) { peer.add_path_send[Family::kIpv4Unicast] = !peer.add_path_send[Family::kIpv4Unicast]; }},
      {"extended_message", true, [](auto&, auto& peer) { peer.extended_message = !peer.extended_message; }},
      {"extended_next_hop", true, [](auto&, auto& peer) { peer.extended_next_hop = !peer.extended_next_hop; }},
      {"long_lived_stale_time", true,
       [](auto&, auto& peer) {
         peer.long_lived_stale_time = peer.long_lived_stale_time.value_or(seconds(0)) + seconds(9);
       }},
      {"router_id", true, [](auto& config, auto&) { config.router_id = RouterId(config.router_id.value() + 256); }},
  };
  return changes;
}

class Apply : public testing::Test {
 protected:
  void SetUp() override {
    b_.config.local_routes = {local("10.2.0.0/26")};
    a_.add_peer(b_);
    b_.add_peer(a_);
    a_.start();
    b_.start();
    up();
  }
  void up() {
    ASSERT_TRUE(loop_.run_until([this] { return a_.is_up(b_) && b_.is_up(a_); }, seconds(200))) << a_.failure;
  }
  void make(const Change& change) { change.make(a_.config, a_.config.peers.begin()->second); }

  loop::SimLoop loop_;
  session::SimInternet internet_{loop_, 1};
  Node a_{loop_, internet_, "10.0.0.1", Asn(64512)};
  Node b_{loop_, internet_, "10.0.0.2", Asn(64513)};
};

TEST_F(Apply, EachFieldDoesToTheSessionWhatItsMarkSays) {
  for (const Change& change : all_changes()) {
    SCOPED_TRACE(change.field);
    const auto before = a_.peer(b_).times_dropped;
    make(change);
    a_.apply();
    EXPECT_EQ(a_.failure, "");
    loop_.advance(seconds(1));
    EXPECT_EQ(a_.peer(b_).times_dropped - before, change.resets ? 1U : 0U);
    up();
  }
}

TEST_F(Apply, TheSameAgainIsNothing) {
  for (int i = 0; i < 10; ++i) a_.apply();
  loop_.advance(seconds(5));
  EXPECT_EQ(a_.peer(b_).times_dropped, 0U);
  EXPECT_EQ(b_.peer(a_).received.updates, 1U);  // End-of-RIB of the beginning
}

// RFC 4271 has no word on it, operators have many: nothing but what says so resets a session.
TEST_F(Apply, RandomSequencesResetOnlyForWhatMustReset) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    for (int step = 0; step < 20; ++step) {
      const auto before = a_.peer(b_).times_dropped;
      bool resets = false;
      for (std::uint64_t count = 1 + random.below(4); count > 0; --count) {
        const Change& change = all_changes()[random.below(all_changes().size())];
        make(change);
        resets |= change.resets;
      }
      a_.apply();
      ASSERT_EQ(a_.failure, "");
      loop_.advance(seconds(random.below(3)));
      // Two toggles may undo each other: then nothing has changed.
      EXPECT_LE(a_.peer(b_).times_dropped - before, resets ? 1U : 0U);
      if (resets) up();
    }
    ASSERT_TRUE(a_.is_up(b_));
  }
}

TEST_F(Apply, TurningAFilterOnAndOffMovesRoutesAndNotTheSession) {
  ASSERT_TRUE(loop_.run_until([this] { return a_.sink.routes.size() == 1; }, seconds(5)));
  Filter reject{"none", {FilterRule{}}};
  reject.rules[0].accept = false;
  auto& chain = a_.config.peers.begin()->second.policy.import_chain[Family::kIpv4Unicast];
  chain = std::make_shared<const std::vector<Filter>>(std::vector<Filter>{reject});
  a_.apply();
  ASSERT_TRUE(loop_.run_until([this] { return a_.sink.routes.empty(); }, seconds(5)));
  chain = nullptr;
  a_.apply();
  ASSERT_TRUE(loop_.run_until([this] { return a_.sink.routes.size() == 1; }, seconds(5)));
  EXPECT_EQ(a_.peer(b_).times_dropped, 0U);
}

TEST_F(Apply, ShuttingDownAndUpAgain) {
  auto& settings = a_.config.peers.begin()->second;
  settings.is_shut_down = true;
  a_.apply();
  loop_.advance(seconds(60));
  EXPECT_EQ(a_.peer(b_).state, fsm::State::kIdle);
  EXPECT_FALSE(b_.is_up(a_));
  settings.is_shut_down = false;
  a_.apply();
  up();
}

TEST(Compare, ChainsAreComparedByContent) {
  PeerSettings a, b;
  a.policy.import_chain[Family::kIpv4Unicast] = accept_all();
  b.policy.import_chain[Family::kIpv4Unicast] = accept_all();
  EXPECT_FALSE(compare(a, b).any());
  b.policy.import_chain[Family::kIpv4Unicast] = nullptr;
  EXPECT_TRUE(compare(a, b).routes);
  EXPECT_FALSE(compare(a, b).session);
}

}  // namespace
}  // namespace margay::bgp
