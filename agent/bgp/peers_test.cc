// Whom a node peers with: mesh, reflectors, selectors, addresses, and each field of BGPPeer.
#include <gtest/gtest.h>

#include "agent/bgp/bgp_world.h"

namespace margay::agent {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::seconds;

// us 192.0.2.1, b 192.0.2.2, c 192.0.2.3
class Peers : public testing::Test {
 protected:
  Peers() {
    world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .labels = {{"rack", "1"}}}),
                 node("b", {.ipv4 = "192.0.2.2/24", .labels = {{"rack", "1"}}}),
                 node("c", {.ipv4 = "192.0.2.3/24", .labels = {{"rack", "2"}}}));
  }
  void no_mesh() {
    world_.apply(configuration("default", [](auto& spec) { spec.node_to_node_mesh_enabled = false; }));
  }
  World world_;
};

TEST_F(Peers, TheMeshIsEveryOtherNode) {
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2 64512 passive", "192.0.2.3 64512 passive"}));
  EXPECT_EQ(world_.told.router_id, RouterId::parse("192.0.2.1").value());
  EXPECT_EQ(world_.told.listen_port, 179);
  EXPECT_TRUE(world_.told.listen_addresses.empty());
  const bgp::PeerSettings& peer = world_.peer_at("192.0.2.2");
  EXPECT_EQ(peer.source_address, ip("192.0.2.1"));
  EXPECT_EQ(peer.families, (bgp::PerFamily<bool>{true, false}));
  EXPECT_EQ(world_.desired().origins.at({ip("192.0.2.2"), 179}), (PeerOrigin{PeerSource::kNodeMesh, "", "b"}));
  EXPECT_TRUE(world_.problems().empty());
}

TEST_F(Peers, BothFamiliesHavePeersOfTheirOwn) {
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .ipv6 = "2001:db8::1/64"}),
               node("b", {.ipv4 = "192.0.2.2/24", .ipv6 = "2001:db8::2/64"}));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2 64512 passive", "192.0.2.3 64512 passive", "2001:db8::2 64512 passive"}));
  EXPECT_EQ(world_.peer_at("2001:db8::2").families, (bgp::PerFamily<bool>{false, true}));
}

TEST_F(Peers, OneSideOpensTheConnection) {
  // As text: "192.0.2.10" is less than "192.0.2.2".
  world_.apply(node("d", {.ipv4 = "192.0.2.10/24"}), node("us", {.ipv4 = "192.0.2.2/24"}), absent(Kind::kNode, "b"));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.3 64512 passive", "192.0.2.10 64512"}));
}

TEST_F(Peers, AsNumbersComeFromTheNodeThenFromConfigurations) {
  world_.apply(configuration("default", [](auto& spec) { spec.as_number = Asn(65000); }),
               configuration("node.c", [](auto& spec) { spec.as_number = Asn(65003); }),
               node("b", {.ipv4 = "192.0.2.2/24", .asn = "65002"}));
  EXPECT_EQ(world_.told.asn, Asn(65000));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2 65002 passive", "192.0.2.3 65003 passive"}));
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .asn = "65001"}));
  EXPECT_EQ(world_.told.asn, Asn(65001));
}

TEST_F(Peers, ANumberThatCannotBeUsedIsNamedAndPassedOver) {
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .asn = "23456"}));
  EXPECT_EQ(world_.told.asn, Asn(64512));
  EXPECT_EQ(world_.problems(), Lines{"Node/us: metadata.annotations[projectcalico.org/ASNumber]"});
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24"}), node("b", {.ipv4 = "192.0.2.2/24", .asn = "23456"}));
  EXPECT_EQ(world_.peers(), Lines{"192.0.2.3 64512 passive"}) << "that peer alone is left out";
  EXPECT_EQ(world_.problems(), Lines{"Node/b: metadata.annotations[projectcalico.org/ASNumber]"});
}

TEST_F(Peers, ReflectorsAreNotInTheMesh) {
  world_.apply(node("b", {.ipv4 = "192.0.2.2/24", .cluster_id = "1.0.0.1"}));
  EXPECT_EQ(world_.peers(), Lines{"192.0.2.3 64512 passive"});
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .cluster_id = "1.0.0.1"}));
  EXPECT_EQ(world_.peers(), Lines{});
}

TEST_F(Peers, PeersOfASelectorPeerBothWays) {
  no_mesh();
  const auto to_reflectors = peer("rr", [](auto& spec) {
    spec.node_selector = "rack == '1'";
    spec.peer_selector = "rack == '2'";
  });
  world_.apply(to_reflectors);
  EXPECT_EQ(world_.peers(), Lines{"192.0.2.3 64512 passive"});
  EXPECT_EQ(world_.desired().origins.at({ip("192.0.2.3"), 179}), (PeerOrigin{PeerSource::kNode, "rr", "c"}));
  World other("c");
  other.apply(node("us", {.ipv4 = "192.0.2.1/24", .labels = {{"rack", "1"}}}),
              node("b", {.ipv4 = "192.0.2.2/24", .labels = {{"rack", "1"}}}),
              node("c", {.ipv4 = "192.0.2.3/24", .labels = {{"rack", "2"}}}));
  other.apply(configuration("default", [](auto& spec) { spec.node_to_node_mesh_enabled = false; }), to_reflectors);
  EXPECT_EQ(other.peers(), (Lines{"192.0.2.1 64512", "192.0.2.2 64512"})) << "the other way round";
  other.apply(peer("rr", [](auto& spec) {
    spec.node_selector = "rack == '1'";
    spec.peer_selector = "rack == '2'";
    spec.reverse_peering = model::ReversePeering::kManual;
  }));
  EXPECT_EQ(other.peers(), Lines{}) << "unless told not to";
}

TEST_F(Peers, AReflectorsClientsAreThoseOfNoOrAnotherCluster) {
  no_mesh();
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .cluster_id = "1.0.0.1"}),
               node("b", {.ipv4 = "192.0.2.2/24", .cluster_id = "1.0.0.1"}),
               node("d", {.ipv4 = "192.0.2.4/24", .cluster_id = "1.0.0.2"}),
               node("e", {.ipv4 = "192.0.2.5/24", .asn = "65005"}),
               peer("all", [](auto& spec) { spec.peer_selector = "all()"; }), router("tor", "192.0.2.254", 64512));
  EXPECT_EQ(world_.peers(),
            (Lines{"192.0.2.2 64512 passive", "192.0.2.3 64512 passive client", "192.0.2.4 64512 passive client",
                   "192.0.2.5 65005 passive", "192.0.2.254 64512 client"}));
  EXPECT_EQ(world_.peer_at("192.0.2.3").policy.cluster_id, RouterId::parse("1.0.0.1").value());
}

TEST_F(Peers, APeerIsForTheNodesItNames) {
  no_mesh();
  struct Case {
    const char* why;
    std::function<void(model::BgpPeerSpec&)> fill;
    bool is_ours;
    PeerSource source;
  };
  const Case cases[] = {
      {"all", [](auto&) {}, true, PeerSource::kGlobal},
      {"this node", [](auto& spec) { spec.node = "us"; }, true, PeerSource::kNode},
      {"another node", [](auto& spec) { spec.node = "b"; }, false, PeerSource::kNode},
      {"selected", [](auto& spec) { spec.node_selector = "rack == '1'"; }, true, PeerSource::kNode},
      {"not selected", [](auto& spec) { spec.node_selector = "rack == '2'"; }, false, PeerSource::kNode},
      {"no selector at all", [](auto& spec) { spec.node_selector = "rack =="; }, false, PeerSource::kNode},
  };
  for (const Case& c : cases) {
    world_.apply(router("tor", "192.0.2.254", 65100, c.fill));
    EXPECT_EQ(world_.told.peers.size(), c.is_ours ? 1U : 0U) << c.why;
    if (!c.is_ours) continue;
    EXPECT_EQ(world_.desired().origins.at({ip("192.0.2.254"), 179}), (PeerOrigin{c.source, "tor", ""})) << c.why;
  }
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/tor: spec.nodeSelector"});
}

TEST_F(Peers, EveryFieldOfAPeerArrives) {
  no_mesh();
  struct Case {
    const char* why;
    std::function<void(model::BgpPeerSpec&)> fill;
    std::function<bool(const bgp::PeerSettings&)> holds;
  };
  using Spec = model::BgpPeerSpec;
  using Settings = bgp::PeerSettings;
  const Case cases[] = {
      {"nothing", [](Spec&) {},
       [](const Settings& peer) {
         return peer.remote_asn == Asn(65100) && !peer.local_asn && peer.source_address == ip("192.0.2.1") &&
                !peer.passive && !peer.ttl_security && !peer.keepalive_time && peer.restart_time == seconds(120) &&
                peer.password.empty() && peer.policy.own_asn_allowed == 0 && !peer.policy.cluster_id &&
                peer.policy.next_hop_mode == bgp::rib::NextHopMode::kAuto && !peer.is_shut_down;
       }},
      {"localASNumber", [](Spec& spec) { spec.local_as_number = Asn(65009); },
       [](const Settings& peer) { return peer.local_asn == Asn(65009); }},
      {"sourceAddress None", [](Spec& spec) { spec.source_address = model::BgpSourceAddress::kNone; },
       [](const Settings& peer) { return !peer.source_address; }},
      {"maxRestartTime", [](Spec& spec) { spec.max_restart_time = seconds(9); },
       [](const Settings& peer) { return peer.restart_time == seconds(9); }},
      {"keepaliveTime", [](Spec& spec) { spec.keepalive_time = seconds(7); },
       [](const Settings& peer) { return peer.keepalive_time == seconds(7); }},
      {"numAllowedLocalASNumbers", [](Spec& spec) { spec.num_allowed_local_as_numbers = 3; },
       [](const Settings& peer) { return peer.policy.own_asn_allowed == 3; }},
      {"ttlSecurity", [](Spec& spec) { spec.ttl_security = 2; },
       [](const Settings& peer) { return peer.ttl_security == 2; }},
      {"ttlSecurity 0", [](Spec& spec) { spec.ttl_security = 0; },
       [](const Settings& peer) { return !peer.ttl_security; }},
      {"nextHopMode", [](Spec& spec) { spec.next_hop_mode = model::NextHopMode::kSelf; },
       [](const Settings& peer) { return peer.policy.next_hop_mode == bgp::rib::NextHopMode::kSelf; }},
      {"keepOriginalNextHop", [](Spec& spec) { spec.keep_original_next_hop = true; },
       [](const Settings& peer) { return peer.policy.next_hop_mode == bgp::rib::NextHopMode::kKeep; }},
      {"password", [](Spec& spec) { spec.password = secret_reference("keys", "tor"); },
       [](const Settings& peer) { return peer.password == "geheim" && !peer.is_shut_down; }},
  };
  world_.apply(secret("keys", {{"tor", "geheim"}}));
  for (const Case& c : cases) {
    world_.apply(router("tor", "192.0.2.254", 65100, c.fill));
    ASSERT_EQ(world_.told.peers.size(), 1U) << c.why;
    EXPECT_TRUE(c.holds(world_.peer_at("192.0.2.254"))) << c.why;
    EXPECT_TRUE(world_.problems().empty()) << c.why;
  }
}

TEST_F(Peers, WithoutItsPasswordAPeerIsShutDown) {
  no_mesh();
  world_.apply(
      router("tor", "192.0.2.254", 65100, [](auto& spec) { spec.password = secret_reference("keys", "tor"); }));
  EXPECT_TRUE(world_.peer_at("192.0.2.254").is_shut_down);
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/tor: spec.password.secretKeyRef"});
  world_.apply(secret("keys", {{"other", "x"}}));
  EXPECT_TRUE(world_.peer_at("192.0.2.254").is_shut_down) << "another key";
  world_.apply(secret("keys", {{"tor", "x"}}, "elsewhere"));
  EXPECT_TRUE(world_.peer_at("192.0.2.254").is_shut_down) << "another namespace";
  world_.apply(secret("keys", {{"tor", "x"}}));
  EXPECT_FALSE(world_.peer_at("192.0.2.254").is_shut_down);
  EXPECT_TRUE(world_.problems().empty());
  world_.apply(secret("keys", {{"tor", std::string(81, 'x')}}));
  EXPECT_TRUE(world_.told.peers.empty()) << "more than the kernel takes";
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/tor: spec.password.secretKeyRef"});
}

TEST_F(Peers, TheMeshHasItsPasswordAndRestartTimeFromTheDefaultAlone) {
  const auto with_password = [](model::BgpConfigurationSpec& spec) {
    spec.node_mesh_password = secret_reference("keys", "mesh");
    spec.node_mesh_max_restart_time = seconds(33);
  };
  world_.apply(configuration("node.us", with_password));
  EXPECT_EQ(world_.peer_at("192.0.2.2").restart_time, seconds(120));
  world_.apply(configuration("default", with_password), secret("keys", {{"mesh", "m"}}));
  EXPECT_EQ(world_.peer_at("192.0.2.2").restart_time, seconds(33));
  EXPECT_EQ(world_.peer_at("192.0.2.3").password, "m");
  world_.apply(absent(Kind::kSecret, "keys", "kube-system"));
  EXPECT_TRUE(world_.peer_at("192.0.2.3").is_shut_down);
  EXPECT_EQ(world_.problems(), Lines{"BGPConfiguration/default: spec.nodeMeshPassword.secretKeyRef"});
}

TEST_F(Peers, PortsAreThoseTheOtherNodeListensOn) {
  world_.apply(configuration("default", [](auto& spec) { spec.listen_port = Port(1179); }),
               configuration("node.c", [](auto& spec) { spec.listen_port = Port(2179); }));
  EXPECT_EQ(world_.told.listen_port, 1179);
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2#1179 64512 passive", "192.0.2.3#2179 64512 passive"}));
  world_.apply(router("tor", "192.0.2.254", 65100), router("tor-2", "192.0.2.253:3179", 65100),
               router("to-c", "192.0.2.3", 64512));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2#1179 64512 passive", "192.0.2.3#2179 64512 passive",
                                   "192.0.2.253#3179 65100", "192.0.2.254 65100"}))
      << "a peerIP that is a node's has the node's port";
}

TEST_F(Peers, OfSeveralForOneAddressTheNearestToTheNodeIsUsed) {
  world_.apply(router("by-address", "192.0.2.2", 64512, [](auto& spec) { spec.keepalive_time = seconds(5); }));
  EXPECT_EQ(world_.peer_at("192.0.2.2").keepalive_time, seconds(5)) << "before the mesh";
  EXPECT_TRUE(world_.peer_at("192.0.2.2").passive) << "it is a node still";
  EXPECT_TRUE(world_.problems().empty()) << "the mesh minds nothing";
  world_.apply(router("selected", "192.0.2.2", 64512, [](auto& spec) {
    spec.node_selector = "all()";
    spec.keepalive_time = seconds(6);
  }));
  EXPECT_EQ(world_.peer_at("192.0.2.2").keepalive_time, seconds(6));
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/by-address: spec.peerIP"});
  world_.apply(router("own", "192.0.2.2", 64512, [](auto& spec) {
    spec.node = "us";
    spec.keepalive_time = seconds(8);
  }));
  EXPECT_EQ(world_.peer_at("192.0.2.2").keepalive_time, seconds(8));
  world_.apply(absent(Kind::kBgpPeer, "own"), absent(Kind::kBgpPeer, "selected"), absent(Kind::kBgpPeer, "by-address"));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2 64512 passive", "192.0.2.3 64512 passive"})) << "the mesh is back";
  EXPECT_TRUE(world_.problems().empty());
}

TEST_F(Peers, AnObjectThatNamesNoPeerOrTwoIsAbsent) {
  no_mesh();
  world_.apply(peer("none", [](auto&) {}),
               router("two", "192.0.2.254", 65100, [](auto& spec) { spec.peer_selector = "all()"; }));
  EXPECT_EQ(world_.peers(), Lines{});
  EXPECT_EQ(world_.problems(), (Lines{"BGPPeer/none: spec", "BGPPeer/two: spec"}));
}

TEST_F(Peers, OurOwnAddressIsNoPeer) {
  no_mesh();
  world_.apply(router("self", "192.0.2.1", 64512), peer("all", [](auto& spec) { spec.peer_selector = "all()"; }));
  EXPECT_EQ(world_.peers(), (Lines{"192.0.2.2 64512 passive", "192.0.2.3 64512 passive"}));
}

TEST_F(Peers, AReversePeerSeesTheNumberThatIsPresented) {
  no_mesh();
  const auto object = peer("p", [](auto& spec) {
    spec.node = "b";
    spec.peer_selector = "rack == '1'";
    spec.local_as_number = Asn(65200);
  });
  world_.apply(object);
  EXPECT_EQ(world_.peers(), Lines{"192.0.2.2 65200 passive"});
  EXPECT_FALSE(world_.peer_at("192.0.2.2").local_asn);
}

TEST_F(Peers, AGatewayIsARouteToThePeer) {
  no_mesh();
  world_.apply(router("tor", "198.51.100.1", 65100, [](auto& spec) { spec.reachable_by = ip("192.0.2.254"); }));
  const std::map<IpPrefix, IpAddress> want{{net("198.51.100.1/32"), ip("192.0.2.254")}};
  EXPECT_EQ(world_.desired().peer_routes, want);
  world_.calculation().apply(router("tor", "198.51.100.1", 65100));
  EXPECT_TRUE(world_.flush().peer_routes_changed);
  EXPECT_TRUE(world_.desired().peer_routes.empty());
}

TEST_F(Peers, WorkloadsArePeersOfAnotherAsOverAnAddressOfTheirOwn) {
  no_mesh();
  const auto object = peer("vms", [](auto& spec) {
    spec.local_workload_selector = "bgp == 'yes'";
    spec.as_number = Asn(65300);
  });
  world_.apply(object, workload("vm-1", "us", {"10.0.0.7/32"}, {{"bgp", "yes"}}),
               workload("vm-2", "us", {"10.0.0.8/32"}, {{"bgp", "no"}}),
               workload("vm-3", "b", {"10.0.0.9/32"}, {{"bgp", "yes"}}));
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/vms: spec.localWorkloadSelector"});
  world_.apply(configuration("default", [](auto& spec) {
    spec.node_to_node_mesh_enabled = false;
    spec.local_workload_peering_ipv4 = ip("169.254.9.1");
  }));
  EXPECT_EQ(world_.peers(), Lines{"10.0.0.7 65300 passive"});
  EXPECT_EQ(world_.peer_at("10.0.0.7").source_address, ip("169.254.9.1"));
  EXPECT_EQ(world_.desired().origins.at({ip("10.0.0.7"), 179}), (PeerOrigin{PeerSource::kLocalWorkload, "vms", ""}));
  world_.apply(workload("vm-2", "us", {"10.0.0.8/32"}, {{"bgp", "yes"}}));
  EXPECT_EQ(world_.told.peers.size(), 2U);
  world_.apply(peer("vms", [](auto& spec) {
    spec.local_workload_selector = "bgp == 'yes'";
    spec.as_number = Asn(64512);
  }));
  EXPECT_EQ(world_.peers(), Lines{});
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/vms: spec.asNumber"});
}

TEST_F(Peers, BindModeListensOnTheNodesAddressesOnly) {
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .ipv6 = "2001:db8::1/64"}),
               configuration("default", [](auto& spec) { spec.bind_mode = model::BgpBindMode::kNodeIp; }));
  EXPECT_EQ(world_.told.listen_addresses, (std::vector<IpAddress>{ip("192.0.2.1"), ip("2001:db8::1")}));
}

TEST_F(Peers, AFilterThatIsMissingIsNamedAndPassedOver) {
  no_mesh();
  const auto with_filters = [](model::BgpPeerSpec& spec) { spec.filters = {"a", "missing", "b"}; };
  model::BgpFilterRule rule;
  rule.action = model::FilterAction::kReject;
  const auto rejects = [&](model::BgpFilterSpec& spec) {
    spec.import_v4 = {rule};
    spec.export_v4 = {rule};
  };
  world_.apply(router("tor", "192.0.2.254", 65100, with_filters), filter("a", rejects), filter("b", rejects));
  const bgp::rib::PeerPolicy& policy = world_.peer_at("192.0.2.254").policy;
  const auto names = [](const bgp::FilterChain& chain) {
    Lines out;
    for (const bgp::Filter& each : *chain) out.push_back(each.name);
    return out;
  };
  EXPECT_EQ(names(policy.import_chain[bgp::Family::kIpv4Unicast]), (Lines{"a", "b"}));
  EXPECT_EQ(names(policy.export_chain[bgp::Family::kIpv4Unicast]), (Lines{"a", "b", "cluster"}));
  EXPECT_EQ(policy.import_chain[bgp::Family::kIpv6Unicast], nullptr);
  EXPECT_EQ(world_.problems(), Lines{"BGPPeer/tor: spec.filters[1]"});
}

TEST(Calculation, SaysNothingUntilTheNodeHasAnAddressAndKeepsWhatItSaid) {
  World world;
  world.apply(node("b", {.ipv4 = "192.0.2.2/24"}), node("us", {}));
  EXPECT_EQ(world.calculation().desired(), nullptr);
  world.apply(node("us", {.ipv4 = "192.0.2.1/24"}));
  EXPECT_EQ(world.peers(), Lines{"192.0.2.2 64512 passive"});
  world.calculation().apply(node("us", {}));
  world.calculation().apply(absent(Kind::kNode, "b"));
  EXPECT_TRUE(world.flush().speaker.empty()) << "fail static";
  world.apply(node("us", {.ipv4 = "192.0.2.1/24"}));
  EXPECT_EQ(world.peers(), Lines{});
}

TEST(Calculation, ANodeWithoutIpv4HasAnIdentifierOfItsName) {
  World world, other("other");
  world.apply(node("us", {.ipv6 = "2001:db8::1/64"}), node("other", {.ipv6 = "2001:db8::2/64"}));
  other.apply(node("us", {.ipv6 = "2001:db8::1/64"}), node("other", {.ipv6 = "2001:db8::2/64"}));
  EXPECT_NE(world.told.router_id, RouterId());
  EXPECT_NE(world.told.router_id, other.told.router_id);
  EXPECT_EQ(world.peers(), Lines{"2001:db8::2 64512 passive"});
  EXPECT_EQ(other.peers(), Lines{"2001:db8::1 64512"});
}

TEST(Calculation, OneNodesChangeIsSaidAlone) {
  World world;
  world.apply(node("us", {.ipv4 = "192.0.2.1/24"}), node("b", {.ipv4 = "192.0.2.2/24"}),
              node("c", {.ipv4 = "192.0.2.3/24"}));
  world.calculation().apply(node("c", {.ipv4 = "192.0.2.4/24"}));
  const BgpDelta delta = world.flush();
  EXPECT_FALSE(delta.speaker.settings || delta.speaker.local_routes);
  ASSERT_EQ(delta.speaker.peers.size(), 2U);
  EXPECT_FALSE(delta.speaker.peers.at({ip("192.0.2.3"), 179}));
  EXPECT_TRUE(delta.speaker.peers.at({ip("192.0.2.4"), 179}));
  world.calculation().apply(node("c", {.ipv4 = "192.0.2.4/24", .labels = {{"new", "label"}}}));
  EXPECT_TRUE(world.flush().speaker.empty()) << "a label that nobody asks about";
}

}  // namespace
}  // namespace margay::agent
