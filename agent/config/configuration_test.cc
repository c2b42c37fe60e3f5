#include "agent/config/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/config/setting.h"
#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

SettingsObject object(std::string_view name, std::string_view spec) {
  json::Document document;
  const std::string text = concat("{\"metadata\":{\"name\":", quoted(name), "},\"spec\":", spec, "}");
  const auto view = document.parse(text);
  EXPECT_TRUE(view.ok()) << text;
  SettingsObject out;
  EXPECT_THAT(decode(*view, out), IsEmpty());
  return out;
}

class ConfigurationTest : public ::testing::Test {
 protected:
  void put(std::string_view name, std::string_view spec) {
    configuration.set_object(std::string(name), object(name, spec));
  }
  json::Value origin(std::string_view name) {
    const json::Value all = configuration.origins();
    for (const json::Value& row : *all.as_array()) {
      if (row.string_at({"name"}) == name) return row;
    }
    return {};
  }
  std::vector<std::string> problems() {
    std::vector<std::string> texts;
    for (const Problem& problem : configuration.problems()) {
      texts.push_back(concat(to_string(problem.kind), " ", problem.to_string()));
    }
    return texts;
  }

  Configuration configuration{"node-1"};
};

TEST_F(ConfigurationTest, DefaultsAreAllFilledIn) {
  const Change change = configuration.take();
  EXPECT_THAT(change.changed, SizeIs(settings().size()));
  const Settings& all = *change.settings;
  EXPECT_EQ(all.process.health_port, Port(9099));
  EXPECT_EQ(all.process.health_host, "localhost");
  EXPECT_EQ(all.host.interface_prefix, "cali");
  EXPECT_EQ(all.host.default_endpoint_to_host_action, model::EndpointToHostAction::kDrop);
  ASSERT_TRUE(all.host.failsafe_inbound_host_ports);
  EXPECT_THAT(*all.host.failsafe_inbound_host_ports, SizeIs(9));
  EXPECT_EQ(all.netfilter.iptables_mark_mask, 0xffff0000U);
  EXPECT_EQ(all.netfilter.iptables_lock_probe_interval, Duration(std::chrono::milliseconds(50)));
  EXPECT_EQ(all.routes.route_table_ranges, (std::vector<model::RouteTableIdRange>{{1, 250}}));
  EXPECT_EQ(all.tunnels.ipip_enabled, std::nullopt) << "by the pools";
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ConfigurationTest, StrongerPlacesWinFieldByField) {
  configuration.set_node_labels({{"gpu", "yes"}});
  put("default", R"j({"healthPort": 1, "ipipMTU": 1, "vxlanMTU": 1, "wireguardMTU": 1, "logPrefix": "a"})j");
  put("gpu", R"j({"nodeSelector": "has(gpu)", "ipipMTU": 2, "vxlanMTU": 2, "wireguardMTU": 2, "logPrefix": "b"})j");
  put("node.node-1", R"j({"vxlanMTU": 3, "wireguardMTU": 3, "logPrefix": "c"})j");
  put("node.node-2", R"j({"vxlanMTU": 9, "healthPort": 9})j");
  configuration.set_file("/etc/felix.cfg", "WireguardMTU = 4\nLogPrefix = d\n");
  configuration.set_environment({{"FELIX_LOGPREFIX", "e"}, {"PATH", "/bin"}});
  const Settings all = *configuration.take().settings;
  EXPECT_EQ(all.process.health_port, Port(1));
  EXPECT_EQ(all.tunnels.ipip_mtu, 2);
  EXPECT_EQ(all.tunnels.vxlan_mtu, 3);
  EXPECT_EQ(all.tunnels.wireguard_mtu, 4);
  EXPECT_EQ(all.netfilter.log_prefix, "e");
  const json::Value row = origin("logPrefix");
  EXPECT_EQ(row.string_at({"source"}), "FELIX_LOGPREFIX");
  EXPECT_EQ(json::dump(*row.find("overridden")),
            R"j([{"source":"/etc/felix.cfg","value":"d"},{"source":"FelixConfiguration node.node-1","value":"c"},)j"
            R"j({"source":"FelixConfiguration gpu","value":"b"},{"source":"FelixConfiguration default","value":"a"},)j"
            R"j({"source":"default","value":"calico-packet"}])j");
}

TEST_F(ConfigurationTest, OfTwoSelectorsTheFirstNameWins) {
  put("b", R"j({"nodeSelector": "all()", "logPrefix": "b", "ipipMTU": 2})j");
  put("a", R"j({"nodeSelector": "all()", "logPrefix": "a"})j");
  const Settings all = *configuration.take().settings;
  EXPECT_EQ(all.netfilter.log_prefix, "a");
  EXPECT_EQ(all.tunnels.ipip_mtu, 2);
}

TEST_F(ConfigurationTest, LabelsDecideAndMayChange) {
  put("gpu", R"j({"nodeSelector": "gpu == 'yes'", "healthPort": 1})j");
  EXPECT_EQ(configuration.take().settings->process.health_port, Port(9099));
  configuration.set_node_labels({{"gpu", "yes"}});
  const Change change = configuration.take();
  EXPECT_EQ(change.settings->process.health_port, Port(1));
  EXPECT_THAT(change.changed, ElementsAre("healthPort"));
  EXPECT_TRUE(change.touches({"healthEnabled", "healthPort"}));
  EXPECT_FALSE(change.touches({"healthEnabled"}));
}

TEST_F(ConfigurationTest, OnlyWhatChangedIsTold) {
  put("default", R"j({"healthPort": 1, "logPrefix": "a"})j");
  const auto before = configuration.take().settings;
  EXPECT_THAT(configuration.take().changed, IsEmpty()) << "nothing happened";
  EXPECT_EQ(configuration.take().settings, before);
  put("default", R"j({"healthPort": 1, "logPrefix": "b"})j");
  EXPECT_THAT(configuration.take().changed, ElementsAre("logPrefix"));
  configuration.set_object("default", std::nullopt);
  EXPECT_THAT(configuration.take().changed, ElementsAre("healthPort", "logPrefix"));
}

TEST_F(ConfigurationTest, TheSameValueInOtherWordsIsNoChange) {
  put("default", R"j({"routeRefreshInterval": "60s", "chainInsertMode": "Append"})j");
  configuration.take();
  put("default", R"j({"routeRefreshInterval": "1m", "chainInsertMode": "append"})j");
  EXPECT_THAT(configuration.take().changed, IsEmpty());
  configuration.set_environment({{"FELIX_ROUTEREFRESHINTERVAL", "60"}});
  EXPECT_THAT(configuration.take().changed, IsEmpty());
  EXPECT_EQ(origin("routeRefreshInterval").string_at({"source"}), "FELIX_ROUTEREFRESHINTERVAL");
}

TEST_F(ConfigurationTest, ABadValueCountsAsAbsentAndSaysWhatIsUsed) {
  put("default", R"j({"healthPort": 1, "chainInsertMode": "Append"})j");
  put("node.node-1", R"j({"healthPort": 70000, "chainInsertMode": 7, "ipv6Support": "yes"})j");
  const Change change = configuration.take();
  EXPECT_EQ(change.settings->process.health_port, Port(1));
  EXPECT_EQ(change.settings->netfilter.chain_insert_mode, model::ChainInsertMode::kAppend);
  EXPECT_EQ(change.settings->host.ipv6_support, true);
  EXPECT_THAT(change.new_problems, SizeIs(3));
  EXPECT_THAT(problems(), Contains("BadValue FelixConfiguration node.node-1: healthPort = 70000: 70000 is not a port: "
                                   "those are 0 to 65535; used instead: 1 (FelixConfiguration default)"));
}

TEST_F(ConfigurationTest, AProblemIsNewOnceAndGoesWithItsCause) {
  configuration.set_environment({{"FELIX_HEALTHPORT", "x"}});
  EXPECT_THAT(configuration.take().new_problems, SizeIs(1));
  put("default", R"j({"logPrefix": "a"})j");
  EXPECT_THAT(configuration.take().new_problems, IsEmpty());
  EXPECT_THAT(problems(), SizeIs(1));
  configuration.set_environment({});
  configuration.take();
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(ConfigurationTest, UnknownNamesAreToldAndThoseOfOtherProgramsNot) {
  configuration.set_environment({{"FELIX_HEALTHPROT", "1"},
                                 {"FELIX_TYPHAK8SSERVICENAME", "calico-typha"},
                                 {"FELIX_DATASTORETYPE", "kubernetes"},
                                 {"FELIX_LOGFILEPATH", ""}});
  put("default", R"j({"helthPort": 1})j");
  configuration.take();
  EXPECT_THAT(problems(), UnorderedElementsAre(
                              "UnknownSetting FELIX_HEALTHPROT: HEALTHPROT = 1: there is no such setting",
                              "UnknownSetting FelixConfiguration default: helthPort = 1: there is no such setting"));
}

TEST_F(ConfigurationTest, WhatNothingActsOnIsToldUnlessItIsTheDefault) {
  put("default", R"j({"bpfEnabled": true, "wireguardEnabled": false, "goMaxProcs": 4})j");
  configuration.take();
  EXPECT_THAT(problems(), UnorderedElementsAre(HasSubstr("NotHonoured FelixConfiguration default: bpfEnabled = true"),
                                               HasSubstr("NotHonoured FelixConfiguration default: goMaxProcs = 4")));
}

TEST_F(ConfigurationTest, AVariableThatSilencesAnObjectIsTold) {
  put("default", R"j({"healthPort": 1, "logPrefix": "a"})j");
  configuration.set_environment({{"FELIX_HEALTHPORT", "2"}, {"FELIX_LOGPREFIX", "a"}});
  configuration.take();
  EXPECT_THAT(problems(), ElementsAre("Overridden FelixConfiguration default: healthPort = 1: FELIX_HEALTHPORT says 2, "
                                      "which is used instead"));
}

TEST_F(ConfigurationTest, NoneTurnsADefaultOff) {
  configuration.set_environment({{"FELIX_LOGPREFIX", "None"}, {"FELIX_FAILSAFEINBOUNDHOSTPORTS", "none"}});
  put("default", R"j({"natOutgoingAddress": "none", "mtuIfacePattern": "NONE", "interfacePrefix": "none"})j");
  const Settings all = *configuration.take().settings;
  EXPECT_EQ(all.netfilter.log_prefix, "");
  EXPECT_EQ(all.host.mtu_iface_pattern, "");
  EXPECT_EQ(all.routes.nat_outgoing_address, std::nullopt);
  ASSERT_TRUE(all.host.failsafe_inbound_host_ports);
  EXPECT_THAT(*all.host.failsafe_inbound_host_ports, IsEmpty());
  EXPECT_EQ(all.host.interface_prefix, "cali") << "which cannot be none";
}

TEST_F(ConfigurationTest, SelectorsThatCannotBeReadAreForNoNode) {
  put("bad", R"j({"nodeSelector": "gpu ==", "logPrefix": "a"})j");
  put("all-nodes", R"j({"logPrefix": "b"})j");
  put("node.node-1", R"j({"nodeSelector": "has(x)", "ipipMTU": 7})j");
  const Settings all = *configuration.take().settings;
  EXPECT_EQ(all.netfilter.log_prefix, "calico-packet");
  EXPECT_EQ(all.tunnels.ipip_mtu, 7) << "the name says enough";
  EXPECT_EQ(std::count_if(configuration.problems().begin(), configuration.problems().end(),
                          [](const Problem& each) { return each.kind == Problem::Kind::kBadSelector; }),
            3);
}

TEST_F(ConfigurationTest, AFilesBadLinesDoNotHideTheOthers) {
  configuration.set_file("/x.cfg", "nonsense\nHealthPort = 7\nhealthport = 8\n");
  EXPECT_EQ(configuration.take().settings->process.health_port, Port(8)) << "the last line";
  EXPECT_THAT(problems(), ElementsAre("BadFile /x.cfg = line 1: line 1 is not NAME = VALUE; it is passed over"));
  configuration.set_file("/x.cfg", "");
  EXPECT_EQ(configuration.take().settings->process.health_port, Port(9099));
}

// The state depends on what is there, not on how it came about.
TEST_F(ConfigurationTest, OrderOfArrivalDoesNotCount) {
  SeededRandom random(7);
  const char* names[] = {"default", "a", "b", "node.node-1"};
  for (int round = 0; round < 50; ++round) {
    Configuration stepwise("node-1");
    std::map<std::string, SettingsObject> wanted;
    for (int step = 0; step < 20; ++step) {
      const std::string name = names[random.below(4)];
      if (random.below(4) == 0) {
        wanted.erase(name);
        stepwise.set_object(name, std::nullopt);
      } else {
        const std::string selector = name == "a" || name == "b" ? "\"nodeSelector\": \"has(x)\"," : "";
        wanted[name] = object(name, concat("{", selector, "\"healthPort\":", random.below(70'000),
                                           ",\"ipipMTU\":", random.below(3), "}"));
        stepwise.set_object(name, wanted[name]);
      }
      if (random.below(3) == 0) stepwise.set_node_labels(random.below(2) == 0 ? StringMap{} : StringMap{{"x", ""}});
      if (random.below(2) == 0) stepwise.take();
    }
    stepwise.set_node_labels({{"x", ""}});
    Configuration fresh("node-1");
    fresh.set_node_labels({{"x", ""}});
    for (const auto& [name, each] : wanted) fresh.set_object(name, each);
    EXPECT_EQ(*stepwise.take().settings, *fresh.take().settings) << "round " << round;
    EXPECT_EQ(stepwise.origins(), fresh.origins());
    EXPECT_EQ(stepwise.problems(), fresh.problems());
  }
}

TEST(SettingsObject, WithoutANameIsAnError) {
  json::Document document;
  SettingsObject out;
  EXPECT_THAT(decode(*document.parse("{\"spec\":{}}"), out), SizeIs(1));
  EXPECT_THAT(decode(*document.parse("[]"), out), SizeIs(1));
}

}  // namespace
}  // namespace margay::config
