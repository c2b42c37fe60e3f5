// What needs no agent and no kernel: the runtime's call, the answers' form, the agent's answer.
#include <map>
#include <string>

#include "base/core/text.h"
#include "cni/plugin/agent_client.h"
#include "cni/plugin/invocation.h"
#include "cni/plugin/output.h"
#include "cni/plugin/verbs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::cni {
namespace {

using testing::HasSubstr;

class Call : public testing::Test {
 protected:
  std::map<std::string, std::string> variables_ = {{"CNI_COMMAND", "ADD"},
                                                   {"CNI_CONTAINERID", "c1"},
                                                   {"CNI_NETNS", "/nowhere"},
                                                   {"CNI_IFNAME", "eth0"},
                                                   {"CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n"}};
  std::string input_ = R"({"cniVersion":"1.0.0","name":"net","type":"margay","socket":"/nowhere/cni.sock"})";

  Environment environment() {
    return [this](const char* name) { return variables_[name]; };
  }
  CniResult<Invocation> parse(std::string_view program = "/opt/cni/bin/margay") {
    return parse_invocation(program, environment(), input_);
  }
  json::Value answer() { return json::parse(run("margay", environment(), input_).output).value_or({}); }
};

TEST_F(Call, IsReadFromEnvironmentAndInput) {
  const auto call = parse();
  ASSERT_TRUE(call.ok());
  EXPECT_EQ(call->argument("K8S_POD_NAME"), "p");
  EXPECT_EQ(call->socket(), "/nowhere/cni.sock");
  EXPECT_FALSE(call->is_ipam);
  EXPECT_TRUE(parse("margay-ipam")->is_ipam);
  EXPECT_TRUE(parse("/opt/cni/bin/margay-ipam")->is_ipam);
}

TEST_F(Call, WhatIsMissingOrWrongIsNamedWithTheCodeOfTheSpecification) {
  const struct {
    const char* variable;
    const char* value;
    int code;
  } cases[] = {{"CNI_COMMAND", "", 4},     {"CNI_COMMAND", "MELT", 4},
               {"CNI_CONTAINERID", "", 4}, {"CNI_CONTAINERID", "../x", 4},
               {"CNI_IFNAME", "a/b", 4},   {"CNI_IFNAME", "sixteen-letters-", 4},
               {"CNI_NETNS", "", 4}};
  for (const auto& each : cases) {
    const auto before = variables_;
    variables_[each.variable] = each.value;
    ASSERT_FALSE(parse().ok()) << each.variable << each.value;
    EXPECT_EQ(parse().error().code, each.code);
    EXPECT_THAT(parse().error().message, HasSubstr(each.variable));
    variables_ = before;
  }
  input_ = "{";
  EXPECT_EQ(parse().error().code, 6);
  input_ = R"({"cniVersion":"9.0.0"})";
  EXPECT_EQ(parse().error().code, 1);
}

TEST_F(Call, SettingsThatMakeNoSenseAreNamedUnlessSomethingIsRemoved) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"("mtu":"big")", "mtu: 0 (the agent's) or a number from 68 to 65535 is wanted, not \"big\""},
      {R"("mtu":20)", "mtu"},
      {R"("mtu":65536)", "mtu"},
      {R"("mtu":-1)", "mtu"},
      {R"("policy_setup_timeout_seconds":"x")", "policy_setup_timeout_seconds"},
      {R"("policy_setup_timeout_seconds":121)", "from 0 to 120"},
      {R"("cniVersion":1)", "cniVersion: a text is wanted, not 1"}};
  for (const auto& [setting, said] : kCases) {
    input_ = concat("{", setting, "}");
    ASSERT_FALSE(parse().ok()) << setting;
    EXPECT_EQ(parse().error().code, 7);
    EXPECT_THAT(parse().error().message, HasSubstr(said));
  }
  input_ = R"({"mtu":"big"})";
  variables_["CNI_COMMAND"] = "DEL";
  EXPECT_TRUE(parse().ok());
  variables_["CNI_COMMAND"] = "ADD";
  for (const char* fine : {R"({"mtu":0})", R"({"mtu":null})", R"({"mtu":1280,"policy_setup_timeout_seconds":0})"}) {
    input_ = fine;
    EXPECT_TRUE(parse().ok()) << fine;
  }
  for (const char* no_object : {"[]", "1", R"("x")"}) {
    input_ = no_object;
    EXPECT_EQ(parse().error().code, 6) << no_object;
  }
}

TEST_F(Call, VersionNeedsNothing) {
  variables_ = {{"CNI_COMMAND", "VERSION"}};
  input_ = "";
  const json::Value told = answer();
  EXPECT_EQ(told.string_at({"cniVersion"}), "1.1.0");
  EXPECT_EQ(told.find("supportedVersions")->as_array()->size(), 5U);
}

TEST_F(Call, ErrorsArePrintedAsTheSpecificationSays) {
  json::Value told = answer();
  EXPECT_EQ(*told.find("code")->as_integer(), 4);
  EXPECT_THAT(std::string(told.string_at({"msg"})), HasSubstr("/nowhere"));
  EXPECT_EQ(told.string_at({"cniVersion"}), "1.0.0");
  variables_["CNI_COMMAND"] = "STATUS";
  told = answer();
  EXPECT_EQ(*told.find("code")->as_integer(), 50);
  EXPECT_THAT(std::string(told.string_at({"msg"})), HasSubstr("/nowhere/cni.sock"));
  variables_["CNI_COMMAND"] = "GC";
  EXPECT_EQ(*answer().find("code")->as_integer(), 7);
  variables_["CNI_COMMAND"] = "ADD";
  input_ = R"({"cniVersion":"1.0.0","ipam":{"type":"host-local"}})";
  EXPECT_THAT(std::string(answer().string_at({"msg"})), HasSubstr("host-local"));
}

TEST(Result, HasTheFormOfItsVersion) {
  const std::vector<IpPrefix> addresses = {IpPrefix::parse("10.0.0.1/32").value(),
                                           IpPrefix::parse("fd00::1/128").value()};
  const MadeInterface interface { "cali1", "ee:ee:ee:ee:ee:ee", "eth0", "02:00:00:00:00:01", "/ns", 1450 };
  const auto newest = json::parse(result_text("1.1.0", addresses, &interface)).value();
  EXPECT_EQ(newest.find("ips")->as_array()->at(0).find("version"), nullptr);
  EXPECT_EQ(*newest.find("interfaces")->as_array()->at(1).find("mtu")->as_integer(), 1450);
  EXPECT_EQ(newest.find("interfaces")->as_array()->at(1).string_at({"sandbox"}), "/ns");
  const auto old = json::parse(result_text("0.3.1", addresses, &interface)).value();
  EXPECT_EQ(old.find("ips")->as_array()->at(1).string_at({"version"}), "6");
  EXPECT_EQ(old.find("interfaces")->as_array()->at(0).find("mtu"), nullptr);
  const auto ipam = json::parse(result_text("1.0.0", addresses, nullptr)).value();
  EXPECT_EQ(ipam.find("interfaces"), nullptr);
  EXPECT_EQ(ipam.find("ips")->as_array()->at(0).find("interface"), nullptr);
}

TEST(AgentAnswer, IsReadWholeOrNotAtAll) {
  const std::string whole = "HTTP/1.1 404 Not Found\r\ncontent-length: 13\r\n\r\n{\"error\":\"x\"}";
  EXPECT_EQ(parse_answer(whole)->status, 404);
  EXPECT_EQ(parse_answer(whole)->error(), "x");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_answer(whole.substr(0, size)).error().code, ErrorCode::kUnavailable) << size;
  }
  EXPECT_EQ(parse_answer("SSH-2.0\r\n\r\n").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(parse_answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{").error().code, ErrorCode::kInvalid);
}

TEST(AgentClient, NobodyThereIsSaidAtOnce) {
  AgentClient client("/nowhere/cni.sock");
  EXPECT_EQ(client.call("GET", "/v1/status", {}, 1).error().code, ErrorCode::kUnavailable);
  AgentClient endless(std::string(200, 'x'));
  EXPECT_EQ(endless.call("GET", "/v1/status", {}, 1).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace margay::cni
