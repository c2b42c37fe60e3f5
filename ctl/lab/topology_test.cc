#include "ctl/lab/topology.h"

#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::lab {
namespace {

std::string addresses_in(const Topology& topology) {
  std::vector<std::string> out;
  for (const LabNode& node : topology.nodes) {
    for (const IpAddress& address : node.addresses) out.push_back(concat(node.name, " ", address.to_string()));
  }
  return join(out, ", ");
}

std::string kinds_in(const json::Array& objects) {
  std::vector<std::string> out;
  for (const json::Value& object : objects) {
    out.push_back(concat(object.string_at({"kind"}), "/", object.string_at({"metadata", "name"})));
  }
  return join(out, " ");
}

TEST(LabTopology, OfItsOwnIsFourNodesInTwoSubnets) {
  const auto topology = parse_topology(kDefaultTopology, "default");
  ASSERT_TRUE(topology.ok()) << topology.error().message;
  EXPECT_EQ(addresses_in(*topology), "node-1 172.31.1.2, node-2 172.31.1.3, node-3 172.31.2.2, node-4 172.31.2.3");
  EXPECT_EQ(kinds_in(start_objects(*topology)),
            "Node/node-1 Node/node-2 Node/node-3 Node/node-4 IPPool/pods-ipv4 BGPConfiguration/default "
            "BGPPeer/router-rack-a BGPPeer/router-rack-b");
}

TEST(LabTopology, BothFamiliesLabelsObjectsAndFiles) {
  const auto topology = parse_topology(
      "subnets:\n"
      "- name: a\n"
      "  prefixes: [10.0.0.0/24, \"fd00::/64\"]\n"
      "  nodes:\n"
      "  - {name: n, labels: {role: x}, annotations: {k: v}}\n"
      "router: {bgp: false}\n"
      "objects:\n"
      "- {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, spec: {cidr: 10.1.0.0/16}}\n"
      "files: [more.yaml]\n",
      "lab.yaml");
  ASSERT_TRUE(topology.ok()) << topology.error().message;
  EXPECT_EQ(addresses_in(*topology), "n 10.0.0.2, n fd00::2");
  EXPECT_EQ(kinds_in(start_objects(*topology)), "Node/n BGPConfiguration/default IPPool/p");
  const json::Value node = start_objects(*topology).front();
  EXPECT_EQ(node.string_at({"metadata", "labels", "role"}), "x");
  EXPECT_EQ(node.string_at({"metadata", "labels", kSubnetLabel}), "a");
  EXPECT_EQ(node.string_at({"metadata", "annotations", "k"}), "v");
  EXPECT_EQ(topology->files, std::vector<std::string>{"more.yaml"});
  EXPECT_EQ(json::dump(node_status(topology->nodes.front())),
            R"({"addresses":[{"type":"InternalIP","address":"10.0.0.2"},{"type":"InternalIP","address":"fd00::2"},)"
            R"({"type":"Hostname","address":"n"}]})");
}

TEST(LabTopology, SubnetsWithRoutersOfTheirOwnHaveNoMesh) {
  const auto topology = parse_topology(
      "subnets:\n"
      "- {name: a, prefixes: [10.0.0.0/24], nodes: [n], tor: {kind: bird, asNumber: 65001}}\n"
      "- {name: b, prefixes: [10.0.1.0/24], nodes: [m], tor: {asNumber: 65002}}\n"
      "environment: {FELIX_LOGSEVERITYSCREEN: Debug}\n",
      "f");
  ASSERT_TRUE(topology.ok()) << topology.error().message;
  const json::Array objects = start_objects(*topology);
  EXPECT_EQ(kinds_in(objects),
            "Node/n Node/m IPPool/pods-ipv4 BGPConfiguration/default BGPPeer/router-a BGPPeer/router-b");
  EXPECT_EQ(objects[1].string_at({"metadata", "annotations", "projectcalico.org/ASNumber"}), "65002");
  EXPECT_EQ(json::dump(*objects[3].find("spec")), R"({"asNumber":64512,"nodeToNodeMeshEnabled":false})");
  EXPECT_EQ(json::dump(*objects.back().find("spec")),
            R"({"nodeSelector":"margay.dev/subnet == 'b'","peerIP":"10.0.1.1","asNumber":65002})");
  EXPECT_EQ(topology->environment.at("FELIX_LOGSEVERITYSCREEN"), "Debug");
  EXPECT_EQ(router_of(*topology, 1), "tor-b");
}

TEST(LabTopology, TheRouterIsOfTheNodesAsWhereNothingElseIsSaid) {
  const auto topology = parse_topology(
      "subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [n]}\nrouter: {kind: gobgp, reflects: true}\n"
      "objects:\n- {apiVersion: projectcalico.org/v3, kind: BGPConfiguration, metadata: {name: default}, "
      "spec: {asNumber: 63400}}\n",
      "f");
  ASSERT_TRUE(topology.ok()) << topology.error().message;
  EXPECT_EQ(topology->router.as_number, 63400U);
  EXPECT_EQ(topology->router.kind, RouterKind::kGobgp);
  EXPECT_TRUE(topology->router.reflects);
}

TEST(LabTopology, NodesAreAddedWhileItRuns) {
  auto topology = parse_topology(kDefaultTopology, "default").value();
  ASSERT_TRUE(add_node(topology, "node-5", "rack-b").ok());
  EXPECT_EQ(topology.nodes.back().addresses.front().to_string(), "172.31.2.4");
  EXPECT_EQ(add_node(topology, "node-5", "rack-b").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_node(topology, "node-6", "rack-c").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(add_node(topology, "router", "rack-a").error().code, ErrorCode::kInvalid);
}

TEST(LabTopology, ARouterOfAnotherAsIsOfferedANodesOwnRoutesOnly) {
  const auto topology =
      parse_topology("subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [n]}\nrouter: {asNumber: 65000}\n", "f");
  ASSERT_TRUE(topology.ok()) << topology.error().message;
  const json::Array objects = start_objects(*topology);
  EXPECT_EQ(kinds_in(objects),
            "Node/n IPPool/pods-ipv4 BGPConfiguration/default BGPFilter/own-routes-only BGPPeer/router-a");
  EXPECT_EQ(json::dump(*objects.back().find({"spec", "filters"})), R"(["own-routes-only"])");
}

TEST(LabTopology, EveryMistakeHasItsPlace) {
  const struct {
    const char* yaml;
    const char* error;
  } cases[] = {
      {"router: {}\n", "f:1:1: subnets: is needed"},
      {"subnets: []\n", "f:1:10: subnets: no nodes"},
      {"subnets: 3\n", "f:1:10: subnets: a list is wanted, not integer"},
      {"subnet: []\n", "f:1:9: subnet: unknown field"},
      {"subnets:\n- {name: A, prefixes: [10.0.0.0/24], nodes: [a]}\n", "f:2:10: subnets[0].name: lower-case"},
      {"subnets:\n- {name: a, nodes: [a]}\n", "subnets[0].prefixes: is needed"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0], nodes: [a]}\n", "f:2:24: subnets[0].prefixes[0]: "},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/30], nodes: [a]}\n", "too small"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24, 10.0.1.0/24], nodes: [a]}\n", "one prefix of a family"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\n- {name: b, prefixes: [10.0.0.0/16]}\n",
       "f:3:24: subnets[1].prefixes[0]: overlaps 10.0.0.0/24 of a"},
      {"subnets:\n- {name: a, prefixes: [\"fe80::/64\"], nodes: [a]}\n", "link-local"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a, a]}\n", "\"a\" is there already"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [router]}\n", "not \"router\""},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [{name: a, labels: [x]}]}\n", "an object of texts"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\nrouter: {asNumber: 0}\n", "1 to 4294967294"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\nobjects: [{kind: x}]\n",
       "objects[0].apiVersion: is needed"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\nrouter: {kind: quagga}\n",
       "f:3:16: router.kind: margay-bgpd, bird, frr or gobgp is wanted"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a], tor: {}}\n", "subnets[0].tor.asNumber: is needed"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a], tor: {asNumber: 64512}}\n", "of another router"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [tor-a], tor: {asNumber: 1}}\n", "name of a router"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a], tor: {asNumber: 1}}\nrouter: {bgp: false}\n",
       "routers of subnets need it"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a], tor: {asNumber: 1}}\n"
       "- {name: b, prefixes: [10.0.1.0/24], nodes: [b]}\n",
       "every subnet has a router of its own, or none has"},
      {"subnets:\n- {name: a, prefixes: [172.30.0.0/16], nodes: [a], tor: {asNumber: 1}}\n",
       "overlaps the cables between routers"},
      {"subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [a]}\nenvironment: {A: 3}\n", "a text is wanted"},
      {"subnets: [\n", "f: line"},
      {"a: 1\n---\nb: 2\n", "one document is wanted, not 2"},
  };
  for (const auto& each : cases) {
    const auto topology = parse_topology(each.yaml, "f");
    ASSERT_FALSE(topology.ok()) << each.yaml;
    EXPECT_NE(topology.error().message.find(each.error), std::string::npos)
        << each.yaml << topology.error().message << "\nwanted: " << each.error;
  }
}

TEST(LabTopology, ASubnetHasAsManyNodesAsAddresses) {
  std::string yaml = "subnets:\n- {name: a, prefixes: [10.0.0.0/28], nodes: [";
  for (int i = 0; i < 13; ++i) yaml += concat(i == 0 ? "" : ", ", "n", i);
  EXPECT_TRUE(parse_topology(yaml + "]}\n", "f").ok());
  const auto full = parse_topology(yaml + ", n13]}\n", "f");
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.error().message.find("no address left"), std::string::npos) << full.error().message;
}

}  // namespace
}  // namespace margay::lab
