#include "agent/startup/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/startup/node_patch.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "base/loop/sim_loop.h"
#include "test/support/patch_client.h"

namespace margay::startup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RegistrationTest : public ::testing::Test {
 protected:
  std::unique_ptr<Registration> make(const std::map<std::string, std::string>& variables = {}) {
    std::map<std::string, std::string> all = variables;
    all["NODENAME"] = "node-1";
    return std::make_unique<Registration>(
        Registration::Parts{loop, random, client}, read_environment(all),
        Registration::Events{
            .on_identity = [this](const Identity& identity) { identities.push_back(identity); },
            .on_note = [this](std::string_view reason, const std::string&, bool) { notes.emplace_back(reason); }});
  }
  std::shared_ptr<const model::Node> node(const StringMap& annotations, bool is_available = false) {
    auto out = std::make_shared<model::Node>();
    out->metadata.name = "node-1";
    out->metadata.resource_version = concat(++version);
    out->metadata.annotations = annotations;
    out->status.addresses = {{"Hostname", "node-1"}, {"InternalIP", "10.0.0.7"}, {"ExternalIP", "203.0.113.1"}};
    if (is_available) {
      out->status.conditions.emplace_back().type = "NetworkUnavailable";
      out->status.conditions[0].status = model::ConditionStatus::kFalse;
    }
    return out;
  }
  static HostInterfaces interfaces(std::string_view address = "10.0.0.7/24") {
    return {{"eth0", true, {*InterfaceAddress::parse(address)}}};
  }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::PatchClient client{"nodes"};
  std::vector<Identity> identities;
  std::vector<std::string> notes;
  int version = 0;
  const StringMap registered{{"projectcalico.org/IPv4Address", "10.0.0.7/24"}};
};

TEST_F(RegistrationTest, WritesTheAddressOnceNodeAndInterfacesAreKnown) {
  const auto registration = make();
  registration->set_node("node-1", node({}));
  EXPECT_FALSE(registration->identity());
  EXPECT_THAT(client.open, IsEmpty());
  registration->set_interfaces(interfaces());
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_EQ(client.open[0].name, "node-1");
  EXPECT_EQ(client.open[0].body, R"({"metadata":{"annotations":{"projectcalico.org/IPv4Address":"10.0.0.7/24"}}})");
  EXPECT_THAT(identities, SizeIs(1));
  EXPECT_THAT(notes, ElementsAre("NodeAddressChosen"));
  EXPECT_FALSE(registration->is_registered());
  client.answer(true);
  EXPECT_THAT(client.open, IsEmpty()) << "the watch has not shown it yet: that is no reason to send it again";
  registration->set_node("node-1", node(registered));
  EXPECT_TRUE(registration->is_registered());
  EXPECT_THAT(client.open, IsEmpty());
  EXPECT_THAT(identities, SizeIs(1)) << "it is the same";
}

TEST_F(RegistrationTest, TheNetworkIsAvailableWhenReadyAndNotBefore) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node(registered));
  EXPECT_THAT(client.open, IsEmpty());
  registration->set_ready();
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_EQ(client.open[0].subresource, "status");
  EXPECT_EQ(client.open[0].type, kube::PatchType::kStrategicMerge);
  client.answer(true);
  registration->set_node("node-1", node(registered, true));
  EXPECT_TRUE(registration->is_registered());
  EXPECT_THAT(client.open, IsEmpty());
}

TEST_F(RegistrationTest, InterfacesAreSaidWhenReadyAndNotAtEveryTurn) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node(registered, true));
  loop.advance(std::chrono::seconds(50));
  EXPECT_THAT(client.open, IsEmpty()) << "not before it is ready";
  registration->set_ready();
  EXPECT_TRUE(registration->is_registered()) << "that does not wait for it";
  EXPECT_THAT(client.open, IsEmpty());
  HostInterfaces more = interfaces();
  for (int i = 0; i < 4; ++i) {
    more.push_back({concat("eth", i + 1), true, {*InterfaceAddress::parse("192.0.2.1/24")}});
    registration->set_interfaces(more);
  }
  loop.advance(std::chrono::seconds(6));
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_THAT(client.open[0].body, ::testing::HasSubstr("eth4"));
  client.answer(true);
  EXPECT_THAT(client.open, IsEmpty()) << "the watch has not shown it yet";
  StringMap said = registered;
  const auto text = json::parse(interfaces_patch(*node({}), more));
  said.set("projectcalico.org/Interfaces",
           text->string_at({"metadata", "annotations", "projectcalico.org/Interfaces"}));
  registration->set_node("node-1", node(said, true));
  registration->set_interfaces(interfaces());
  EXPECT_THAT(client.open, IsEmpty()) << "later";
  loop.advance(std::chrono::seconds(6));
  ASSERT_THAT(client.open, SizeIs(1));
}

TEST_F(RegistrationTest, AConditionIsSaidOnceAndWhenItChanges) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node(registered, true));
  registration->set_condition(dataplane_condition({.message = "rules by iptables", .is_whole = true}));
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_THAT(client.open[0].body, ::testing::HasSubstr("MargayDataplane"));
  client.answer(true);
  registration->set_condition(dataplane_condition({.message = "rules by iptables", .is_whole = true}));
  EXPECT_THAT(client.open, IsEmpty()) << "said already";
  registration->set_condition(dataplane_condition({.message = "rules by nothing", .is_whole = true}));
  ASSERT_THAT(client.open, SizeIs(1)) << "although the watch has not shown the first yet";
  EXPECT_THAT(client.open[0].body, ::testing::HasSubstr("rules by nothing"));
  client.answer(true);
  registration->set_condition({"Other", model::ConditionStatus::kFalse, "Reason", "words"});
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_THAT(client.open[0].body,
              ::testing::AllOf(::testing::HasSubstr("Other"), ::testing::HasSubstr("rules by nothing")))
      << "what the watch has not shown is said again beside it";
  EXPECT_THAT(client.open[0].body, ::testing::Not(::testing::HasSubstr("NetworkUnavailable"))) << "it is not ready";
}

TEST_F(RegistrationTest, AnnotationsGoBeforeTheCondition) {
  const auto registration = make();
  registration->set_ready();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node({}));
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_EQ(client.open[0].subresource, "");
  client.answer(true);
  registration->set_node("node-1", node(registered));
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_EQ(client.open[0].subresource, "status");
}

TEST_F(RegistrationTest, AFailureIsTriedAgainWithBackoff) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node({}));
  Duration waited{};
  for (int attempt = 0; attempt < 8; ++attempt) {
    ASSERT_THAT(client.open, SizeIs(1)) << attempt;
    client.answer(false);
    EXPECT_EQ(registration->last_error(), "away");
    const TimePoint before = loop.now();
    registration->set_node("node-1", node({}));
    EXPECT_THAT(client.open, IsEmpty()) << "news are no reason to hurry";
    ASSERT_TRUE(loop.run_until([&] { return !client.open.empty(); }, std::chrono::minutes(2)));
    EXPECT_GE(loop.now() - before, std::min<Duration>(waited, std::chrono::seconds(60)));
    waited = loop.now() - before;
  }
  EXPECT_GE(waited, Duration(std::chrono::seconds(60)));
  client.answer(true);
  EXPECT_EQ(registration->last_error(), "");
}

TEST_F(RegistrationTest, SomebodyElsesChangeIsPutRight) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node(registered));
  EXPECT_THAT(client.open, IsEmpty());
  registration->set_node("node-1", node({{"projectcalico.org/IPv4Address", "10.0.0.99/24"}}));
  ASSERT_THAT(client.open, SizeIs(1));
}

TEST_F(RegistrationTest, ANewAddressOfTheHostIsToldAndWritten) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node(registered));
  registration->set_interfaces(interfaces("10.0.0.8/24"));
  EXPECT_THAT(notes, ElementsAre("NodeAddressNotLocal"))
      << "the Node object still says the old one, which is on no interface";
  auto moved = std::make_shared<model::Node>(*node(registered));
  moved->status.addresses = {{"InternalIP", "10.0.0.8"}};
  registration->set_node("node-1", moved);
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_THAT(client.open[0].body, ::testing::HasSubstr("10.0.0.8/24"));
  EXPECT_EQ(notes.back(), "NodeAddressChanged");
}

TEST_F(RegistrationTest, ConflictsAreToldOnceAndMayBeLeftAlone) {
  const auto registration = make();
  const auto unchecked = make({{"DISABLE_NODE_IP_CHECK", "true"}});
  for (Registration* each : {registration.get(), unchecked.get()}) {
    each->set_interfaces(interfaces());
    each->set_node("node-1", node(registered));
    each->set_node("node-2", node(registered));
    each->set_node("node-2", node(registered));
  }
  EXPECT_THAT(notes, ElementsAre("NodeAddressConflict"));
  EXPECT_THAT(registration->conflicts(), SizeIs(1));
  EXPECT_THAT(unchecked->conflicts(), IsEmpty());
  registration->set_node("node-2", nullptr);
  EXPECT_THAT(registration->conflicts(), IsEmpty());
  registration->set_node("node-2", node(registered));
  EXPECT_THAT(notes, SizeIs(2)) << "it was gone in between";
}

TEST_F(RegistrationTest, NewsOfOtherNodesDecideNothing) {
  int asked = 0;
  Registration registration({loop,
                             random,
                             client,
                             {},
                             [&asked](const std::string&, IpFamily) -> Result<IpAddress> {
                               ++asked;
                               return IpAddress::parse("10.0.0.7");
                             }},
                            read_environment({{"NODENAME", "node-1"}, {"IP_AUTODETECTION_METHOD", "can-reach=x"}}), {});
  registration.set_interfaces(interfaces());
  registration.set_node("node-1", node(registered));
  const int before = asked;
  for (int i = 0; i < 10; ++i) registration.set_node("node-2", node({}));
  EXPECT_EQ(asked, before);
  loop.advance(std::chrono::seconds(61));
  EXPECT_GT(asked, before) << "routes change without a word";
}

TEST_F(RegistrationTest, ANodeThatIsGoneGetsNothing) {
  const auto registration = make();
  registration->set_interfaces(interfaces());
  registration->set_node("node-1", node({}));
  client.answer(false);
  registration->set_node("node-1", nullptr);
  loop.advance(std::chrono::minutes(5));
  EXPECT_THAT(client.open, IsEmpty());
  EXPECT_FALSE(registration->is_registered());
}

}  // namespace
}  // namespace margay::startup
