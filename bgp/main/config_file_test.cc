#include "bgp/main/config_file.h"

#include <gmock/gmock.h>

#include "base/core/text.h"

namespace margay::bgpd {
namespace {

using bgp::Family;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kSpeaker = R"(apiVersion: margay.dev/v1
kind: Speaker
metadata: {name: s}
spec:
  asNumber: 64512
  routerID: 10.0.0.1
)";

std::string peer(const std::string& name, const std::string& spec) {
  return concat("---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: ", name, "}\nspec: ", spec,
                "\n");
}

Loaded load(const std::string& text, const std::map<std::string, std::string>& files = {}) {
  return load_config("bgp.yaml", [&](const std::string& path) -> Result<std::string> {
    if (path == "bgp.yaml") return text;
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    return Error{ErrorCode::kNotFound, concat(path, ": no such file")};
  });
}

const bgp::PeerSettings& only_peer(const Loaded& loaded) {
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.config.speaker.peers.size(), 1U);
  static const bgp::PeerSettings none;
  return loaded.config.speaker.peers.empty() ? none : loaded.config.speaker.peers.begin()->second;
}

TEST(ConfigFile, TheLeastThatWorks) {
  const Loaded loaded = load(kSpeaker);
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.config.speaker.asn, Asn(64512));
  EXPECT_EQ(loaded.config.speaker.listen_port, 179);
  EXPECT_TRUE(loaded.config.install_routes);
  EXPECT_EQ(loaded.config.route_table, 254U);
}

TEST(ConfigFile, APeerSpeaksTheFamilyOfItsAddressUnlessToldOtherwise) {
  EXPECT_EQ(only_peer(load(kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumber: 1}"))).families,
            bgp::PerFamily<bool>(true, false));
  EXPECT_EQ(only_peer(load(kSpeaker + peer("p", "{peerIP: \"fd00::2\", asNumber: 1}"))).families,
            bgp::PerFamily<bool>(false, true));
  const std::string both = kSpeaker + "  peers: {p: {families: [ipv4, ipv6], holdTime: 9s}}\n";
  const Loaded loaded = load(both + peer("p", "{peerIP: 10.0.0.2, asNumber: 1}"));
  EXPECT_EQ(only_peer(loaded).families, bgp::PerFamily<bool>(true, true));
  EXPECT_EQ(only_peer(loaded).hold_time, std::chrono::seconds(9));
}

TEST(ConfigFile, WithAClusterIdInternalPeersAreClients) {
  const std::string reflector = kSpeaker + "  routeReflectorClusterID: 10.0.0.9\n";
  EXPECT_TRUE(only_peer(load(reflector + peer("p", "{peerIP: 10.0.0.2, asNumber: 64512}"))).policy.is_client);
  EXPECT_FALSE(only_peer(load(reflector + peer("p", "{peerIP: 10.0.0.2, asNumber: 64513}"))).policy.is_client);
  EXPECT_FALSE(only_peer(load(kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumber: 64512}"))).policy.is_client);
}

TEST(ConfigFile, FieldsOfBgpPeerArrive) {
  const Loaded loaded = load(kSpeaker + peer("p",
                                             "{peerIP: \"10.0.0.2:1179\", asNumber: 64513, localASNumber: 7, "
                                             "keepaliveTime: 5s, maxRestartTime: 60s, ttlSecurity: 2, "
                                             "numAllowedLocalASNumbers: 3, nextHopMode: Self}"));
  const bgp::PeerSettings& settings = only_peer(loaded);
  EXPECT_EQ(loaded.config.speaker.peers.begin()->first.port, 1179);
  EXPECT_EQ(settings.local_asn, Asn(7));
  EXPECT_EQ(settings.keepalive_time, std::chrono::seconds(5));
  EXPECT_EQ(settings.restart_time, std::chrono::seconds(60));
  EXPECT_EQ(settings.ttl_security, 2);
  EXPECT_EQ(settings.policy.own_asn_allowed, 3);
  EXPECT_EQ(settings.policy.next_hop_mode, bgp::rib::NextHopMode::kSelf);
}

TEST(ConfigFile, FiltersBecomeChainsInOrder) {
  const std::string filters = R"(---
apiVersion: projectcalico.org/v3
kind: BGPFilter
metadata: {name: a}
spec:
  importV4:
    - {cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {min: 24, max: 26}, action: Reject}
---
apiVersion: projectcalico.org/v3
kind: BGPFilter
metadata: {name: b}
spec:
  importV4:
    - action: Accept
      operations: [{addCommunity: {value: "65000:1"}}]
  exportV6:
    - action: Reject
)";
  const Loaded loaded = load(kSpeaker + filters + peer("p", "{peerIP: 10.0.0.2, asNumber: 1, filters: [b, a]}"));
  const auto& policy = only_peer(loaded).policy;
  ASSERT_NE(policy.import_chain[Family::kIpv4Unicast], nullptr);
  const std::vector<bgp::Filter>& chain = *policy.import_chain[Family::kIpv4Unicast];
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].name, "b");
  EXPECT_EQ(chain[0].rules.at(0).operations.at(0).add_community, bgp::AnyCommunity(std::uint32_t{65000U << 16 | 1}));
  EXPECT_EQ(chain[1].rules.at(0).cidr_operator, bgp::MatchOperator::kIn);
  EXPECT_EQ(chain[1].rules.at(0).length_min, 24);
  EXPECT_FALSE(chain[1].rules.at(0).accept);
  EXPECT_EQ(policy.import_chain[Family::kIpv6Unicast], nullptr);
  EXPECT_NE(policy.export_chain[Family::kIpv6Unicast], nullptr);
}

TEST(ConfigFile, PasswordsComeFromSecretsAndFiles) {
  const std::string with =
      peer("p", "{peerIP: 10.0.0.2, asNumber: 1, password: {secretKeyRef: {name: tor, key: password}}}");
  const std::string secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: tor}\n";
  EXPECT_EQ(only_peer(load(kSpeaker + with + secret + "stringData: {password: plain}\n")).password, "plain");
  EXPECT_EQ(only_peer(load(kSpeaker + with + secret + "data: {password: c2VjcmV0}\n")).password, "secret");
  const std::string file = kSpeaker + "  passwords: {tor: /etc/tor.password}\n";
  EXPECT_EQ(only_peer(load(file + with, {{"/etc/tor.password", "from file\n"}})).password, "from file");
  EXPECT_THAT(load(file + with).problems, ElementsAre(HasSubstr("spec.passwords.tor: /etc/tor.password")));
  EXPECT_THAT(load(kSpeaker + with).problems, ElementsAre(HasSubstr("BGPPeer/p: spec.password.secretKeyRef")));
}

TEST(ConfigFile, CommunitiesOfPrefixAdvertisementsGoToLocalPrefixesInside) {
  const std::string text = kSpeaker + R"(  localPrefixes: [10.96.1.0/24, 10.97.0.0/24]
---
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec:
  listenPort: 1179
  communities: [{name: services, value: "64512:100"}]
  prefixAdvertisements: [{cidr: 10.96.0.0/16, communities: [services, "64512:1:2"]}]
)";
  const Loaded loaded = load(text);
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.config.speaker.listen_port, 1179);
  const auto& routes = loaded.config.speaker.local_routes;
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_THAT(routes[0].communities, ElementsAre(64512U << 16 | 100));
  EXPECT_THAT(routes[0].large_communities, ElementsAre(bgp::LargeCommunity{64512, 1, 2}));
  EXPECT_THAT(routes[1].communities, IsEmpty());
}

TEST(ConfigFile, ListenRanges) {
  const Loaded loaded = load(kSpeaker + R"(  listenRanges:
    - {cidr: 10.0.0.0/24, asNumber: 64512, maxPeers: 3, holdTime: 30s, bfd: {multiplier: 5}}
)");
  EXPECT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.config.speaker.listen_ranges.size(), 1U);
  const bgp::ListenRange& range = loaded.config.speaker.listen_ranges[0];
  EXPECT_EQ(range.peers_max, 3U);
  EXPECT_EQ(range.settings.hold_time, std::chrono::seconds(30));
  EXPECT_EQ(range.settings.bfd->multiplier, 5);
}

struct BadCase {
  const char* why;
  std::string text;
  std::vector<std::string> problems;  // in order; parts of them
};

TEST(ConfigFile, EveryProblemHasItsPlaceItsObjectAndItsField) {
  const BadCase cases[] = {
      {"no YAML", "a: [", {"bgp.yaml:"}},
      {"no Speaker", "", {"bgp.yaml: there is no object of kind Speaker"}},
      {"two Speakers", kSpeaker + "---\n" + kSpeaker, {"bgp.yaml:9:7: Speaker/s: kind: there is more than one"}},
      {"no router ID",
       "apiVersion: margay.dev/v1\nkind: Speaker\nspec: {}\n",
       {"bgp.yaml:3:7: Speaker: spec.routerID: is needed"}},
      {"another kind", kSpeaker + "---\napiVersion: v1\nkind: Pod\n", {"bgp.yaml:9:7: Pod: kind: apiVersion \"v1\""}},
      {"misspelt and mistyped fields",
       kSpeaker + "  listenPrt: 1\n  listenPort: x\n",
       {"bgp.yaml:8:15: Speaker/s: spec.listenPort: must be a number",
        "bgp.yaml:7:14: Speaker/s: spec.listenPrt: unknown"}},
      {"schema of a Calico kind",
       kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumbr: 1}"),
       {"bgp.yaml:11:35: BGPPeer/p: spec.asNumbr: "}},
      {"a filter that is not there",
       kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumber: 1, filters: [none]}"),
       {"BGPPeer/p: spec.filters[0]: there is no BGPFilter \"none\""}},
      {"a selector",
       kSpeaker + peer("p", "{peerSelector: all()}"),
       {"BGPPeer/p: spec.peerSelector: without a cluster"}},
      {"extras of nobody",
       kSpeaker + "  peers: {q: {}}\n",
       {"bgp.yaml:7:14: Speaker/s: spec.peers.q: there is no BGPPeer"}},
      {"one address twice",
       kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumber: 1}") + peer("q", "{peerIP: 10.0.0.2, asNumber: 2}"),
       {"BGPPeer/q: spec.peerIP: 10.0.0.2 is the address of another"}},
      {"one name twice",
       kSpeaker + peer("p", "{peerIP: 10.0.0.2, asNumber: 1}") + peer("p", "{peerIP: 10.0.0.3, asNumber: 2}"),
       {"BGPPeer/p: metadata.name: BGPPeer/p stands here twice"}},
      {"rules of the speaker",
       kSpeaker + "  peerDefaults: {holdTime: 1s}\n" + peer("p", "{peerIP: 10.0.0.2, asNumber: 1}"),
       {"bgp.yaml:7:28: Speaker/s: spec.peerDefaults.holdTime: 1s is neither 0s nor from 3s"}},
  };
  for (const BadCase& item : cases) {
    SCOPED_TRACE(item.why);
    const Loaded loaded = load(item.text);
    ASSERT_EQ(loaded.problems.size(), item.problems.size()) << testing::PrintToString(loaded.problems);
    for (std::size_t i = 0; i < item.problems.size(); ++i) EXPECT_THAT(loaded.problems[i], HasSubstr(item.problems[i]));
  }
}

}  // namespace
}  // namespace margay::bgpd
