// Whatever the order of events, what everybody knows in the end is what a new RIB would have told them that was given
// the same routes and policies at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {
namespace {

using ::testing::IsEmpty;

constexpr std::size_t kPrefixes = 14;

Nlri nlri_of(std::size_t number, std::uint32_t path_id) {
  if (number < 10) {
    return {IpPrefix::containing(IpAddress::v4(0x64400000U + static_cast<std::uint32_t>(number) * 256), 24), path_id};
  }
  return {IpPrefix::containing(IpAddress::v6(0x20010db800000000U + number, 0), 64), path_id};
}

FilterChain chain_of(std::size_t number) {
  FilterRule rule;
  if (number == 0) return nullptr;
  if (number == 1) {
    rule.community = AnyCommunity(1U);
    rule.accept = false;
  } else if (number == 2) {
    rule.cidr = prefix_of("100.64.0.0/22");
    rule.cidr_operator = MatchOperator::kIn;
    rule.accept = false;
  } else {
    rule.cidr = prefix_of("100.64.2.0/23");
    rule.cidr_operator = MatchOperator::kIn;
    rule.operations = {{.add_community = AnyCommunity(9U), .prepend = {Asn(7)}, .set_priority = 600U}};
  }
  return std::make_shared<const std::vector<Filter>>(std::vector<Filter>{{concat("chain ", number), {rule}}});
}

// The inputs as they stand: what is needed to begin anew.
struct Model {
  struct Peer {
    PeerSpec spec;
    PeerPolicy policy;
    bool is_up = false;
    // By prefix and path ID.
    std::map<std::pair<std::size_t, std::uint32_t>, std::pair<std::string, IpAddress>> routes;
    std::set<std::pair<std::size_t, std::uint32_t>> stale;
  };
  std::vector<Peer> peers;
  std::vector<LocalRoute> local;
};

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : random_(seed), world_(config(seed)) {
    const std::size_t count = 2 + random_.below(6);
    for (std::size_t i = 0; i < count; ++i) add_peer(static_cast<PeerId>(i));
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    for (Model::Peer& peer : model_.peers) end_staleness(peer);
    world_.settle();
  }

  // Everything anew, in another order.
  void check() {
    World fresh;
    std::vector<const Model::Peer*> peers;
    for (const Model::Peer& peer : model_.peers) peers.push_back(&peer);
    shuffle(peers);
    for (const Model::Peer* peer : peers) {
      fresh.add(peer->spec);
      fresh.rib().set_policy(peer->spec.id, peer->policy);
      if (peer->is_up) fresh.up(peer->spec.id);
      if (random_.below(2) == 0) announce_all(fresh, *peer);
    }
    shuffle(peers);
    if (random_.below(2) == 0) fresh.settle();
    for (const Model::Peer* peer : peers) announce_all(fresh, *peer);
    fresh.rib().set_local_routes(model_.local);
    fresh.settle();
    compare(fresh);
  }

 private:
  // In every other storm whoever does not read at once has too much waiting.
  static RibConfig config(std::uint64_t seed) {
    RibConfig config = World::default_config();
    if (seed % 2 == 0) config.queue_bytes = 100 + seed % 7 * 50;
    return config;
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random_.below(i)]);
  }

  void add_peer(PeerId id) {
    PeerSpec spec;
    spec.id = id;
    spec.kind = static_cast<Kind>(random_.below(3));
    spec.is_reflecting = true;
    spec.add_path_receive = random_.below(4) == 0;
    spec.add_path_send = random_.below(4) == 0;
    spec.send_paths_max = 1 + static_cast<std::uint32_t>(random_.below(3));
    model_.peers.push_back({spec, policy_of(spec), false, {}, {}});
    world_.add(spec);
  }

  static void announce_all(World& world, const Model::Peer& peer) {
    if (!peer.is_up) return;
    for (const auto& [key, route] : peer.routes) {
      world.rib().receive(peer.spec.id, announcement({nlri_of(key.first, key.second)}, route.first, route.second));
    }
  }

  Model::Peer& some_peer() { return model_.peers[random_.below(model_.peers.size())]; }

  void step() {
    Model::Peer& peer = some_peer();
    const std::uint64_t what = random_.below(100);
    if (!peer.is_up) {
      if (what < 50) go_up(peer);
    } else if (what < 50) {
      announce(peer);
    } else if (what < 65) {
      withdraw(peer);
    } else if (what < 70) {
      go_down(peer);
    } else if (what < 76) {
      change_policy(peer);
    } else if (what < 79) {
      refresh(peer);
    } else if (what < 82) {
      set_local();
    } else if (what < 92) {
      (void)world_.rib().run(1 + random_.below(20));
    } else if (what < 98) {
      world_.read(peer.spec.id);
    } else {
      world_.settle();
    }
  }

  void go_up(Model::Peer& peer) {
    peer.is_up = true;
    world_.up(peer.spec.id);
  }

  void go_down(Model::Peer& peer) {
    const bool keeps = random_.below(2) == 0;
    peer.is_up = false;
    world_.down(peer.spec.id, keeps);
    if (keeps) {
      for (const auto& [key, route] : peer.routes) peer.stale.insert(key);
    } else {
      peer.routes.clear();
      peer.stale.clear();
    }
  }

  void end_staleness(Model::Peer& peer) {
    for (const auto& key : peer.stale) peer.routes.erase(key);
    peer.stale.clear();
    for (const Family family : kFamilies) {
      if (peer.is_up) {
        world_.rib().receive(peer.spec.id, end_of_rib(family));
      } else {
        world_.rib().drop_stale(peer.spec.id, family);
      }
    }
  }

  std::pair<std::size_t, std::uint32_t> some_key(const Model::Peer& peer) {
    const auto path_id = peer.spec.add_path_receive ? static_cast<std::uint32_t>(1 + random_.below(2)) : 0U;
    return {random_.below(kPrefixes), path_id};
  }

  void announce(Model::Peer& peer) {
    AttributeText text;
    const bool is_external = peer.spec.kind == Kind::kExternal;
    if (is_external) text.path.push_back(65000U + peer.spec.id);
    for (std::uint64_t i = random_.below(3); i > 0; --i) text.path.push_back(3 + static_cast<std::uint32_t>(i));
    if (random_.below(12) == 0) text.path.push_back(kOurAsn.value());
    if (!is_external) text.local_pref = 100 + static_cast<std::uint32_t>(random_.below(2));
    if (random_.below(3) == 0) text.med = static_cast<std::uint32_t>(random_.below(3));
    const std::uint32_t communities[] = {1, 2, kNoExport, kNoAdvertise, kGracefulShutdown};
    if (random_.below(3) == 0) text.communities.push_back(communities[random_.below(5)]);
    if (!is_external && random_.below(4) == 0) {
      text.originator = 0x0a000001U + static_cast<std::uint32_t>(random_.below(model_.peers.size() + 1));
      text.clusters = {random_.below(6) == 0 ? 0x01010101U : 0x02020202U};
    }
    const auto key = some_key(peer);
    const bool is_v4 = key.first < 10;
    const IpAddress next_hop = is_v4 ? IpAddress::v4(0xc6336400U + static_cast<std::uint32_t>(random_.below(3)))
                                     : IpAddress::v6(0x20010db8000f0000U, 1 + random_.below(3));
    peer.routes[key] = {attributes_of(text), next_hop};
    peer.stale.erase(key);
    world_.rib().receive(peer.spec.id,
                         announcement({nlri_of(key.first, key.second)}, peer.routes[key].first, next_hop));
  }

  void withdraw(Model::Peer& peer) {
    const auto key = some_key(peer);
    peer.routes.erase(key);
    peer.stale.erase(key);
    world_.rib().receive(peer.spec.id, withdrawal({nlri_of(key.first, key.second)}));
  }

  void change_policy(Model::Peer& peer) {
    const Family family = kFamilies[random_.below(2)];
    switch (random_.below(5)) {
      case 0: peer.policy.import_chain[family] = chain_of(random_.below(4)); break;
      case 1: peer.policy.export_chain[family] = chain_of(random_.below(4)); break;
      case 2: peer.policy.graceful_shutdown = !peer.policy.graceful_shutdown; break;
      case 3: peer.policy.next_hop_mode = static_cast<NextHopMode>(random_.below(3)); break;
      default: peer.policy.own_asn_allowed = static_cast<int>(random_.below(2)); break;
    }
    world_.rib().set_policy(peer.spec.id, peer.policy);
  }

  void refresh(Model::Peer& peer) {
    const Family family = kFamilies[random_.below(2)];
    if (random_.below(2) == 0) {
      world_.rib().receive(peer.spec.id, RouteRefresh{family, RefreshKind::kRequest});
      return;
    }
    // The peer names some of its routes again; the others are gone with the end.
    world_.rib().receive(peer.spec.id, RouteRefresh{family, RefreshKind::kBegin});
    std::erase_if(peer.routes, [&](const auto& route) {
      const auto& [key, value] = route;
      const Nlri nlri = nlri_of(key.first, key.second);
      if (family_of(nlri.prefix.family()) != family || peer.stale.contains(key)) return false;
      if (random_.below(3) == 0) return true;
      world_.rib().receive(peer.spec.id, announcement({nlri}, value.first, value.second));
      return false;
    });
    if (random_.below(2) == 0) (void)world_.rib().run(5);
    world_.rib().receive(peer.spec.id, RouteRefresh{family, RefreshKind::kEnd});
  }

  void set_local() {
    model_.local.clear();
    for (std::size_t number = 0; number < kPrefixes; ++number) {
      if (random_.below(5) != 0) continue;
      LocalRoute route;
      route.prefix = nlri_of(number, 0).prefix;
      route.priority = random_.below(2) == 0 ? 1024 : 512;
      if (random_.below(2) == 0) route.communities = {1};
      model_.local.push_back(route);
    }
    world_.rib().set_local_routes(model_.local);
  }

  // Path identifiers may differ; what stands under them may not.
  static std::multiset<std::string> content(World& world, PeerId peer) {
    std::multiset<std::string> lines;
    for (const auto& [key, route] : world.table(peer).routes) {
      lines.insert(concat(key.first.to_string(), " via ", route.next_hop.address.to_string(), " ", route.attributes));
    }
    return lines;
  }
  static std::vector<std::string> sent(World& world, PeerId peer) {
    std::vector<std::string> lines;
    world.rib().visit_sent(peer, [&](const RouteView& view) {
      lines.push_back(concat(view.prefix.to_string(), " ", view.path_id, " via ", view.next_hop.address.to_string(),
                             " ", bytes::text_of(view.attributes.bytes())));
    });
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::vector<std::string> known(World& world, PeerId peer) {
    std::vector<std::string> lines;
    for (const auto& [key, route] : world.table(peer).routes) {
      lines.push_back(concat(key.first.to_string(), " ", key.second, " via ", route.next_hop.address.to_string(), " ",
                             route.attributes));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::vector<std::string> loc_rib(World& world) {
    std::vector<std::string> lines;
    world.rib().visit_routes([&](const RouteView& view) {
      const std::string peer = view.peer ? concat(*view.peer) : "local";
      lines.push_back(concat(view.prefix.to_string(), " ", view.path_id, " ", peer, view.is_best ? " best" : "",
                             view.is_multipath ? " multipath " : " ", to_string(view.lost_at),
                             bytes::text_of(view.attributes.bytes())));
    });
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  void compare(World& fresh) {
    EXPECT_THAT(world_.problems, IsEmpty());
    EXPECT_THAT(fresh.problems, IsEmpty());
    EXPECT_EQ(world_.kernel(), fresh.kernel());
    EXPECT_EQ(loc_rib(world_), loc_rib(fresh));
    for (const Model::Peer& peer : model_.peers) {
      if (!peer.is_up) continue;
      const PeerId id = peer.spec.id;
      EXPECT_EQ(content(world_, id), content(fresh, id)) << "peer " << id;
      EXPECT_EQ(known(world_, id), sent(world_, id)) << "peer " << id;
      const PerFamily<std::uint64_t> count = world_.rib().counts(id).sent;
      EXPECT_EQ(count[Family::kIpv4Unicast] + count[Family::kIpv6Unicast], known(world_, id).size()) << "peer " << id;
      EXPECT_EQ(world_.rib().counts(id).received, fresh.rib().counts(id).received) << "peer " << id;
      EXPECT_EQ(world_.rib().counts(id).accepted, fresh.rib().counts(id).accepted) << "peer " << id;
      EXPECT_EQ(world_.rib().counts(id).paths, fresh.rib().counts(id).paths) << "peer " << id;
    }
  }

  SeededRandom random_;
  Model model_;
  World world_;
};

class RibProperty : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RibProperty, IncrementalEqualsFromScratch) {
  for (std::uint64_t round = 0; round < 12; ++round) {
    const std::uint64_t seed = GetParam() * 1000 + round;
    Storm storm(seed);
    for (int part = 0; part < 3; ++part) {
      storm.run(80);
      storm.check();
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RibProperty, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace margay::bgp::rib
