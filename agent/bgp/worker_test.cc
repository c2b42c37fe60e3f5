// Calculations and speakers of several nodes on one virtual clock: from objects to routes in the kernels of others.
#include <gtest/gtest.h>

#include "agent/bgp/bgp_worker.h"
#include "agent/bgp/bgp_world.h"
#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "bgp/session/sim_transport.h"

namespace margay::agent {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::string>;

// One node: what it knows, its speaker, and the kernel that outlives both.
class Machine {
 public:
  Machine(loop::SimLoop& loop, bgp::session::SimInternet& internet, std::string name, const std::string& address)
      : name_(std::move(name)), loop_(loop), transport_(internet.add_host({ip(address)})), world_(name_) {
    begin();
  }

  void apply(const BgpInput& input) {
    world_.calculation().apply(input);
    pass_on();
  }
  void set_gate(bool is_open, bool is_restarting = false) {
    SpeakerUpdate update;
    update.gate = CarrierGate{is_open, is_restarting};
    worker_->apply(std::move(update));
  }
  // As a crash: no word to anybody. Then a new process, which reads all objects again.
  void crash() {
    worker_.reset();
    transport_->stop_listening();
  }
  void restart() {
    begin();
    SpeakerUpdate all;
    all.settings = world_.told;
    all.settings->peers.clear();
    all.settings->local_routes.clear();
    for (const auto& [key, peer] : world_.told.peers) all.peers[key] = peer;
    all.local_routes = world_.told.local_routes;
    worker_->apply(std::move(all));
    set_gate(true, true);
  }

  // "10.0.1.0/26 192.0.2.2 1024"
  [[nodiscard]] Lines routes() const {
    Lines out;
    for (const auto& [prefix, text] : kernel_) out.push_back(concat(prefix.to_string(), " ", text));
    return out;
  }
  [[nodiscard]] int removals_of(const char* prefix) const {
    const auto found = removals_.find(net(prefix));
    return found == removals_.end() ? 0 : found->second;
  }
  [[nodiscard]] bool has_converged() const { return has_converged_; }
  [[nodiscard]] BgpWorker& worker() { return *worker_; }
  [[nodiscard]] BgpSnapshot snapshot() const { return worker_->snapshot({}); }
  [[nodiscard]] World& world() { return world_; }

 private:
  void begin() {
    worker_ = std::make_unique<BgpWorker>(
        BgpWorkerParts{loop_, random_, *transport_, [this](route::RouteBatch batch) { write(batch); }});
  }
  void pass_on() {
    SpeakerUpdate update = world_.flush().speaker;
    if (!update.empty()) worker_->apply(std::move(update));
  }
  void write(const route::RouteBatch& batch) {
    has_converged_ |= batch.is_converged();
    for (const route::RouteBatch::Change& change : batch.changes()) {
      if (change.hops == nullptr) {
        removals_[change.prefix] += kernel_.erase(change.prefix) > 0 ? 1 : 0;
        continue;
      }
      std::string text;
      for (const route::LearnedHop& hop : *change.hops) text += concat(hop.address.to_string(), " ");
      kernel_[change.prefix] = concat(text, change.metric);
    }
  }

  const std::string name_;
  loop::SimLoop& loop_;
  SeededRandom random_{7};
  std::unique_ptr<bgp::session::Transport> transport_;
  World world_;
  std::map<IpPrefix, std::string> kernel_;
  std::map<IpPrefix, int> removals_;
  bool has_converged_ = false;
  std::unique_ptr<BgpWorker> worker_;
};

class Cluster : public testing::Test {
 protected:
  // n1 has 192.0.2.1 and 10.0.1.0/26, and so on.
  void start(int count, const std::map<int, NodeText>& texts = {}) {
    for (int i = 1; i <= count; ++i) {
      machines_.push_back(std::make_unique<Machine>(loop_, internet_, concat("n", i), concat("192.0.2.", i)));
    }
    apply(pool("10.0.0.0/16"));
    for (int i = 1; i <= count; ++i) {
      NodeText text;
      const auto given = texts.find(i);
      if (given != texts.end()) text = given->second;
      text.ipv4 = concat("192.0.2.", i, "/24");
      apply(node(concat("n", i), text));
      apply(affinity(concat("n", i), concat("10.0.", i, ".0/26")));
    }
  }
  void apply(const BgpInput& input) {
    for (const auto& machine : machines_) machine->apply(input);
  }
  void open_all() {
    for (const auto& machine : machines_) machine->set_gate(true);
  }
  void run(Duration time = seconds(40)) { loop_.advance(time); }
  Machine& at(int number) { return *machines_[static_cast<std::size_t>(number - 1)]; }

  // All nodes' blocks but its own.
  static Lines blocks_but(int own, int count) {
    Lines out;
    for (int i = 1; i <= count; ++i) {
      if (i != own) out.push_back(concat("10.0.", i, ".0/26 192.0.2.", i, " 1024"));
    }
    return out;
  }

  loop::SimLoop loop_;
  bgp::session::SimInternet internet_{loop_, 1};
  std::vector<std::unique_ptr<Machine>> machines_;
};

TEST_F(Cluster, AMeshExchangesBlocks) {
  start(4);
  open_all();
  run();
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(at(i).routes(), blocks_but(i, 4)) << "n" << i;
    EXPECT_TRUE(at(i).has_converged());
    EXPECT_EQ(at(i).snapshot().refused, "");
  }
}

TEST_F(Cluster, NothingIsSaidBeforeTheDataplaneCanCarryIt) {
  start(3);
  at(1).set_gate(true);
  at(2).set_gate(true);
  run();
  EXPECT_EQ(at(1).routes(), Lines{"10.0.2.0/26 192.0.2.2 1024"});
  EXPECT_FALSE(at(3).snapshot().is_running);
  EXPECT_EQ(at(3).routes(), Lines{});
  at(3).set_gate(true);
  run();
  EXPECT_EQ(at(1).routes(), blocks_but(1, 3));
  EXPECT_EQ(at(3).routes(), blocks_but(3, 3));
}

TEST_F(Cluster, RoutesAreReadAPieceAtATime) {
  start(3);
  EXPECT_EQ(at(1).worker().open_routes({}).error().code, ErrorCode::kUnavailable) << "it does not run yet";
  open_all();
  run();
  bgp::SnapshotQuery query;
  query.routes = bgp::SnapshotQuery::Routes::kBest;
  const std::uint64_t reading = at(1).worker().open_routes(query).value();
  Lines prefixes;
  RoutesRead read;
  do {
    read = at(1).worker().read_routes(reading);
    for (const bgp::RouteSnapshot& route : read.routes) prefixes.push_back(route.prefix.to_string());
  } while (read.has_more);
  EXPECT_EQ(prefixes, (Lines{"10.0.1.0/26", "10.0.2.0/26", "10.0.3.0/26"}));
  EXPECT_FALSE(at(1).worker().read_routes(reading).has_more) << "it is used up";
  const std::uint64_t closed = at(1).worker().open_routes(query).value();
  at(1).worker().close_routes(closed);
  EXPECT_TRUE(at(1).worker().read_routes(closed).routes.empty());
  query.routes = bgp::SnapshotQuery::Routes::kReceived;
  query.peer = ip("192.0.2.99");
  EXPECT_EQ(at(1).worker().open_routes(query).error().code, ErrorCode::kNotFound);
}

TEST_F(Cluster, AGateThatClosesWithdrawsOurRoutesAlone) {
  start(3);
  open_all();
  run();
  at(3).set_gate(false);
  run(seconds(2));
  EXPECT_EQ(at(1).routes(), Lines{"10.0.2.0/26 192.0.2.2 1024"});
  EXPECT_EQ(at(3).routes(), blocks_but(3, 3)) << "what was learnt stays";
  for (const bgp::PeerSnapshot& peer : at(3).snapshot().speaker.peers) EXPECT_EQ(peer.times_dropped, 0U);
  apply(affinity("n3", "10.0.33.0/26"));
  run(seconds(2));
  EXPECT_EQ(at(1).routes().size(), 1U);
  at(3).set_gate(true);
  run(seconds(2));
  EXPECT_EQ(at(1).routes().size(), 3U);
}

TEST_F(Cluster, ReflectorsPassOnWhatTheirClientsTell) {
  start(6, {{1, {.cluster_id = "1.0.0.1", .labels = {{"rr", ""}}}},
            {2, {.cluster_id = "1.0.0.1", .labels = {{"rr", ""}}}}});
  apply(configuration("default", [](auto& spec) { spec.node_to_node_mesh_enabled = false; }));
  apply(peer("to-rr", [](auto& spec) {
    spec.node_selector = "all()";
    spec.peer_selector = "has(rr)";
  }));
  open_all();
  run();
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(at(i).routes(), blocks_but(i, 6)) << "n" << i;
    EXPECT_EQ(at(i).snapshot().speaker.peers.size(), i <= 2 ? 5U : 2U);
  }
  // One reflector goes: nothing is lost.
  at(1).crash();
  run();
  EXPECT_EQ(at(3).routes(), blocks_but(3, 6)) << "its own block is kept for its restart time";
  EXPECT_EQ(at(3).removals_of("10.0.4.0/26"), 0);
}

TEST_F(Cluster, TheMeshGivesWayToReflectorsWithoutALoss) {
  start(4, {{1, {.cluster_id = "1.0.0.1", .labels = {{"rr", ""}}}}});
  open_all();
  run();
  EXPECT_EQ(at(2).routes().size(), 2U) << "the reflector is not in the mesh";
  apply(peer("to-rr", [](auto& spec) {
    spec.node_selector = "!has(rr)";
    spec.peer_selector = "has(rr)";
  }));
  run();
  EXPECT_EQ(at(2).routes(), blocks_but(2, 4));
  apply(configuration("default", [](auto& spec) { spec.node_to_node_mesh_enabled = false; }));
  run();
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(at(i).routes(), blocks_but(i, 4)) << "n" << i;
  EXPECT_EQ(at(2).removals_of("10.0.3.0/26"), 0);
}

TEST_F(Cluster, BorrowedAddressesComeBesideTheirBlock) {
  start(3);
  apply(block("10.0.1.0/26", "n1", {{5, "n2"}}));
  open_all();
  run();
  EXPECT_EQ(at(3).routes(),
            (Lines{"10.0.1.0/26 192.0.2.1 1024", "10.0.1.5/32 192.0.2.2 1024", "10.0.2.0/26 192.0.2.2 1024"}));
  EXPECT_EQ(at(1).routes(),
            (Lines{"10.0.1.5/32 192.0.2.2 1024", "10.0.2.0/26 192.0.2.2 1024", "10.0.3.0/26 192.0.2.3 1024"}))
      << "also for the block's owner";
}

TEST_F(Cluster, APoolThatIsNotExportedIsNotTold) {
  start(2);
  open_all();
  run();
  EXPECT_EQ(at(1).routes(), blocks_but(1, 2));
  apply(pool("10.0.0.0/16", false));
  run(seconds(5));
  EXPECT_EQ(at(1).routes(), Lines{});
  apply(pool("10.0.0.0/16"));
  run(seconds(5));
  EXPECT_EQ(at(1).routes(), blocks_but(1, 2));
}

TEST_F(Cluster, ServiceAddressesAreToldAndStayOutOfTheKernel) {
  start(2);
  const auto ranges = configuration("default", [](auto& spec) { spec.service_cluster_ips = {{net("10.96.0.0/16")}}; });
  apply(ranges);
  apply(slice("web-1", "web", {{"n2"}}));
  apply(service("web", [](auto& object) {
    object.spec.external_traffic_policy = model::TrafficPolicy::kLocal;
    object.spec.cluster_ips = {{ip("10.96.0.7")}};
  }));
  open_all();
  run();
  EXPECT_EQ(at(2).world().routes(), (Lines{"10.0.2.0/26", "10.96.0.0/16", "10.96.0.7/32"}));
  EXPECT_EQ(at(1).routes(), Lines{"10.0.2.0/26 192.0.2.2 1024"});
  // This node does not advertise services any more: the address of the other is a route like any.
  at(1).apply(configuration("default", [](auto&) {}));
  run(seconds(5));
  EXPECT_EQ(at(1).routes(),
            (Lines{"10.0.2.0/26 192.0.2.2 1024", "10.96.0.0/16 192.0.2.2 1024", "10.96.0.7/32 192.0.2.2 1024"}));
  at(1).apply(ranges);
  run(seconds(5));
  EXPECT_EQ(at(1).routes(), Lines{"10.0.2.0/26 192.0.2.2 1024"}) << "and is taken out again";
}

// Some nodes peer with a router, the others with them: the router gets all blocks, the others none of its routes.
TEST_F(Cluster, ARouterHearsOfAllBlocksThroughOneNode) {
  start(3);
  apply(router("edge", "192.0.2.9", 65100, [](auto& spec) { spec.node = "n1"; }));
  machines_.push_back(std::make_unique<Machine>(loop_, internet_, "router", "192.0.2.9"));
  Machine& outside = at(4);
  outside.apply(node("router", {.ipv4 = "192.0.2.9/24", .asn = "65100"}));
  outside.apply(router("cluster", "192.0.2.1", 64512));
  outside.apply(affinity("router", "0.0.0.0/0"));
  open_all();
  run();
  EXPECT_EQ(outside.routes(), blocks_but(0, 3)) << "by the nodes themselves, which are on its link (RFC 4271 §5.1.3)";
  Lines with_default = blocks_but(1, 3);
  with_default.insert(with_default.begin(), "0.0.0.0/0 192.0.2.9 1024");
  EXPECT_EQ(at(1).routes(), with_default);
  EXPECT_EQ(at(2).routes(), blocks_but(2, 3));
}

TEST_F(Cluster, ARestartWithdrawsNothing) {
  start(3);
  open_all();
  run();
  at(3).crash();
  run(seconds(3));
  at(3).restart();
  run();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(at(i).routes(), blocks_but(i, 3)) << "n" << i;
  EXPECT_EQ(at(1).removals_of("10.0.3.0/26"), 0);
  EXPECT_EQ(at(3).removals_of("10.0.1.0/26"), 0);
  // Once more within the restart time (appendix C of calico.md, 4).
  at(3).crash();
  run(seconds(3));
  at(3).restart();
  run();
  EXPECT_EQ(at(1).routes(), blocks_but(1, 3));
  EXPECT_EQ(at(1).removals_of("10.0.3.0/26"), 0);
}

TEST_F(Cluster, PasswordsMustBeTheSameOnBothSides) {
  start(2);
  apply(configuration("default", [](auto& spec) { spec.node_mesh_password = secret_reference("keys", "mesh"); }));
  open_all();
  run();
  EXPECT_EQ(at(1).routes(), Lines{}) << "no Secret, no session";
  at(1).apply(secret("keys", {{"mesh", "one"}}));
  at(2).apply(secret("keys", {{"mesh", "two"}}));
  run();
  EXPECT_EQ(at(1).routes(), Lines{});
  at(2).apply(secret("keys", {{"mesh", "one"}}));
  run(seconds(120));
  EXPECT_EQ(at(1).routes(), blocks_but(1, 2));
}

TEST(SpeakerUpdate, WhatIsMergedIsWhatBothDo) {
  SpeakerUpdate first, second;
  const bgp::PeerKey one{ip("192.0.2.1"), 179}, two{ip("192.0.2.2"), 179};
  first.settings.emplace().asn = Asn(65001);
  first.peers[one] = bgp::PeerSettings{};
  first.peers[two] = bgp::PeerSettings{};
  first.gate = CarrierGate{true, true};
  second.peers[one] = std::nullopt;
  second.local_routes.emplace(1);
  second.gate = CarrierGate{true, false};
  second.tell_again = true;
  EXPECT_TRUE(SpeakerUpdate().empty());
  first.merge(std::move(second));
  EXPECT_EQ(first.gate, (CarrierGate{true, true})) << "there was an earlier life";
  EXPECT_TRUE(first.tell_again);
  bgp::SpeakerConfig config;
  config.peers[one] = bgp::PeerSettings{};
  first.apply_to(config);
  EXPECT_EQ(config.asn, Asn(65001));
  EXPECT_FALSE(config.peers.contains(one));
  EXPECT_TRUE(config.peers.contains(two));
  EXPECT_EQ(config.local_routes.size(), 1U);
}

}  // namespace
}  // namespace margay::agent
