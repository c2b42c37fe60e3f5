// The rules: one row for each, with the message a user sees. Objects that must pass stand in testdata and in
// test/conformance.
#include "datastore/codec/validate.h"

#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "gtest/gtest.h"

namespace margay::codec {
namespace {

using model::Kind;

struct RuleCase {
  Kind kind;
  const char* spec;  // YAML
  const char* expected;
};

std::string rule_errors(Kind kind, std::string_view metadata, std::string_view spec) {
  json::Value object = json::Object();
  object["metadata"] = json::parse_yaml(metadata)->front().value;
  object["spec"] = json::parse_yaml(spec)->front().value;
  return to_string(check(kind, object));
}

void expect_all(const std::vector<RuleCase>& cases, std::string_view metadata = "{name: default}") {
  for (const RuleCase& c : cases) {
    EXPECT_EQ(rule_errors(c.kind, metadata, c.spec), c.expected) << model::info(c.kind).name << " " << c.spec;
  }
}

TEST(Rules, Pools) {
  expect_all({
      {Kind::kIpPool, "{cidr: 10.0.0.0/16}", ""},
      {Kind::kIpPool, "{cidr: 10.0.0.0/27}",
       "spec.cidr: 10.0.0.0/27 is smaller than one block, which has blockSize 26"},
      {Kind::kIpPool, "{cidr: 10.0.0.0/27, disabled: true}", ""},
      {Kind::kIpPool, "{cidr: 10.0.0.0/16, blockSize: 33}",
       "spec.blockSize: found 33: blocks of IPv4 are from /20 to /32"},
      {Kind::kIpPool, "{cidr: '2001:db8::/48', blockSize: 64}",
       "spec.blockSize: found 64: blocks of IPv6 are from /116 to /128"},
      {Kind::kIpPool, "{cidr: 169.254.0.0/16}",
       "spec.cidr: 169.254.0.0/16 overlaps with the link-local addresses 169.254.0.0/16"},
      {Kind::kIpPool, "{cidr: '2001:db8::/48', ipipMode: Always}",
       "spec.ipipMode: IP-in-IP carries IPv4 only: set ipipMode to Never"},
      {Kind::kIpPool, "{cidr: 10.0.0.0/16, ipipMode: Always, vxlanMode: Always}",
       "spec.vxlanMode: ipipMode and vxlanMode cannot both be on"},
      {Kind::kIpPool, "{cidr: 10.0.0.0/16, allowedUses: [LoadBalancer], nodeSelector: has(a), disableBGPExport: true}",
       "spec.disableBGPExport: a pool for LoadBalancer cannot have disableBGPExport; spec.nodeSelector: a pool for "
       "LoadBalancer cannot have a nodeSelector but all()"},
      {Kind::kIpPool, "{cidr: 10.0.0.0/16, nodeSelector: 'a = 1'}",
       "spec.nodeSelector: the selector is wrong at column 3: found \"=\", expected \"==\""},
      {Kind::kIpamConfiguration, "{strictAffinity: false, autoAllocateBlocks: false}",
       "spec.autoAllocateBlocks: strictAffinity and autoAllocateBlocks cannot both be false"},
      {Kind::kIpamConfiguration, "{maxBlocksPerHost: 4}",
       "spec.maxBlocksPerHost: maxBlocksPerHost needs strictAffinity: true"},
      {Kind::kBlockAffinity, "{state: confirmed, node: a, cidr: 10.0.0.0/26, deleted: true}",
       "spec.deleted: is set by address management only"},
  });
}

TEST(Rules, Bgp) {
  expect_all({
      {Kind::kBgpConfiguration, "{nodeToNodeMeshEnabled: false, nodeMeshMaxRestartTime: 10s}",
       "spec.nodeMeshMaxRestartTime: needs the mesh, but nodeToNodeMeshEnabled is false"},
      {Kind::kBgpConfiguration, "{communities: [{name: a, value: '1:2'}]}",
       "spec.communities: communities are named, but prefixAdvertisements is empty and uses none"},
      {Kind::kBgpConfiguration, "{prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: ['1:2', b]}]}",
       "spec.prefixAdvertisements[0].communities[1]: \"b\" is neither a community such as 65000:100 or 65000:1:2 nor "
       "the "
       "name of one in spec.communities"},
      {Kind::kBgpConfiguration, "{localWorkloadPeeringIPV6: 192.0.2.1}",
       "spec.localWorkloadPeeringIPV6: 192.0.2.1 is IPv4, not IPv6"},
      {Kind::kBgpPeer, "{node: a, nodeSelector: has(b)}",
       "spec.nodeSelector: node and nodeSelector cannot both be set"},
      {Kind::kBgpPeer, "{peerSelector: has(b), asNumber: 1}",
       "spec.asNumber: asNumber cannot be set with peerSelector: the nodes' own AS numbers count"},
      {Kind::kBgpPeer, "{localWorkloadSelector: has(b)}", "spec.asNumber: is required with localWorkloadSelector"},
      {Kind::kBgpPeer, "{reachableBy: 192.0.2.1}", "spec.reachableBy: reachableBy needs peerIP"},
      {Kind::kBgpPeer, "{peerIP: 192.0.2.9, reachableBy: '2001:db8::1'}",
       "spec.reachableBy: 2001:db8::1 is IPv6, not IPv4"},
      {Kind::kBgpFilter, "{exportV4: [{cidr: '2001:db8::/32', matchOperator: In, action: Accept}]}",
       "spec.exportV4[0].cidr: 2001:db8::/32 is IPv6, but the list is for IPv4"},
      {Kind::kBgpFilter, "{importV6: [{action: Reject, operations: [{}, {setPriority: {value: 1}}]}]}",
       "spec.importV6[0].operations[0]: has 0 of addCommunity, prependASPath and setPriority, exactly one is allowed; "
       "spec.importV6[0].operations: operations need action Accept"},
      {Kind::kBgpFilter, "{exportV4: [{prefixLength: {min: 33}, cidr: 10.0.0.0/8, matchOperator: In, action: Accept}]}",
       "spec.exportV4[0].prefixLength.min: 33 is not between 0 and 32"},
  });
}

TEST(Rules, PolicyRules) {
  expect_all({
      {Kind::kNetworkPolicy, "{ingress: [{action: Allow, destination: {ports: [80]}}]}",
       "spec.ingress[0].destination.ports: ports need protocol TCP, UDP or SCTP"},
      {Kind::kNetworkPolicy, "{ingress: [{action: Allow, destination: {ports: [http]}}]}", ""},
      {Kind::kNetworkPolicy, "{egress: [{action: Deny, source: {nets: [10.0.0.0/8]}, destination: {nets: ['::/0']}}]}",
       "spec.egress[0].destination.nets[0]: ::/0 is IPv6, but the rule is for IPv4 by the nets before"},
      {Kind::kNetworkPolicy, "{egress: [{action: Deny, ipVersion: 6, destination: {notNets: [10.0.0.0/8]}}]}",
       "spec.egress[0].destination.notNets[0]: 10.0.0.0/8 is IPv4, but the rule is for IPv6 by its ipVersion"},
      {Kind::kNetworkPolicy, "{egress: [{action: Deny, destination: {notNets: [0.0.0.0/0]}}]}",
       "spec.egress[0].destination.notNets[0]: excludes every address"},
      {Kind::kNetworkPolicy, "{ingress: [{action: Allow, protocol: TCP, icmp: {code: 1}}]}",
       "spec.ingress[0].icmp.code: code needs type; spec.ingress[0].icmp: icmp needs protocol ICMP or ICMPv6"},
      {Kind::kNetworkPolicy, "{egress: [{action: Allow, http: {methods: [GET, GET], paths: [{exact: a}, {}]}}]}",
       "spec.egress[0].http.methods[1]: \"GET\" is there already; spec.egress[0].http.paths[0]: \"a\" must begin with "
       "\"/\" and hold no \"?\", \"#\" or blank; spec.egress[0].http.paths[1]: exact or prefix has to be given; "
       "spec.egress[0].http: only ingress rules can have it"},
      {Kind::kNetworkPolicy, "{egress: [{action: Allow, destination: {services: {}, nets: [10.0.0.0/8]}}]}",
       "spec.egress[0].destination.services.name: is required; spec.egress[0].destination.nets: services and nets "
       "cannot "
       "be given together"},
      {Kind::kNetworkPolicy, "{ingress: [{action: Pass, destination: {services: {name: a}}}]}",
       "spec.ingress[0].destination.services: an ingress rule can have services in its source only"},
      {Kind::kNetworkPolicy, "{selector: global(), types: [Ingress, Ingress]}",
       "spec.selector: global() can stand in the namespaceSelector of a rule only; spec.types[1]: Ingress is there "
       "already"},
      {Kind::kNetworkPolicy, "{ingress: [{action: Allow, source: {namespaceSelector: global() || has(a)}}]}",
       "spec.ingress[0].source.namespaceSelector: global() has to stand alone"},
      {Kind::kGlobalNetworkPolicy, "{doNotTrack: true, preDNAT: true, types: [Egress]}",
       "spec.preDNAT: doNotTrack and preDNAT cannot both be true; spec.applyOnForward: doNotTrack and preDNAT need "
       "applyOnForward: true; spec.types[0]: a preDNAT policy cannot have type Egress"},
      {Kind::kGlobalNetworkPolicy, "{ingress: [{action: Allow, source: {services: {name: a}}}]}",
       "spec.ingress[0].source.services.namespace: is required, as the policy has no namespace"},
      {Kind::kStagedNetworkPolicy, "{stagedAction: Delete, tier: a, order: 1}",
       "spec: with stagedAction Delete only tier can be set"},
      {Kind::kTier, "{order: 1, defaultAction: Pass}",
       "spec.order: the tier default must have order 1000000; spec.defaultAction: the tier default must have default "
       "action Deny"},
  });
}

TEST(Rules, Endpoints) {
  expect_all({
      {Kind::kHostEndpoint, "{ports: [{name: a, protocol: ICMP, port: 1}]}",
       "spec.node: is required; spec.interfaceName: interfaceName or expectedIPs has to be set; "
       "spec.ports[0].protocol: "
       "\"ICMP\" is not one of TCP, UDP, SCTP"},
      {Kind::kWorkloadEndpoint, "{ipNetworks: [10.0.0.0/24], ipv4Gateway: 'fe80::1'}",
       "spec.interfaceName: is required; spec.ipNetworks[0]: 10.0.0.0/24 has more than one address; spec.ipv4Gateway: "
       "fe80::1 is not IPv4"},
      {Kind::kWorkloadEndpoint, "{interfaceName: a, ipNATs: [{internalIP: 10.0.0.1, externalIP: '2001:db8::1'}]}",
       "spec.ipNATs[0].externalIP: internalIP and externalIP have to be of one family; spec.ipNATs[0].internalIP: "
       "10.0.0.1 "
       "is not in the endpoint's ipNetworks"},
      {Kind::kProfile, "{labelsToApply: {.a: b}}",
       "spec.labelsToApply[.a]: \".a\" must consist of letters, digits, \"-\", \"_\" and \".\", begin and end with a "
       "letter or digit, and may have a DNS name and \"/\" before it"},
  });
}

TEST(Rules, Configurations) {
  expect_all({
      {Kind::kFelixConfiguration, "{nodeSelector: has(a)}",
       "spec.nodeSelector: the names default and node.NAME say which nodes the object is for; give it another with "
       "nodeSelector"},
      {Kind::kFelixConfiguration, "{routeTableRange: {min: 1, max: 251}, routeTableRanges: [{min: 5, max: 2}]}",
       "spec.routeTableRange.max: 251 is not between 1 and 250; spec.routeTableRange: routeTableRange and "
       "routeTableRanges cannot both be set: use the latter; spec.routeTableRanges[0]: min 5 is above max 2"},
      {Kind::kFelixConfiguration, "{routeTableRanges: [{min: 1, max: 70000}]}",
       "spec.routeTableRanges: names 70000 tables, at most 65535 are allowed"},
      {Kind::kFelixConfiguration, "{natOutgoingAddress: 'fd00::1', externalNodesList: ['fd00::/8']}",
       "spec.externalNodesList[0]: fd00::/8 is not IPv4; spec.natOutgoingAddress: fd00::1 is not IPv4"},
      {Kind::kKubeControllersConfiguration,
       "{controllers: {node: {hostEndpoint: {templates: [{nodeSelector: a b, labels: {a: b c}}]}}}}",
       "spec.controllers.node.hostEndpoint.templates[0].nodeSelector: the selector is wrong at column 3: found \"b\", "
       "expected ==, !=, in, not in, contains, starts with or ends with; "
       "spec.controllers.node.hostEndpoint.templates[0].labels[a]: \"b c\" must be empty or consist of letters, "
       "digits, "
       "\"-\", \"_\" and \".\", and begin and end with a letter or digit"},
  });
}

TEST(Rules, KubernetesPolicies) {
  constexpr std::string_view kMetadata = "{name: a, namespace: b}";
  expect_all(
      {
          {Kind::kKubernetesNetworkPolicy, "{ingress: [{from: [{}]}]}",
           "spec.ingress[0].from[0]: podSelector, namespaceSelector or ipBlock has to be given"},
          {Kind::kKubernetesNetworkPolicy, "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
           "spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 is not a part of cidr 10.0.0.0/8"},
          {Kind::kKubernetesNetworkPolicy, "{egress: [{ports: [{port: 80, endPort: 79}, {port: http, endPort: 80}]}]}",
           "spec.egress[0].ports[0].endPort: 79 is not between port 80 and 65535; spec.egress[0].ports[1].endPort: "
           "endPort "
           "needs port as a number"},
          {Kind::kKubernetesNetworkPolicy, "{ingress: [{ports: [{port: '80'}]}]}",
           "spec.ingress[0].ports[0].port: \"80\" is not the name of a port: at most 15 lower-case letters, digits and "
           "single \"-\" between them, with a letter; a number goes without quotes"},
          {Kind::kStagedKubernetesNetworkPolicy, "{stagedAction: Delete, policyTypes: [Ingress]}",
           "spec: with stagedAction Delete the rest has to be empty"},
      },
      kMetadata);
  expect_all({
      {Kind::kClusterNetworkPolicy, "{tier: Admin, priority: 1, subject: {}, ingress: [{action: Deny, from: []}]}",
       "spec.subject: exactly one of namespaces and pods has to be given; spec.ingress[0].from: at least one peer has "
       "to "
       "be given"},
      {Kind::kClusterNetworkPolicy,
       "{tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{domainNames: [a.b]}, "
       "{}]}]}",
       "spec.egress[0].to[0].domainNames: domainNames need action Accept; spec.egress[0].to[1]: has 0 kinds of peers, "
       "exactly one is allowed"},
  });
}

TEST(Rules, NamesByKind) {
  struct NameCase {
    Kind kind;
    const char* metadata;
    bool is_good;
  };
  const NameCase cases[] = {
      {Kind::kProfile, "{name: kns.default}", true},
      {Kind::kProfile, "{name: Upper}", false},
      {Kind::kProfile, "{name: a..b}", false},
      {Kind::kProfile, "{generateName: a-}", true},
      {Kind::kProfile, "{generateName: A-}", false},
      {Kind::kProfile, "{}", false},
      {Kind::kProfile, "{name: a, namespace: b}", false},  // no namespaces
      {Kind::kNetworkSet, "{name: a, namespace: b}", true},
      {Kind::kNetworkSet, "{name: a, namespace: b.c}", false},
      {Kind::kNetworkSet, "{name: a, labels: {projectcalico.org/namespace: b}}", false},
      {Kind::kNetworkSet, "{name: a, annotations: {a b: c}}", false},
      {Kind::kNetworkSet, "{name: a, finalizers: [bad]}", false},
      {Kind::kNetworkSet, "{name: a, finalizers: [margay.dev/good]}", true},
      {Kind::kTier, "{name: a.b}", false},
      {Kind::kNetworkPolicy, "{name: tier.name}", true},
      {Kind::kNetworkPolicy, "{name: a.b.c}", false},
      {Kind::kNetworkPolicy, "{name: knp.default.a.b.c}", true},
      {Kind::kGlobalNetworkPolicy, "{name: knp.default.a}", false},
      {Kind::kGlobalNetworkPolicy, "{name: kcnp.admin.a.b}", true},
      {Kind::kBgpConfiguration, "{name: node.a.b}", true},
      {Kind::kBgpConfiguration, "{name: other}", false},
      {Kind::kClusterInformation, "{name: other}", false},
      {Kind::kNode, "{name: a, annotations: {projectcalico.org/IPv4Address: x}}", false},
  };
  for (const NameCase& c : cases) {
    const std::string errors = rule_errors(c.kind, c.metadata, "{}");
    EXPECT_EQ(errors.empty(), c.is_good) << model::info(c.kind).name << " " << c.metadata << ": " << errors;
  }
  const std::string long_name(64, 'a');
  EXPECT_EQ(rule_errors(Kind::kTier, concat("{name: ", long_name, "}"), "{}"),
            "metadata.name: has 64 characters, at most 63 are allowed");
}

TEST(Check, RulesAreSilentAboutWhatCouldNotBeRead) {
  EXPECT_EQ(rule_errors(Kind::kIpPool, "{name: a}", "{cidr: x, ipipMode: Always}").find("spec.cidr: "), 0U);
  EXPECT_EQ(rule_errors(Kind::kHostEndpoint, "{name: a}", "{node: 5, interfaceName: eth0}"),
            "spec.node: found an integer, expected a string");
}

}  // namespace
}  // namespace margay::codec
