#include "datastore/codec/legacy.h"

#include "base/json/yaml.h"
#include "datastore/codec/validate.h"
#include "gtest/gtest.h"

namespace margay::codec {
namespace {

json::Value yaml(std::string_view text) { return json::parse_yaml(text)->front().value; }

struct LegacyCase {
  const char* what;
  const char* old_form;
  const char* path;
  const char* new_form;
};
constexpr LegacyCase kLegacyCases[] = {
    {"a global peer",
     "apiVersion: v1\nkind: bgpPeer\nmetadata: {scope: global, peerIP: 192.0.2.1}\nspec: {asNumber: 64567}\n", "kind",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: peer-192-0-2-1}\n"
     "spec: {peerIP: 192.0.2.1, asNumber: 64567}\n"},
    {"a peer of one node, as a book writes it",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\n"
     "metadata: {name: bgppeer-2, peerIP: 192.0.2.1, Node: worker-1}\nspec: {asNumber: 64512}\n",
     "metadata.peerIP",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: bgppeer-2}\n"
     "spec: {node: worker-1, peerIP: 192.0.2.1, asNumber: 64512}\n"},
    {"a peer of one node",
     "apiVersion: v1\nkind: bgpPeer\nmetadata: {scope: node, node: Rack1.Host, peerIP: 'aa:bb::ff'}\n"
     "spec: {asNumber: 1}\n",
     "kind",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: rack1-host-aa-bb-ff}\n"
     "spec: {node: Rack1.Host, peerIP: 'aa:bb::ff', asNumber: 1}\n"},
    {"old metadata in a new kind",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\n"
     "metadata: {name: tor, scope: global, peerIP: 192.0.2.1}\nspec: {asNumber: 2}\n",
     "metadata.scope",
     "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\nspec: {peerIP: 192.0.2.1, asNumber: "
     "2}\n"},
    {"a pool",
     "apiVersion: v1\nkind: ipPool\nmetadata: {cidr: 10.1.0.0/16}\n"
     "spec: {ipip: {enabled: true, mode: cross-subnet}, nat-outgoing: true, disabled: false}\n",
     "kind",
     "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pool-10-1-0-0-16}\n"
     "spec: {cidr: 10.1.0.0/16, ipipMode: CrossSubnet, natOutgoing: true, disabled: false}\n"},
    {"a policy",
     "apiVersion: v1\nkind: policy\nmetadata: {name: Allow_Web}\n"
     "spec:\n  order: 10\n  selector: role == 'web'\n  types: [ingress]\n  ingress:\n"
     "    - {action: allow, protocol: tcp, source: {net: 10.0.0.0/8, tag: x}, destination: {ports: [80]}}\n"
     "    - {action: next-tier}\n",
     "kind",
     "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: allow-web}\n"
     "spec:\n  order: 10\n  selector: role == 'web'\n  types: [Ingress]\n  ingress:\n"
     "    - {action: Allow, protocol: TCP, source: {nets: [10.0.0.0/8], selector: has(x)}, destination: {ports: "
     "[80]}}\n"
     "    - {action: Pass}\n"},
    {"a profile",
     "apiVersion: v1\nkind: profile\nmetadata: {name: p, labels: {a: b}, tags: [t]}\n"
     "spec: {egress: [{action: deny}]}\n",
     "kind",
     "apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: p}\n"
     "spec: {egress: [{action: Deny}], labelsToApply: {a: b, t: ''}}\n"},
    {"a host endpoint",
     "apiVersion: v1\nkind: hostEndpoint\nmetadata: {name: eth0, node: n1, labels: {a: b}}\n"
     "spec: {interfaceName: eth0, expectedIPs: [192.0.2.1]}\n",
     "kind",
     "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: eth0, labels: {a: b}}\n"
     "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n"},
    {"a node",
     "apiVersion: v1\nkind: node\nmetadata: {name: n1}\nspec: {bgp: {asNumber: 64512, ipv4Address: 192.0.2.1/24}}\n",
     "kind",
     "apiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n  annotations: {projectcalico.org/IPv4Address: 192.0.2.1/24, "
     "projectcalico.org/ASNumber: '64512'}\n"},
    {"a tier", "apiVersion: v1\nkind: tier\nmetadata: {name: t}\nspec: {order: 5}\n", "kind",
     "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: t}\nspec: {order: 5}\n"},
};

TEST(Legacy, OldFormsAreAnsweredWithTheNewOne) {
  for (const LegacyCase& c : kLegacyCases) {
    const auto errors = explain_legacy(yaml(c.old_form));
    ASSERT_TRUE(errors.has_value() && errors->size() == 1) << c.what;
    EXPECT_EQ(errors->front().path, c.path) << c.what;
    const std::string& message = errors->front().message;
    const std::size_t start = message.find('\n');
    ASSERT_NE(start, std::string::npos) << c.what;
    const json::Value shown = yaml(message.substr(start + 1));
    EXPECT_TRUE(shown == yaml(c.new_form)) << c.what << ":\n" << message;
    const auto kind = model::find_kind(shown.string_at({"apiVersion"}), shown.string_at({"kind"}));
    ASSERT_TRUE(kind.has_value()) << c.what;
    EXPECT_EQ(to_string(check(*kind, shown)), "") << c.what;
  }
}

TEST(Legacy, NewFormsAndOtherThingsAreNot) {
  for (const char* text :
       {"apiVersion: v1\nkind: Node\nmetadata: {name: a}\n",
        "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: a}\nspec: {peerIP: 192.0.2.1}\n",
        "apiVersion: v1\nkind: Service\n", "kind: bgpPeer\n", "[1]", "a: b\n"}) {
    EXPECT_FALSE(explain_legacy(yaml(text)).has_value()) << text;
  }
}

TEST(Legacy, HalfAnObjectIsNoCrash) {
  for (const char* kind : {"bgpPeer", "ipPool", "policy", "profile", "hostEndpoint", "node", "tier"}) {
    for (const char* rest : {"{}", "{metadata: 1, spec: x}", "{spec: {ingress: [1, {}], types: 1}}"}) {
      json::Value object = yaml(rest);
      object["apiVersion"] = json::Value("v1");
      object["kind"] = json::Value(kind);
      EXPECT_TRUE(explain_legacy(object).has_value()) << kind << rest;
    }
  }
}

}  // namespace
}  // namespace margay::codec
