#include "bgp/speaker/speaker.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/telemetry/capture_sink.h"
#include "base/telemetry/exposition.h"
#include "bgp/speaker/snapshot_json.h"
#include "bgp/speaker/speaker_fixture.h"
#include "bgp/speaker/stale_keeper.h"

namespace margay::bgp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SpeakerTest : public testing::Test {
 protected:
  void connect(Node& a, Node& b) {
    a.add_peer(b);
    b.add_peer(a);
  }
  bool wait(const std::function<bool()>& condition, Duration limit = seconds(30)) {
    return loop_.run_until(condition, limit);
  }
  void both_up() {
    ASSERT_TRUE(wait([this] { return a_.is_up(b_) && b_.is_up(a_); })) << a_.failure << b_.failure;
  }
  void start_pair() {
    connect(a_, b_);
    a_.start();
    b_.start();
    both_up();
  }

  loop::SimLoop loop_;
  session::SimInternet internet_{loop_, 1};
  Node a_{loop_, internet_, "10.0.0.1", Asn(64512)};
  Node b_{loop_, internet_, "10.0.0.2", Asn(64513)};
  Node c_{loop_, internet_, "10.0.0.3", Asn(64514)};
};

TEST_F(SpeakerTest, RoutesGoBothWaysAndLeaveAgain) {
  a_.config.local_routes = {local("10.1.0.0/26"), local("10.1.0.64/26")};
  b_.config.local_routes = {local("10.2.0.0/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return a_.sink.routes.size() == 1 && b_.sink.routes.size() == 2; }));
  EXPECT_THAT(b_.best_prefixes(), ElementsAre("10.1.0.0/26", "10.1.0.64/26"));
  EXPECT_EQ(b_.sink.routes.at(net("10.1.0.0/26")).next_hops.at(0).address, a_.address());
  EXPECT_TRUE(b_.sink.routes.at(net("10.1.0.0/26")).is_external);
  a_.speaker().set_local_routes({local("10.1.0.64/26")});
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }));
  EXPECT_THAT(b_.best_prefixes(), ElementsAre("10.1.0.64/26"));
}

TEST_F(SpeakerTest, AChangeArrivesWithoutWaitingForAnyTimer) {
  start_pair();
  a_.speaker().set_local_routes({local("10.1.0.0/26")});
  EXPECT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }, milliseconds(1)));
}

TEST_F(SpeakerTest, BothSidesConnectingLeavesOneSession) {
  start_pair();
  loop_.advance(seconds(10));
  EXPECT_EQ(internet_.connection_count(), 1U);
  EXPECT_EQ(a_.peer(b_).times_established, 1U);
  EXPECT_EQ(b_.peer(a_).times_established, 1U);
}

TEST_F(SpeakerTest, IdleSessionsLive) {
  start_pair();
  loop_.advance(std::chrono::hours(1));
  EXPECT_TRUE(a_.is_up(b_));
  EXPECT_EQ(a_.peer(b_).times_dropped, 0U);
  EXPECT_GT(a_.peer(b_).received.keepalives, 100U);
}

TEST_F(SpeakerTest, ASilentPeerIsGoneAfterTheHoldTime) {
  for (auto* node : {&a_, &b_}) node->config.local_routes = {};
  connect(a_, b_);
  a_.config.peers.begin()->second.hold_time = seconds(9);
  a_.start();
  b_.start();
  both_up();
  internet_.set_reachable(a_.address(), b_.address(), false);
  loop_.advance(seconds(8) / 2);
  EXPECT_TRUE(a_.is_up(b_));
  loop_.advance(seconds(6));
  EXPECT_FALSE(a_.is_up(b_));
  EXPECT_THAT(a_.peer(b_).last_error->text, HasSubstr("hold time"));
}

TEST_F(SpeakerTest, ARouteIsRelayedButNeverToWhereItCameFrom) {
  connect(a_, b_);
  connect(b_, c_);
  a_.config.local_routes = {local("10.1.0.0/26")};
  for (auto* node : {&a_, &b_, &c_}) node->start();
  ASSERT_TRUE(wait([this] { return c_.sink.routes.size() == 1; }));
  EXPECT_EQ(a_.sink.routes.size(), 0U);
  EXPECT_EQ(a_.peer(b_).routes.received[Family::kIpv4Unicast], 0U);
  const auto routes = c_.speaker().snapshot({.routes = SnapshotQuery::Routes::kBest, .peer = {}, .prefix = {}}).routes;
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].as_path, "64513 64512");
  EXPECT_EQ(routes[0].peer, b_.address());
  EXPECT_TRUE(routes[0].best);
}

TEST_F(SpeakerTest, ARestartKeepsRoutesUntilItIsOver) {
  a_.config.local_routes = {local("10.1.0.0/26"), local("10.1.0.64/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 2; }));
  a_.kill();
  loop_.advance(seconds(10));
  EXPECT_EQ(b_.sink.routes.size(), 2U);
  EXPECT_EQ(b_.peer(a_).routes.stale[Family::kIpv4Unicast], 2U);
  a_.config.local_routes = {local("10.1.0.64/26")};
  a_.sink.times_converged = 0;
  a_.start(true);
  both_up();
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }));
  EXPECT_THAT(b_.best_prefixes(), ElementsAre("10.1.0.64/26"));
  EXPECT_EQ(a_.sink.times_converged, 1);
}

TEST_F(SpeakerTest, ARestartingSpeakerDoesNotWaitForOneThatIsDown) {
  connect(a_, b_);
  connect(a_, c_);  // c never starts
  a_.start(true);
  b_.start();
  both_up();
  EXPECT_EQ(a_.sink.times_converged, 0);
  loop_.advance(a_.config.selection_deferral);
  EXPECT_FALSE(a_.speaker().snapshot({}).restarting) << "End-of-RIB is out";
  EXPECT_EQ(a_.sink.times_converged, 0) << "the kernel's routes may be of the one that is down";
  loop_.advance(seconds(120));
  EXPECT_EQ(a_.sink.times_converged, 1);
}

TEST_F(SpeakerTest, ARestartLosesNoRouteOfAPeerThatComesBackLate) {
  b_.config.local_routes = {local("10.2.0.0/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return a_.sink.routes.size() == 1; }));
  internet_.set_reachable(a_.address(), b_.address(), false);
  a_.kill();
  a_.sink.times_converged = 0;
  a_.start(true);
  loop_.advance(seconds(30));
  EXPECT_EQ(a_.sink.routes.size(), 1U);
  internet_.set_reachable(a_.address(), b_.address(), true);
  both_up();
  loop_.advance(seconds(2));
  EXPECT_EQ(a_.sink.times_converged, 1);
  EXPECT_THAT(a_.best_prefixes(), ElementsAre("10.2.0.0/26"));
  const auto offered = b_.peer(a_).session->received.graceful_restart;
  ASSERT_TRUE(offered);
  EXPECT_TRUE(offered->restarting) << "RFC 4724 4.1";
  EXPECT_TRUE(offered->forwarding.at(afi_safi(Family::kIpv4Unicast)));
}

TEST_F(SpeakerTest, ARestartDoesNotWaitForWhoHasNoGracefulRestart) {
  connect(a_, b_);
  a_.config.peers.begin()->second.restart_time.reset();
  a_.start(true);  // b never starts
  loop_.advance(a_.config.selection_deferral + seconds(1));
  EXPECT_EQ(a_.sink.times_converged, 1);
}

TEST_F(SpeakerTest, APeerThatDoesNotComeBackLosesItsRoutesAfterItsRestartTime) {
  a_.config.local_routes = {local("10.1.0.0/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }));
  a_.kill();
  loop_.advance(seconds(119));
  EXPECT_EQ(b_.sink.routes.size(), 1U);
  loop_.advance(seconds(5));
  EXPECT_EQ(b_.sink.routes.size(), 0U);
}

TEST_F(SpeakerTest, LongLivedRoutesStayLonger) {
  a_.config.local_routes = {local("10.1.0.0/26")};
  connect(a_, b_);
  for (auto* node : {&a_, &b_}) node->config.peers.begin()->second.long_lived_stale_time = seconds(600);
  a_.start();
  b_.start();
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }));
  a_.kill();
  loop_.advance(seconds(500));
  EXPECT_EQ(b_.sink.routes.size(), 1U);
  loop_.advance(seconds(300));
  EXPECT_EQ(b_.sink.routes.size(), 0U);
}

TEST_F(SpeakerTest, StoppingSaysGoodbyeWithTextAndTakesTheRoutesAway) {
  a_.config.local_routes = {local("10.1.0.0/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }));
  bool is_done = false;
  a_.speaker().stop("maintenance until 5", [&] { is_done = true; });
  ASSERT_TRUE(wait([&] { return is_done; }, seconds(2)));
  ASSERT_TRUE(wait([this] { return b_.sink.routes.empty(); }, seconds(2)));
  EXPECT_THAT(to_json(b_.peer(a_)).string_at({"lastError"}), HasSubstr("maintenance until 5"));
}

TEST_F(SpeakerTest, ThePrefixLimitEndsTheSessionAndTriesAgainWhenTold) {
  a_.config.local_routes = {local("10.1.0.0/26"), local("10.1.0.64/26"), local("10.1.0.128/26")};
  connect(a_, b_);
  rib::PrefixLimit limit;
  limit.max = 2;
  limit.restart_after = seconds(100);
  b_.config.peers.begin()->second.policy.prefix_limit[Family::kIpv4Unicast] = limit;
  a_.start();
  b_.start();
  ASSERT_TRUE(wait([this] { return b_.peer(a_).times_dropped == 1; }));
  EXPECT_EQ(b_.sink.routes.size(), 0U);
  loop_.advance(seconds(90));
  EXPECT_EQ(b_.peer(a_).times_established, 1U);
  a_.speaker().set_local_routes({local("10.1.0.0/26")});
  EXPECT_TRUE(wait([this] { return b_.sink.routes.size() == 1; }, seconds(120)));
}

TEST_F(SpeakerTest, PeersOfAListenRangeComeAndGoUpToTheLimit) {
  ListenRange range{"nodes", net("10.0.0.0/24"), 1, {}};
  range.settings.restart_time.reset();
  a_.config.listen_ranges = {range};
  for (auto* node : {&b_, &c_}) node->add_peer(a_);
  a_.start();
  b_.start();
  ASSERT_TRUE(wait([this] { return a_.is_up(b_); }));
  c_.start();
  loop_.advance(seconds(30));
  EXPECT_FALSE(c_.is_up(a_));
  EXPECT_TRUE(a_.peer(b_).is_dynamic);
  EXPECT_EQ(a_.peer(b_).remote_asn, Asn(64513));
  b_.kill();
  ASSERT_TRUE(wait([this] { return c_.is_up(a_); }, seconds(90)));
  EXPECT_EQ(a_.speaker().snapshot({}).peers.size(), 1U);
}

TEST_F(SpeakerTest, ADynamicPeerOverItsLimitWaitsAsLongAsAnyOther) {
  ListenRange range{"nodes", net("10.0.0.0/24"), 9, {}};
  rib::PrefixLimit limit;
  limit.max = 1;
  limit.restart_after = seconds(100);
  range.settings.policy.prefix_limit[Family::kIpv4Unicast] = limit;
  a_.config.listen_ranges = {range};
  b_.config.local_routes = {local("10.2.0.0/26"), local("10.2.0.64/26")};
  b_.add_peer(a_);
  a_.start();
  b_.start();
  ASSERT_TRUE(wait([this] { return a_.peer(b_).times_dropped == 1; }));
  (void)b_.speaker().reset(a_.address(), "again");  // its idle hold is not what is tested
  loop_.advance(seconds(70));
  EXPECT_FALSE(a_.is_up(b_));
  EXPECT_EQ(a_.peer(b_).times_established, 1U);
  b_.speaker().set_local_routes({local("10.2.0.0/26")});
  EXPECT_TRUE(wait([this] { return a_.is_up(b_); }, seconds(120)));
}

TEST_F(SpeakerTest, AHigherPrefixLimitLetsThePeerBack) {
  a_.config.local_routes = {local("10.1.0.0/26"), local("10.1.0.64/26")};
  connect(a_, b_);
  b_.config.peers.begin()->second.policy.prefix_limit[Family::kIpv4Unicast].max = 1;
  a_.start();
  b_.start();
  ASSERT_TRUE(wait([this] { return b_.peer(a_).times_dropped == 1; }));
  b_.config.peers.begin()->second.connect_retry = seconds(6);
  b_.apply();
  loop_.advance(seconds(200));
  EXPECT_EQ(b_.peer(a_).times_established, 1U) << "for ever, as nobody said when to try again";
  b_.config.peers.begin()->second.policy.prefix_limit[Family::kIpv4Unicast].max = 2;
  b_.apply();
  EXPECT_TRUE(wait([this] { return b_.sink.routes.size() == 2; }, seconds(120)));
}

TEST_F(SpeakerTest, KeepalivesFollowTheConfigurationAtOnce) {
  start_pair();
  loop_.advance(seconds(1));
  const std::uint64_t before = b_.peer(a_).received.keepalives;
  a_.config.peers.begin()->second.keepalive_time = seconds(2);
  a_.apply();
  loop_.advance(seconds(20));
  EXPECT_GE(b_.peer(a_).received.keepalives, before + 10);
  EXPECT_EQ(b_.peer(a_).times_established, 1U);
}

TEST_F(SpeakerTest, WhyTheSessionEndedStaysWhileAttemptsFail) {
  start_pair();
  b_.kill();
  internet_.set_reachable(a_.address(), b_.address(), false);
  ASSERT_TRUE(wait([this] { return a_.peer(b_).last_attempt_error.has_value(); }, seconds(300)));
  const PeerSnapshot peer = a_.peer(b_);
  const json::Value shown = to_json(peer);
  EXPECT_THAT(shown.string_at({"lastError"}), HasSubstr("hold time"));
  EXPECT_THAT(shown.string_at({"lastAttemptError"}), testing::Not(testing::AnyOf("", HasSubstr("hold time"))));
  EXPECT_GT(peer.last_error_age, peer.last_attempt_error_age);
}

class FakeLiveness final : public LivenessMonitor {
 public:
  class FakeWatch final : public Watch {
   public:
    explicit FakeWatch(FakeLiveness& owner) : owner_(owner) {}
    ~FakeWatch() override { ++owner_.ended; }
    [[nodiscard]] std::string state() const override { return "Up"; }
    bool change(const std::optional<BfdConfig>& config) override {
      owner_.changes.push_back(config);
      return true;
    }

   private:
    FakeLiveness& owner_;
  };
  std::unique_ptr<Watch> watch(const IpAddress&, const IpAddress&, bool, const BfdConfig&,
                               Callback<void(bool)> down) override {
    ++begun;
    on_down = std::move(down);
    return std::make_unique<FakeWatch>(*this);
  }
  int begun = 0, ended = 0;
  std::vector<std::optional<BfdConfig>> changes;
  Callback<void(bool)> on_down;
};

// A new BFD session would look to the peer as if the path were gone.
TEST_F(SpeakerTest, OtherBfdIntervalsAreNoNewBfdSession) {
  FakeLiveness liveness;
  telemetry::Registry registry;
  connect(a_, b_);
  a_.liveness = &liveness;
  a_.metrics = &registry;
  auto& settings = a_.config.peers.begin()->second;
  settings.bfd = BfdConfig{};
  a_.start();
  b_.start();
  both_up();
  settings.bfd->multiplier = 7;
  a_.apply();
  EXPECT_EQ(liveness.begun, 1);
  EXPECT_THAT(liveness.changes, ElementsAre(settings.bfd));
  loop_.advance(seconds(2));
  const auto text = [&] {
    a_.speaker().update_metrics();
    return telemetry::render(registry, telemetry::Exposition::kPrometheusText);
  };
  EXPECT_THAT(text(), HasSubstr("margay_bgp_peer_bfd_up{peer=\"10.0.0.2\"} 1"));
  settings.bfd.reset();
  a_.apply();
  EXPECT_EQ(liveness.changes.size(), 2U);
  EXPECT_EQ(liveness.ended, 0) << "it tells the peer that it is over, and must not just fall silent";
  liveness.on_down(false);
  loop_.advance(seconds(2));
  EXPECT_TRUE(a_.is_up(b_)) << "nobody asked any more";
  EXPECT_THAT(text(), testing::Not(HasSubstr("bfd_up{")));
  settings.bfd = BfdConfig{};
  a_.apply();
  EXPECT_EQ(liveness.begun, 1);
  liveness.on_down(false);
  loop_.advance(seconds(2));
  EXPECT_THAT(a_.peer(b_).last_error->text, HasSubstr("BFD"));
  EXPECT_THAT(text(), HasSubstr("margay_bgp_peer_bfd_downs_total{peer=\"10.0.0.2\"} 1"));
  a_.kill();
}

// A transport of a machine that does not have the address to listen on yet, or no memory for keys.
class PoorTransport final : public session::Transport {
 public:
  explicit PoorTransport(std::unique_ptr<session::Transport> inner) : inner_(std::move(inner)) {}
  std::unique_ptr<session::Handle> connect(const session::ConnectRequest& request,
                                           Callback<void(Result<std::unique_ptr<session::Connection>>)> done) override {
    return inner_->connect(request, std::move(done));
  }
  Status listen(std::vector<IpAddress> addresses, std::uint16_t port,
                std::function<void(std::unique_ptr<session::Connection>)> on_accepted) override {
    ++times_listened;
    if (!has_address) return Error{ErrorCode::kUnavailable, "listen on 10.0.0.9:179: Cannot assign requested address"};
    return inner_->listen(std::move(addresses), port, std::move(on_accepted));
  }
  void stop_listening() override { inner_->stop_listening(); }
  void set_peer_options(std::map<IpPrefix, session::PeerSocketOptions> peers) override {
    ++times_set;
    refused_.clear();
    for (const auto& [prefix, options] : peers) {
      if (!has_memory && !options.password.empty()) {
        refused_.emplace(prefix, Error{ErrorCode::kUnavailable, "TCP MD5 key: Cannot allocate memory"});
      }
    }
    inner_->set_peer_options(std::move(peers));
  }
  [[nodiscard]] std::map<IpPrefix, Error> refused_peer_options() const override { return refused_; }
  [[nodiscard]] LinkFacts link_facts(const IpAddress& local, const IpAddress& remote) const override {
    return inner_->link_facts(local, remote);
  }
  bool has_address = true, has_memory = true;
  int times_listened = 0, times_set = 0;

 private:
  std::unique_ptr<session::Transport> inner_;
  std::map<IpPrefix, Error> refused_;
};

TEST_F(SpeakerTest, ListensAsSoonAsTheAddressIsThere) {
  PoorTransport transport(internet_.add_host({ip("10.0.0.9")}));
  transport.has_address = false;
  RecordingSink sink;
  SeededRandom random(9);
  Speaker late({loop_, random, transport, sink}, false);
  SpeakerConfig config = a_.config;
  config.listen_addresses = {ip("10.0.0.9")};
  config.peers[{b_.address(), 179}].remote_asn = b_.config.asn;
  config.peers[{b_.address(), 179}].passive = true;
  EXPECT_TRUE(late.apply(config).ok()) << "that comes later and is no reason not to begin";
  EXPECT_THAT(late.snapshot({}).problems, ElementsAre(HasSubstr("10.0.0.9:179: Cannot assign")));
  b_.config.peers[{ip("10.0.0.9"), 179}].remote_asn = a_.config.asn;
  b_.start();
  loop_.advance(seconds(10));
  transport.has_address = true;
  EXPECT_TRUE(wait([&] { return late.snapshot({}).peers.at(0).state == fsm::State::kEstablished; }));
  EXPECT_THAT(late.snapshot({}).problems, testing::IsEmpty());
  const int times = transport.times_listened;
  loop_.advance(seconds(10));
  EXPECT_EQ(transport.times_listened, times) << "it does now";
}

TEST_F(SpeakerTest, AKeyThatCannotBeSetIsShownAndTriedAgain) {
  PoorTransport transport(internet_.add_host({ip("10.0.0.9")}));
  transport.has_memory = false;
  telemetry::CaptureSink log;
  telemetry::LogOutput output(log, telemetry::no_clock, telemetry::Level::kInfo);
  telemetry::Registry registry;
  RecordingSink sink;
  SeededRandom random(9);
  Speaker speaker({loop_, random, transport, sink, telemetry::Logger(output), &registry}, false);
  SpeakerConfig config = a_.config;
  config.peers[{b_.address(), 179}].password = "secret";
  config.peers[{c_.address(), 179}].passive = true;
  EXPECT_TRUE(speaker.apply(config).ok());
  const auto metric = [&] {
    speaker.update_metrics();
    return telemetry::render(registry, telemetry::Exposition::kPrometheusText);
  };
  EXPECT_THAT(speaker.snapshot({}).peers.at(0).socket_error, HasSubstr("Cannot allocate memory"));
  EXPECT_EQ(speaker.snapshot({}).peers.at(1).socket_error, "");
  EXPECT_THAT(speaker.snapshot({}).problems, ElementsAre(HasSubstr("10.0.0.2/32: TCP MD5 key")));
  loop_.advance(seconds(10));
  EXPECT_GE(transport.times_set, 5);
  EXPECT_THAT(metric(), HasSubstr("margay_bgp_peer_refused{peer=\"10.0.0.2\"} 1"));
  const auto is_told = [](const std::string& line) { return line.find("peers cannot connect") != std::string::npos; };
  const std::vector<std::string> lines = log.lines();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), is_told), 1) << "once, not every second";
  transport.has_memory = true;
  loop_.advance(seconds(3));
  EXPECT_THAT(speaker.snapshot({}).problems, testing::IsEmpty());
  EXPECT_EQ(speaker.snapshot({}).peers.at(0).socket_error, "");
  EXPECT_TRUE(log.has("after all"));
  EXPECT_THAT(metric(), HasSubstr("margay_bgp_peer_refused{peer=\"10.0.0.2\"} 0"));
}

TEST_F(SpeakerTest, AFamilyThatOnlyTheLongLivedCapabilityNamesIsKept) {  // RFC 9494 §4.2
  rib::Rib rib(rib::RibConfig{}, rib::Events{});
  rib.add_peer(0, {});
  StaleKeeper keeper(loop_, rib, 0, [] {});
  fsm::Negotiated session;
  session.families[Family::kIpv4Unicast] = true;
  session.graceful_restart.emplace().restart_time_s = 120;
  session.long_lived[Family::kIpv4Unicast] = LongLivedFamily{.forwarding = true, .stale_time_s = 600};
  keeper.session_down(session);
  loop_.advance(seconds(599));
  EXPECT_TRUE(keeper.is_keeping());
  loop_.advance(seconds(2));
  EXPECT_FALSE(keeper.is_keeping()) << "without the restart time of others";
}

TEST_F(SpeakerTest, StrangersAreRefused) {
  b_.add_peer(a_);
  a_.start();
  b_.start();
  loop_.advance(seconds(20));
  EXPECT_FALSE(b_.is_up(a_));
  EXPECT_TRUE(a_.speaker().snapshot({}).peers.empty());
}

TEST_F(SpeakerTest, PasswordsMustBeEqualAndAChangeIsASession) {
  connect(a_, b_);
  a_.config.peers.begin()->second.password = "secret";
  a_.start();
  b_.start();
  loop_.advance(seconds(60));
  EXPECT_FALSE(a_.is_up(b_));
  b_.config.peers.begin()->second.password = "secret";
  b_.apply();
  EXPECT_TRUE(wait([this] { return a_.is_up(b_); }, seconds(120)));
}

TEST_F(SpeakerTest, RemovingAPeerSaysSoAndTakesItsRoutes) {
  b_.config.local_routes = {local("10.2.0.0/26")};
  start_pair();
  ASSERT_TRUE(wait([this] { return a_.sink.routes.size() == 1; }));
  a_.config.peers.clear();
  a_.apply();
  ASSERT_TRUE(wait([this] { return a_.sink.routes.empty(); }));
  EXPECT_TRUE(a_.speaker().snapshot({}).peers.empty());
  EXPECT_TRUE(wait([this] { return !b_.is_up(a_); }));
}

TEST_F(SpeakerTest, ResetAndRefreshAreForPeersThatAreThere) {
  start_pair();
  EXPECT_EQ(a_.speaker().reset(c_.address(), "").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(a_.speaker().refresh_in(b_.address()).ok());
  EXPECT_TRUE(a_.speaker().refresh_out(b_.address()).ok());
  EXPECT_TRUE(a_.is_up(b_));
  ASSERT_TRUE(a_.speaker().reset(b_.address(), "by hand").ok());
  EXPECT_FALSE(a_.is_up(b_));
  both_up();
  EXPECT_EQ(a_.peer(b_).times_established, 2U);
}

TEST_F(SpeakerTest, AConfigurationThatCannotBeChangesNothing) {
  start_pair();
  SpeakerConfig bad = a_.config;
  bad.router_id = RouterId();
  bad.peers.begin()->second.hold_time = seconds(2);
  bad.peers.begin()->second.bfd = BfdConfig{};
  const Status status = a_.speaker().apply(bad);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, testing::AllOf(HasSubstr("router_id"), HasSubstr("peers[10.0.0.2].hold_time"),
                                                     HasSubstr("peers[10.0.0.2].bfd")));
  EXPECT_TRUE(a_.is_up(b_));
}

TEST_F(SpeakerTest, PeersAtOneAddressHaveSeriesOfTheirOwn) {
  telemetry::Registry registry;
  a_.metrics = &registry;
  start_pair();
  const auto text = [&] {
    loop_.advance(seconds(2));
    a_.speaker().update_metrics();
    return telemetry::render(registry, telemetry::Exposition::kPrometheusText);
  };
  a_.config.peers[{b_.address(), 1179}].remote_asn = Asn(64999);
  a_.apply();
  EXPECT_THAT(text(), AllOf(HasSubstr("margay_bgp_peer_state{peer=\"10.0.0.2\",port=\"179\"} 5"),
                            HasSubstr("margay_bgp_peer_state{peer=\"10.0.0.2\",port=\"1179\"} "),
                            Not(HasSubstr("margay_bgp_peer_state{peer=\"10.0.0.2\"}"))));
  a_.config.peers.erase({b_.address(), 1179});
  a_.apply();
  EXPECT_THAT(text(), AllOf(HasSubstr("margay_bgp_peer_state{peer=\"10.0.0.2\"} 5"), Not(HasSubstr("port="))));
}

TEST_F(SpeakerTest, TheLastErrorIsAMetric) {
  telemetry::Registry registry;
  a_.metrics = &registry;
  start_pair();
  const auto text = [&] {
    loop_.advance(seconds(2));
    a_.speaker().update_metrics();
    return telemetry::render(registry, telemetry::Exposition::kPrometheusText);
  };
  EXPECT_THAT(text(), Not(HasSubstr("margay_bgp_peer_last_error_age_seconds{")));
  ASSERT_TRUE(b_.speaker().reset(a_.address(), "").ok());
  EXPECT_THAT(text(), HasSubstr("margay_bgp_peer_last_error_age_seconds{code=\"6\",kind=\"notification-received\","
                                "peer=\"10.0.0.2\",subcode=\"4\"} "));
  both_up();
  internet_.break_all_connections();
  const std::string later = text();
  EXPECT_THAT(later, HasSubstr("margay_bgp_peer_last_error_age_seconds{code=\"\",kind=\"connection-closed\""));
  EXPECT_THAT(later, Not(HasSubstr("kind=\"notification-received\""))) << "one series a peer";
}

TEST_F(SpeakerTest, MetricsFollowTheState) {
  telemetry::Registry registry;
  a_.metrics = &registry;
  b_.config.local_routes = {local("10.2.0.0/26")};
  start_pair();
  const auto rendered = [&] {
    loop_.advance(seconds(3));
    a_.speaker().update_metrics();
    return telemetry::render(registry, telemetry::Exposition::kPrometheusText);
  };
  const std::string text = rendered();
  EXPECT_THAT(text, HasSubstr("margay_bgp_peer_state{peer=\"10.0.0.2\"} 5"));
  EXPECT_THAT(text, HasSubstr("margay_bgp_peer_prefixes_received{family=\"ipv4-unicast\",peer=\"10.0.0.2\"} 1"));
  a_.config.peers.clear();
  a_.apply();
  EXPECT_THAT(rendered(), testing::Not(HasSubstr("10.0.0.2")));
}

}  // namespace
}  // namespace margay::bgp
