// Pods as values, processes and probes on this machine; the lab as a whole is tested in test/integration.
#include <unistd.h>

#include <csignal>

#include "base/core/text.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/pod.h"
#include "ctl/lab/probe.h"
#include "ctl/lab/processes.h"
#include "gtest/gtest.h"

namespace margay::lab {
namespace {

json::Value parsed(std::string_view text) { return json::parse(text).value(); }

TEST(LabPod, WhatIsReadOfAnObject) {
  const LabPod pod = read_pod(parsed(R"({"metadata":{"namespace":"shop","name":"web","uid":"u"},
      "spec":{"nodeName":"n","containers":[{"ports":[{"containerPort":53,"protocol":"UDP"},{"containerPort":80},
      {"containerPort":80,"protocol":"TCP"},{"containerPort":0},{"containerPort":9,"protocol":"SCTP"}]}]},
      "status":{"phase":"Running","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"},{"ip":"?"}]}})"));
  EXPECT_EQ(pod.to_string(), "shop/web");
  EXPECT_EQ(pod.ports, (std::vector<ServedPort>{{53, true}, {80, false}}));
  ASSERT_EQ(pod.addresses.size(), 2U);
  EXPECT_EQ(pod.addresses[1].to_string(), "fd00::1");
  EXPECT_TRUE(pod.is_running);
  EXPECT_FALSE(pod.is_going);
}

TEST(LabPod, OneThatDeclaresNothingServesPort80) {
  EXPECT_EQ(read_pod(parsed(R"({"spec":{"containers":[{}]}})")).ports, (std::vector<ServedPort>{{80, false}}));
  EXPECT_TRUE(read_pod(parsed(R"({"metadata":{"deletionTimestamp":"t"}})")).is_going);
  EXPECT_TRUE(read_pod(parsed(R"({"status":{"phase":"Failed"}})")).is_going);
  EXPECT_EQ(read_pod(parsed("3")).to_string(), "/");
}

TEST(LabPod, RunsWithAllOfItsContainersReady) {
  const LabPod pod = read_pod(parsed(R"({"spec":{"containers":[{"name":"a","image":"i"},{"name":"b"}]}})"));
  const json::Value status = running_status(pod, {}, "192.0.2.1", "2026-01-01T00:00:00Z");
  const json::Value* states = status.find("containerStatuses");
  ASSERT_TRUE(states != nullptr && states->as_array() != nullptr && states->as_array()->size() == 2);
  EXPECT_EQ(states->as_array()->front().string_at({"name"}), "a");
  EXPECT_EQ(states->as_array()->front().string_at({"image"}), "i");
  for (const json::Value& state : *states->as_array()) EXPECT_TRUE(*state.find("ready")->as_bool());
}

TEST(LabPod, GoesToTheNodeWithTheFewest) {
  const std::vector<std::string> nodes{"a", "b", "c"};
  EXPECT_EQ(choose_node(nodes, {}), "a");
  std::vector<LabPod> pods(3);
  pods[0].node = "a";
  pods[1].node = "b";
  pods[2].node = "c";
  EXPECT_EQ(choose_node(nodes, pods), "a");
  pods[1].is_going = true;
  EXPECT_EQ(choose_node(nodes, pods), "b");
  EXPECT_EQ(choose_node({}, pods), "");
}

TEST(LabPod, IsFoundByNameInItsNamespace) {
  std::vector<LabPod> pods(2);
  pods[0].name_space = "a";
  pods[1].name_space = "b";
  pods[0].name = pods[1].name = "web";
  EXPECT_EQ(find_pod(pods, "web", "b"), &pods[1]);
  EXPECT_EQ(find_pod(pods, "a/web", "b"), &pods[0]);
  EXPECT_EQ(find_pod(pods, "c/web", "b"), nullptr);
}

TEST(LabProcess, IsFoundByPidAndStartTime) {
  const auto started =
      start_process({.name = "sleep", .argv = {"sleep", "60"}, .environment = {}, .space = {}, .log = "/dev/null"});
  ASSERT_TRUE(started.ok()) << started.error().message;
  EXPECT_TRUE(is_alive(*started));
  ProcessRecord other = *started;
  other.start_ticks += 1;
  EXPECT_FALSE(is_alive(other)) << "the pid is somebody else's now";
  send_signal(other, SIGKILL);
  EXPECT_TRUE(is_alive(*started));
  stop_processes({*started, other}, std::chrono::seconds(10));
  EXPECT_FALSE(is_alive(*started));
}

TEST(LabProcess, OutputAndStatusAreTaken) {
  const auto done = run_captured(
      {.name = {}, .argv = {"sh", "-c", "cat; echo $X; exit 3"}, .environment = {{"X", "y"}}, .space = {}, .log = {}},
      "in ");
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->out, "in y\n");
  EXPECT_EQ(done->exit_status, 3);
  const auto missing = run_captured({.name = {}, .argv = {"/nowhere"}, .environment = {}, .space = {}, .log = {}}, "");
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->exit_status, 127);
}

class LabSpace : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    name_ = concat("margay-test-", getpid(), ".a");
    const Status made = create_space(name_);
    if (!made.ok()) GTEST_SKIP() << "no network namespace can be made: " << made.error().message;
  }
  void TearDown() override {
    if (!name_.empty()) (void)remove_space(name_);
  }
  std::string name_;
};

TEST_F(LabSpace, IsThereOnceAndGone) {
  EXPECT_TRUE(has_space(name_));
  EXPECT_EQ(create_space(name_).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(spaces_with(concat("margay-test-", getpid(), ".")), std::vector<std::string>{name_});
  ASSERT_TRUE(remove_space(name_).ok());
  EXPECT_FALSE(has_space(name_));
  EXPECT_TRUE(remove_space(name_).ok()) << "none there is fine";
  EXPECT_EQ(run_in_space(name_, [] { return ok_status(); }).error().code, ErrorCode::kNotFound);
}

TEST_F(LabSpace, TheServerSaysWhoItIs) {
  PodServer server;
  const std::vector<ServedPort> ports{{80, false}, {53, true}};
  ASSERT_TRUE(server.serve("a/b", name_, ports, greeting_of("a/b", "n")).ok());
  const IpAddress v4 = IpAddress::parse("127.0.0.1").value();
  const IpAddress v6 = IpAddress::parse("::1").value();
  constexpr std::chrono::seconds kLimit{5};
  for (const ServedPort& port : ports) {
    for (const IpAddress& address : {v4, v6}) {
      const auto answer = ask(name_, {address, port}, kLimit);
      ASSERT_TRUE(answer.ok());
      EXPECT_TRUE(answer->is_reached) << address.to_string() << " " << port.number << ": " << answer->why;
      EXPECT_EQ(answer->said, "a/b on n");
    }
  }
  const auto all = probe_all(name_, {{v4, {80, false}}, {v4, {53, true}}, {v4, {81, false}}, {v4, {54, true}}}, kLimit);
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE((*all)[0].is_reached && (*all)[1].is_reached);
  EXPECT_EQ((*all)[2].why, "Connection refused");
  EXPECT_EQ((*all)[3].why, "Connection refused");
  server.end("a/b");
  EXPECT_FALSE(ask(name_, {v4, {80, false}}, kLimit)->is_reached);
}

}  // namespace
}  // namespace margay::lab
