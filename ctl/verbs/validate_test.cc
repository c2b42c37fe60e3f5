// What files are refused with, and what is put right.
#include <map>
#include <string>
#include <utility>

#include "ctl/verbs/console.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

TEST(Validate, EveryProblemOfEveryFileAtItsPlace) {
  Console console;
  console.write("good.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main}\nspec: {cidr: 10.0.0.0/16}\n");
  console.write("bad.yaml",
                "apiVersion: projectcalico.org/v3\n"
                "kind: IPPool\n"
                "metadata:\n"
                "  name: bad\n"
                "spec:\n"
                "  cidr: 10.12.0.0/16\n"
                "  ipipMode: CrossSubnets\n"
                "  natOutgiong: true\n"
                "  blockSize: big\n"
                "---\n"
                "apiVersion: projectcalico.org/v3\n"
                "kind: NetworkPolicy\n"
                "metadata:\n"
                "  name: web\n"
                "spec:\n"
                "  ingress:\n"
                "  - action: Allow\n"
                "  - action: Alow\n"
                "    source: {}\n");
  console.write("kinds.yaml",
                "kind: IPPool\nmetadata: {name: a}\n"
                "---\napiVersion: projectcalico.org/v3\nmetadata: {name: a}\n"
                "---\napiVersion: projectcalico.org/v3\nkind: IPPol\nmetadata: {name: a}\n"
                "---\napiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: a}\n"
                "---\n- 1\n- 2\n"
                "---\njust text\n"
                "---\napiVersion: projectcalico.org/v3\nkind: Tier\n"
                "---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {}\n"
                "---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: 12}\n"
                "---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a, namespace: b}\n");
  console.write("syntax.yaml", "apiVersion: v1\nkind: [\n");
  console.write("twice.yaml", "apiVersion: v1\napiVersion: v1\n");
  console.run("netctl validate -f @good.yaml");
  console.run("netctl validate -f @bad.yaml");
  console.run("netctl validate -f @kinds.yaml");
  console.run("netctl validate -f @syntax.yaml -f @twice.yaml -f @good.yaml");
  console.run("netctl validate");
  EXPECT_EQ(console.take_calls(), "") << "asks no server";
  test::expect_golden("ctl/verbs/testdata/validate.txt", console.screen);
}

// What a person, an editor or a broken pipe makes of a file.
TEST(Validate, FilesThatAreNoObjects) {
  Console console;
  constexpr std::string_view kHead = "apiVersion: projectcalico.org/v3\nkind: IPPool\n";
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += concat(c, ": &", c, " [");
    for (int i = 0; i < 10; ++i) bomb += concat(i > 0 ? "," : "", '*', static_cast<char>(c - 1));
    bomb += "]\n";
  }
  const std::map<std::string, std::string> files = {
      {"tab.yaml", concat(kHead, "metadata:\n\tname: main\n")},
      {"tab-behind.yaml", concat(kHead, "metadata:\n  name:\tmain\nspec: {cidr: 10.0.0.0/16}\n")},
      {"indent.yaml", concat(kHead, "metadata:\n  name: a\n labels: {}\n")},
      {"twice.yaml", concat(kHead, "metadata: {name: a}\nspec:\n  cidr: 10.0.0.0/16\n  cidr: 10.1.0.0/16\n")},
      {"quote.yaml", concat(kHead, "metadata:\n  name: \"a\n")},
      {"alias.yaml", concat(kHead, "metadata: *frob\n")},
      {"bomb.yaml", bomb},
      {"deep.yaml", concat("a: ", std::string(500, '['), std::string(500, ']'))},
      {"deep.json", concat("{\"a\": ", std::string(500, '['), std::string(500, ']'), "}")},
      {"cut.json", R"({"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "a"}, "spec": {)"},
      {"cut-text.json", R"({"apiVersion": "projectcalico.org/v3", "kind": "IPP)"},
      {"comma.json", "{\"apiVersion\": \"projectcalico.org/v3\"\n \"kind\": \"IPPool\"}"},
      {"empty.yaml", ""},
      {"comment.yaml", "# nothing yet\n"},
      {"binary.yaml", std::string("\x7f"
                                  "ELF\x02\x01\x01\0\0\0\xff\xfe",
                                  12)},
      {"latin1.yaml",
       concat(kHead, "metadata: {name: a, annotations: {by: \"J\xfcrgen\"}}\nspec: {cidr: 10.0.0.0/16}\n")},
      {"html.yaml", "<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n"},
  };
  for (const auto& [name, text] : files) {
    console.write(name, text);
    console.run(concat("netctl validate -f @", name));
  }
  test::expect_golden("ctl/verbs/testdata/no-objects.txt", console.screen);
}

TEST(Validate, PoolsThatOverlapAreToldWithBothPlaces) {
  Console console;
  const auto pool = [](std::string_view name, std::string_view cidr) {
    return concat("---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: ", name,
                  "}\nspec: {cidr: ", cidr, "}\n");
  };
  console.write("pools.yaml", concat(pool("a", "10.0.0.0/16"), pool("b", "10.0.128.0/17"), pool("c", "'fd00::/48'")));
  EXPECT_EQ(console.run("netctl validate -f @pools.yaml"),
            "$ netctl validate -f @pools.yaml\n! error: pools.yaml:10:14: spec.cidr: 10.0.128.0/17 overlaps with pool "
            "\"a\", 10.0.0.0/16 (pools.yaml:2:1)\n[1]\n");
}

TEST(Validate, AnObjectThatIsThereTwiceIsWarnedOf) {
  Console console;
  console.write("tiers.yaml",
                "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a}\nspec: {order: 1}\n---\n"
                "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a}\nspec: {order: 2}\n");
  EXPECT_EQ(console.run("netctl validate -f @tiers.yaml"),
            "$ netctl validate -f @tiers.yaml\nSuccessfully validated 2 resource(s)\n! warning: tiers.yaml:8:18: "
            "metadata.name: Tier \"a\" is there twice, first at tiers.yaml:1:1\n");
}

TEST(Validate, FieldsThatAreWrong) {
  Console console;
  const auto pool = [](std::string_view spec) {
    return concat("apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: main\nspec:\n", spec);
  };
  const auto peer = [](std::string_view spec) {
    return concat("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: rack1\nspec:\n", spec);
  };
  const std::pair<std::string, std::string> files[] = {
      {"no-cidr.yaml", pool("  natOutgoing: true\n")},
      {"long-mask.yaml", pool("  cidr: 10.0.0.0/33\n")},
      {"no-mask.yaml", pool("  cidr: 10.0.0.0\n")},
      {"octet.yaml", pool("  cidr: 10.0.0.256/24\n")},
      {"word.yaml", pool("  cidr: ten\n")},
      {"number.yaml", pool("  cidr: 10\n")},
      {"block.yaml", pool("  cidr: 10.0.0.0/28\n")},
      {"yes.yaml", pool("  cidr: 10.0.0.0/16\n  natOutgoing: \"yes\"\n")},
      {"yes-bare.yaml", pool("  cidr: 10.0.0.0/16\n  natOutgoing: yes\n")},
      {"case.yaml", pool("  cidr: 10.0.0.0/16\n  ipipMode: crosssubnet\n")},
      {"both.yaml", pool("  cidr: 10.0.0.0/16\n  ipipMode: Always\n  vxlanMode: Always\n")},
      {"selector.yaml", pool("  cidr: 10.0.0.0/16\n  nodeSelector: rack = 'a'\n")},
      {"asn.yaml", peer("  peerIP: 192.0.2.1\n  asNumber: 4294967296\n")},
      {"asn-text.yaml", peer("  peerIP: 192.0.2.1\n  asNumber: AS64512\n")},
      {"peer-ip.yaml", peer("  peerIP: router1\n  asNumber: 64512\n")},
      {"scope.yaml",
       "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: bgppeer-global\n"
       "  peerIP: 192.0.2.1\n  scope: global\nspec:\n  asNumber: 64512\n"},
      {"node.yaml",
       "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata:\n  name: bgppeer-2\n"
       "  peerIP: 192.0.2.1\n  Node: worker-1\nspec:\n  asNumber: 64512\n"},
      {"v1-pool.yaml",
       "apiVersion: v1\nkind: ipPool\nmetadata:\n  cidr: 10.1.0.0/16\nspec:\n  ipip:\n    enabled: true\n"
       "  nat-outgoing: true\n"},
      {"v1-policy.yaml", "apiVersion: v1\nkind: policy\nmetadata:\n  name: allow\nspec:\n  selector: role == 'db'\n"},
      {"crd.yaml",
       "apiVersion: crd.projectcalico.org/v1\nkind: FelixConfiguration\nmetadata: {name: default}\nspec: {}\n"},
      {"indented.yaml",
       "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {}\n"
       "  egress:\n  - to:\n    - ipBlock:\n        cidr: 10.0.0.0/24\n      ports:\n      - port: 3306\n"},
      {"extensions.yaml",
       "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n"},
      {"deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n"},
  };
  for (const auto& [name, text] : files) {
    console.write(name, text);
    console.run(concat("netctl validate -f @", name));
  }
  test::expect_golden("ctl/verbs/testdata/wrong-fields.txt", console.screen);
}

TEST(Validate, ABadObjectKeepsAllFromBeingSent) {
  Console console;
  console.write("mixed.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main}\nspec: {cidr: 10.0.0.0/16}\n"
                "---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: other}\nspec: {}\n");
  for (const char* verb : {"apply", "create", "replace"}) {
    EXPECT_NE(console.run(concat("netctl ", verb, " -f @mixed.yaml")).find("[1]"), std::string::npos);
    EXPECT_EQ(console.take_calls(), "") << verb;
  }
}

TEST(Validate, UnknownFieldsAsTheUserWants) {
  Console console;
  console.write(
      "pool.yaml",
      "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: main}\nspec: {cidr: 10.0.0.0/16, frob: 1}\n");
  console.run("netctl apply -f @pool.yaml");
  console.run("netctl apply -f @pool.yaml --validate=warn");
  console.run("netctl apply -f @pool.yaml --validate=false");
  test::expect_golden("ctl/verbs/testdata/unknown-fields.txt", console.screen);
}

TEST(Validate, TooManyProblemsAreCounted) {
  Console console;
  std::string text = "apiVersion: v1\nkind: List\nitems:\n";
  for (int i = 0; i < 150; ++i) text += "- 3\n";
  console.write("many.yaml", text);
  const std::string screen = console.run("netctl validate -f @many.yaml");
  EXPECT_NE(screen.find("and 50 more"), std::string::npos) << screen;
}

TEST(Names, OfBooksAreLowerCased) {
  Console console;
  console.write("book.yaml",
                "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: project1IPPool\n"
                "spec:\n  cidr: 10.11.12.0/16\n  ipipMode: CrossSubnet\n  natOutgoing: true\n");
  console.run("netctl apply -f @book.yaml");
  console.run("netctl get ippool project1IPPool");
  test::expect_golden("ctl/verbs/testdata/names.txt", console.screen);
}

TEST(OldForms, AreAnsweredWithTheNewOnes) {
  Console console;
  console.write(
      "old.yaml",
      "apiVersion: v1\nkind: bgpPeer\nmetadata:\n  peerIP: 192.0.2.9\n  scope: global\nspec:\n  asNumber: 64512\n");
  console.run("netctl apply -f @old.yaml");
  test::expect_golden("ctl/verbs/testdata/old-forms.txt", console.screen);
}

TEST(Namespaces, OfTheFileTheFlagTheContextInThatOrder) {
  Console console;
  console.server.context_namespace = "ctx";
  console.write("none.yaml", "apiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: a}\nspec: {}\n");
  console.write("own.yaml",
                "apiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: a, namespace: own}\nspec: {}\n");
  console.run("netctl create -f @none.yaml");
  console.run("netctl create -f @none.yaml -n flag");
  console.run("netctl create -f @own.yaml");
  EXPECT_EQ(console.take_calls(), "create networksets ctx/a\ncreate networksets flag/a\ncreate networksets own/a\n");
  EXPECT_EQ(console.run("netctl create -f @own.yaml -n flag"),
            "$ netctl create -f @own.yaml -n flag\n"
            "! error: own.yaml:3:32: metadata.namespace: found \"own\", the command line says -n flag\n[1]\n");
}

TEST(Kinds, OfTheServerAreLearnedWhenNeeded) {
  Console console;
  console.client.put("customresourcedefinitions",
                     R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"frobs.example.org"},"spec":{"group":"example.org","scope":"Cluster",
    "names":{"kind":"Frob","plural":"frobs","singular":"frob","listKind":"FrobList"},
    "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
    "x-kubernetes-preserve-unknown-fields":true}}}]}})");
  console.write("frob.yaml", "apiVersion: example.org/v1\nkind: Frob\nmetadata: {name: a}\n");
  EXPECT_NE(console.run("netctl validate -f @frob.yaml").find("[1]"), std::string::npos) << "offline";
  EXPECT_NE(console.run("netctl apply -f @frob.yaml").find("frob.example.org/a created"), std::string::npos);
  EXPECT_NE(console.run("netctl get frobs").find("a      60m"), std::string::npos) << console.screen;
}

}  // namespace
}  // namespace margay::verbs
