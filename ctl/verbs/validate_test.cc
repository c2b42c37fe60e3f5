// What files are refused with, and what is put right.
#include <string>

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
