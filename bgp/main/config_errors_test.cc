// Every field of the configuration with a value that cannot be: the error names the object, the field, what was found
// and what is allowed, at the line and column where it stands.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/core/text.h"
#include "bgp/main/config_file.h"

namespace margay::bgpd {
namespace {

using testing::HasSubstr;

struct Row {
  std::string spec;   // of the object, or what stands in its place
  std::string field;  // "BGPPeer/p: spec.asNumber: "
  std::string found;  // both in the message
  std::string allowed;
};

std::string speaker(const std::string& spec) {
  return concat("apiVersion: margay.dev/v1\nkind: Speaker\nmetadata: {name: s}\nspec: {", spec, "}\n");
}

std::string object(std::string_view kind, std::string_view name, const std::string& spec) {
  return concat("---\napiVersion: projectcalico.org/v3\nkind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {", spec,
                "}\n");
}

const std::string kGoodSpeaker = speaker("asNumber: 64512, routerID: 10.0.0.1");

void expect_problem(const std::string& text, const Row& row) {
  SCOPED_TRACE(row.spec);
  const Loaded loaded = load_config("f.yaml", [&](const std::string&) -> Result<std::string> { return text; });
  const std::string all = join(loaded.problems, "\n");
  const auto is_it = [&](const std::string& problem) { return problem.find(row.field) != std::string::npos; };
  const auto found = std::find_if(loaded.problems.begin(), loaded.problems.end(), is_it);
  ASSERT_NE(found, loaded.problems.end()) << "expected " << row.field << "\nfound " << all;
  EXPECT_THAT(*found, HasSubstr(row.found));
  EXPECT_THAT(*found, HasSubstr(row.allowed));
  EXPECT_TRUE(found->starts_with("f.yaml:")) << *found;
  const std::string place = found->substr(0, found->find(": "));
  EXPECT_EQ(std::count(place.begin(), place.end(), ':'), 2) << "line and column: " << *found;
}

TEST(ConfigErrors, OfBgpPeer) {
  const std::string at = "peerIP: 10.0.0.2, ", peer = at + "asNumber: 1, ", asn_rule = "1 to 4294967294 can";
  const Row rows[] = {
      {"node: 5", "spec.node: ", "integer 5", "string"},
      {"nodeSelector: \"a ==\"", "spec.nodeSelector: ", "the end", "a text in quotes"},
      {"peerIP: 10.0.0", "spec.peerIP: ", "\"10.0.0\"", "192.0.2.1"},
      {"peerIP: 224.0.0.1, asNumber: 1", "spec.peerIP: ", "224.0.0.1", "unicast"},
      {"peerIP: \"fe80::1\", asNumber: 1", "spec.peerIP: ", "fe80::1", "link-local"},
      {"peerIP: \"10.0.0.2:0\", asNumber: 1", "spec.peerIP: ", "10.0.0.2:0", "192.0.2.1:1790"},
      {at + "asNumber: 0", "spec.asNumber: ", "0 cannot", asn_rule},
      {at + "asNumber: 23456", "spec.asNumber: ", "23456 cannot", asn_rule},
      {at + "asNumber: x", "spec.asNumber: ", "\"x\"", "1.10"},
      {at + "asNumber: 4294967296", "spec.asNumber: ", "4294967296", "0 to 4294967295"},
      {peer + "localASNumber: 0", "spec.localASNumber: ", "0 cannot", asn_rule},
      {peer + "keepOriginalNextHop: 3", "spec.keepOriginalNextHop: ", "integer 3", "boolean"},
      {peer + "nextHopMode: Me", "spec.nextHopMode: ", "\"Me\"", "Auto, Self, Keep"},
      {peer + "password: x", "spec.password: ", "\"x\"", "object"},
      {peer + "password: {secretKeyRef: {name: a}}", "spec.password.secretKeyRef.key: ", "", "is required"},
      {peer + "password: {secretKeyRef: {name: a, key: b}}", "spec.password.secretKeyRef: ", "\"a\"", "spec.passwords"},
      {peer + "sourceAddress: 10.0.0.1", "spec.sourceAddress: ", "10.0.0.1", "UseNodeIP, None"},
      {peer + "maxRestartTime: x", "spec.maxRestartTime: ", "\"x\"", "(ns|us|ms|s|m|h)"},
      {peer + "maxRestartTime: 5000s", "spec.maxRestartTime: ", "1h23m20s", "1h8m15s"},
      {peer + "numAllowedLocalASNumbers: -1", "spec.numAllowedLocalASNumbers: ", "-1", "0 to 10"},
      {peer + "ttlSecurity: 300", "spec.ttlSecurity: ", "300", "0 to 255"},
      {peer + "ttlSecurity: 255", "spec.ttlSecurity: ", "255", "1 to 254"},
      {peer + "filters: x", "spec.filters: ", "\"x\"", "array"},
      {peer + "filters: [x]", "spec.filters[0]: ", "\"x\"", "there is no BGPFilter"},
      {peer + "reachableBy: 10", "spec.reachableBy: ", "10", "string"},
      {peer + "keepaliveTime: 0s", "spec.keepaliveTime: ", "0s", "less than 1s"},
      {peer + "keepaliveTime: 100s", "spec.keepaliveTime: ", "1m40s", "hold time of 1m30s"},
      {peer + "reversePeering: x", "spec.reversePeering: ", "\"x\"", "Auto, Manual"},
      {peer + "colour: red", "spec.colour: ", "", "unknown field"},
  };
  for (const Row& row : rows) {
    Row named = row;
    named.field = "BGPPeer/p: " + row.field;
    expect_problem(kGoodSpeaker + object("BGPPeer", "p", row.spec), named);
  }
}

TEST(ConfigErrors, OfBgpConfiguration) {
  const Row rows[] = {
      {"asNumber: 0", "spec.asNumber: ", "0 cannot", "1 to 4294967294 can"},
      {"asNumber: x", "spec.asNumber: ", "\"x\"", "1.10"},
      {"listenPort: 0", "spec.listenPort: ", "0", "1 to 65535"},
      {"communities: [{name: a, value: x}]", "spec.communities[0].value: ", "\"x\"", "aa:nn"},
      {"communities: [{name: \"a b\", value: \"1:2\"}]", "spec.communities[0].name: ", "\"a b\"", "^[a-zA-Z0-9]"},
      {"prefixAdvertisements: [{cidr: x, communities: [\"1:2\"]}]", "spec.prefixAdvertisements[0].cidr: ", "\"x\"",
       "prefix"},
      {"prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: [none]}]",
       "spec.prefixAdvertisements[0].communities[0]: ", "\"none\"", "65000:100"},
      {"ipv4NormalRoutePriority: 0", "spec.ipv4NormalRoutePriority: ", "0", "1 to 2147483646"},
      {"ipv6NormalRoutePriority: x", "spec.ipv6NormalRoutePriority: ", "\"x\"", "integer"},
      {"nodeToNodeMeshEnabled: 5", "spec.nodeToNodeMeshEnabled: ", "5", "boolean"},
      {"bindMode: All", "spec.bindMode: ", "\"All\"", "NodeIP"},
      {"serviceClusterIPs: [{cidr: x}]", "spec.serviceClusterIPs[0].cidr: ", "\"x\"", "range"},
      {"nodeMeshPassword: x", "spec.nodeMeshPassword: ", "\"x\"", "object"},
      {"ignoredInterfaces: x", "spec.ignoredInterfaces: ", "\"x\"", "array"},
      {"programClusterRoutes: Maybe", "spec.programClusterRoutes: ", "\"Maybe\"", "Enabled, Disabled"},
  };
  for (const Row& row : rows) {
    Row named = row;
    named.field = "BGPConfiguration/default: " + row.field;
    expect_problem(speaker("routerID: 10.0.0.1") + object("BGPConfiguration", "default", row.spec), named);
  }
}

TEST(ConfigErrors, OfBgpFilter) {
  const std::string in = "matchOperator: In, action: Accept, ", ten = "cidr: 10.0.0.0/8, " + in;
  const Row rows[] = {
      {"cidr: 10.0.0.0/8, matchOperator: In", "action: ", "", "is required"},
      {"cidr: x, " + in, "cidr: ", "\"x\"", "prefix"},
      {"cidr: \"fd00::/8\", " + in, "cidr: ", "fd00::/8", "prefix"},
      {in, "cidr: ", "", "is required with matchOperator"},
      {"cidr: 10.0.0.0/8, matchOperator: Inside, action: Accept", "matchOperator: ", "\"Inside\"",
       "Equal, NotEqual, In"},
      {"action: Drop", "action: ", "\"Drop\"", "Accept, Reject"},
      {ten + "prefixLength: {min: 33}", "prefixLength.min: ", "33", "0 to 32"},
      {ten + "prefixLength: {min: 20, max: 10}", "prefixLength: ", "min 20", "max 10"},
      {"source: Me, action: Accept", "source: ", "\"Me\"", "RemotePeers"},
      {"interface: 5, action: Accept", "interface: ", "5", "string"},
      {"peerType: xBGP, action: Accept", "peerType: ", "xBGP", "eBGP, iBGP"},
      {"communities: {values: [x]}, action: Accept", "communities.values[0]: ", "\"x\"", "aa:nn"},
      {"asPathPrefix: [x], action: Accept", "asPathPrefix[0]: ", "\"x\"", "AS number"},
      {"asPathPrefix: [7, 0], action: Accept", "asPathPrefix[1]: ", "0", "in no AS path"},
      {"priority: -1, action: Accept", "priority: ", "-1", "1 to 2147483646"},
      {"action: Accept, operations: [{}]", "operations[0]: ", "0 members", "at least 1"},
      {"action: Accept, operations: [{addCommunity: {value: x}}]", "operations[0].addCommunity.value: ", "\"x\"",
       "aa:nn"},
      {"action: Accept, operations: [{prependASPath: {prefix: []}}]", "operations[0].prependASPath.prefix: ", "0",
       "at least 1"},
      {"action: Accept, operations: [{prependASPath: {prefix: [0]}}]", "operations[0].prependASPath.prefix[0]: ", "0",
       "in no AS path"},
      {"action: Accept, operations: [{setPriority: {value: -1}}]", "operations[0].setPriority.value: ", "-1",
       "1 to 2147483646"},
      {"action: Reject, operations: [{setPriority: {value: 5}}]", "operations: ", "", "need action Accept"},
  };
  for (const Row& row : rows) {
    Row named = row;
    named.field = "BGPFilter/f: spec.importV4[0]." + row.field;
    expect_problem(kGoodSpeaker + object("BGPFilter", "f", "importV4: [{" + row.spec + "}]"), named);
  }
}

TEST(ConfigErrors, OfSpeaker) {
  const Row rows[] = {
      {"asNumber: 0", "asNumber: ", "0 cannot", "1 to 4294967294 can"},
      {"asNumber: x", "asNumber: ", "\"x\"", "0 to 4294967295"},
      {"asNumber: true", "asNumber: ", "true", "AS number"},
      {"routeReflectorClusterID: x", "routeReflectorClusterID: ", "\"x\"", "192.0.2.1"},
      {"listenAddress: x", "listenAddress: ", "\"x\"", "IPv6 address"},
      {"listenAddress: [10.0.0.1, 10.0.0.1]", "listenAddress: ", "10.0.0.1", "listed twice"},
      {"listenAddress: 224.0.0.1", "listenAddress: ", "224.0.0.1", "unicast"},
      {"listenAddress: 5", "listenAddress: ", "5", "string"},
      {"listenPort: -1", "listenPort: ", "-1", "0 to 65535"},
      {"localPrefixes: [10.0.0.1/8]", "localPrefixes[0]: ", "10.0.0.1/8", "10.0.0.0/8"},
      {"localPrefixes: [10.0.0.0/8, 10.0.0.0/8]", "localPrefixes: ", "10.0.0.0/8", "listed twice"},
      {"installRoutes: 5", "installRoutes: ", "5", "true or false"},
      {"routeTable: 0", "routeTable: ", "0", "1 to 4294967295"},
      {"nodeName: 5", "nodeName: ", "5", "string"},
      {"multipath: x", "multipath: ", "\"x\"", "true or false"},
      {"multipathRelax: 1", "multipathRelax: ", "1", "true or false"},
      {"alwaysCompareMED: x", "alwaysCompareMED: ", "\"x\"", "true or false"},
      {"selectionDeferral: 5", "selectionDeferral: ", "5", "string"},
      {"selectionDeferral: -5s", "selectionDeferral: ", "-5s", "0s to 24h0m0s"},
      {"passwords: x", "passwords: ", "\"x\"", "object"},
      {"passwords: {a: 5}", "passwords.a: ", "5", "path of a file"},
      {"colour: red", "colour: ", "", "unknown field"},
      {"peers: {q: {}}", "peers.q: ", "", "there is no BGPPeer"},
      {"peerDefaults: 5", "peerDefaults: ", "5", "object"},
      {"peerDefaults: {holdTime: 2s}", "peerDefaults.holdTime: ", "2s", "neither 0s nor from 3s"},
      {"listenRanges: [{}]", "listenRanges[0].cidr: ", "", "is needed"},
      {"listenRanges: [{cidr: x}]", "listenRanges[0].cidr: ", "\"x\"", "ADDRESS/LENGTH"},
      {"listenRanges: [{cidr: 10.0.0.0/8, asNumber: 0}]", "listenRanges[0].asNumber: ", "0 cannot",
       "1 to 4294967294 can"},
      {"listenRanges: [{cidr: 10.0.0.0/8, localASNumber: 0}]", "listenRanges[0].localASNumber: ", "0 cannot", "can"},
      {"listenRanges: [{cidr: 10.0.0.0/8, maxPeers: 0}]", "listenRanges[0].maxPeers: ", "0", "1 to 65000"},
      {"listenRanges: [{cidr: 10.0.0.0/8, filters: [x]}]", "listenRanges[0].filters[0]: ", "\"x\"", "no BGPFilter"},
      {"listenRanges: [{cidr: 10.0.0.0/8, password: x}]", "listenRanges[0].password: ", "\"x\"", "spec.passwords"},
      {"listenRanges: [{cidr: 10.0.0.0/8, holdTime: 1s}]", "listenRanges[0].holdTime: ", "1s",
       "neither 0s nor from 3s"},
      {"listenRanges: [{cidr: 10.0.0.0/8}, {cidr: 10.0.0.0/8}]", "listenRanges[0].cidr: ", "10.0.0.0/8",
       "listed twice"},
  };
  for (const Row& row : rows) {
    Row named = row;
    named.field = "Speaker/s: spec." + row.field;
    expect_problem(speaker("routerID: 10.0.0.1, " + row.spec) + object("BGPPeer", "p", "peerIP: 10.0.0.2, asNumber: 1"),
                   named);
  }
  expect_problem(speaker("routerID: 0.0.0.0"), {"routerID", "Speaker/s: spec.routerID: ", "0.0.0.0", "must not be"});
  expect_problem(speaker("asNumber: 1"), {"no routerID", "Speaker/s: spec.routerID: ", "", "is needed"});
}

TEST(ConfigErrors, OfWhatSpeakerSaysOfPeers) {
  const Row rows[] = {
      {"holdTime: 2s", "holdTime: ", "2s", "neither 0s nor from 3s"},
      {"holdTime: x", "holdTime: ", "\"x\"", "90s, 1m30s"},
      {"connectRetryTime: 0s", "connectRetryTime: ", "0s", "1s to 24h0m0s"},
      {"connectDelay: -1s", "connectDelay: ", "-1s", "0s to 24h0m0s"},
      {"delayOpen: 5m", "delayOpen: ", "5m0s", "0s to 4m0s"},
      {"restartTime: 5000s", "restartTime: ", "1h23m20s", "1h8m15s"},
      {"longLivedStaleTime: 99999999s", "longLivedStaleTime: ", "27777h46m39s", "4660h20m15s"},
      {"longLivedStaleTime: 1s, gracefulRestart: false", "longLivedStaleTime: ", "1s", "needs Graceful Restart"},
      {"gracefulRestart: x", "gracefulRestart: ", "\"x\"", "true or false"},
      {"passive: x", "passive: ", "\"x\"", "true or false"},
      {"families: [ipx]", "families[0]: ", "\"ipx\"", "ipv4, ipv6"},
      {"families: []", "families: ", "is empty", "ipv4 and ipv6"},
      {"addPath: x", "addPath: ", "\"x\"", "object"},
      {"addPath: {maxPaths: 0}", "addPath.maxPaths: ", "0", "1 to 64"},
      {"addPath: {send: x}", "addPath.send: ", "\"x\"", "true or false"},
      {"addPath: {receive: x}", "addPath.receive: ", "\"x\"", "true or false"},
      {"bfd: 5", "bfd: ", "5", "object"},
      {"bfd: {transmitInterval: 0s}", "bfd.transmitInterval: ", "0s", "1µs to"},
      {"bfd: {receiveInterval: 0s}", "bfd.receiveInterval: ", "0s", "1µs to"},
      {"bfd: {multiplier: 0}", "bfd.multiplier: ", "0", "1 to 255"},
      {"prefixLimit: {max: 0}", "prefixLimit.max: ", "0", "1 to 4294967295"},
      {"prefixLimit: {maxAccepted: 0}", "prefixLimit.maxAccepted: ", "0", "1 to 4294967295"},
      {"prefixLimit: {max: 5, warnPercent: 101}", "prefixLimit.warnPercent: ", "101", "0 to 100"},
      {"prefixLimit: {max: 5, restartAfter: x}", "prefixLimit.restartAfter: ", "\"x\"", "90s, 1m30s"},
      {"multihopTTL: 0", "multihopTTL: ", "0", "1 to 255"},
      {"routeReflectorClient: true", "routeReflectorClient: ", "AS 1", "iBGP"},
      {"shutdownText: 5", "shutdownText: ", "5", "string"},
      {"shutdownText: " + std::string(256, 'x'), "shutdownText: ", "256 bytes", "at most 255"},
      {"extendedNextHop: x", "extendedNextHop: ", "\"x\"", "true or false"},
      {"extendedMessages: x", "extendedMessages: ", "\"x\"", "true or false"},
      {"requirePolicy: x", "requirePolicy: ", "\"x\"", "true or false"},
      {"enforceFirstAS: x", "enforceFirstAS: ", "\"x\"", "true or false"},
      {"allowASSet: x", "allowASSet: ", "\"x\"", "true or false"},
      {"calicoLocalPref: x", "calicoLocalPref: ", "\"x\"", "true or false"},
      {"gracefulShutdown: x", "gracefulShutdown: ", "\"x\"", "true or false"},
      {"shutDown: x", "shutDown: ", "\"x\"", "true or false"},
      {"colour: red", "colour: ", "", "unknown field"},
  };
  for (const Row& row : rows) {
    Row named = row;
    named.field = "Speaker/s: spec.peers.p." + row.field;
    expect_problem(speaker("routerID: 10.0.0.1, peers: {p: {" + row.spec + "}}") +
                       object("BGPPeer", "p", "peerIP: 10.0.0.2, asNumber: 1"),
                   named);
  }
}

}  // namespace
}  // namespace margay::bgpd
