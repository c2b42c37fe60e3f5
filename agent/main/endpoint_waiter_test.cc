#include "agent/main/endpoint_waiter.h"

#include <optional>
#include <string>

#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using model::Kind;
using model::ObjectKey;
using std::chrono::seconds;

const ObjectKey kPod{Kind::kPod, "default", "a"};
IpPrefix host(const char* address) { return IpPrefix::host(IpAddress::parse(address).value()); }

class WaiterTest : public testing::Test {
 protected:
  void set_workload(const char* version, const char* address) {
    model::WorkloadEndpoint workload;
    workload.metadata.resource_version = version;
    workload.spec.ip_networks = {host(address)};
    workloads_[kPod] = std::make_shared<const model::WorkloadEndpoint>(std::move(workload));
    waiter_.look();
  }
  void set_state(EndpointStage stage, const char* version, const char* message = "") {
    const auto workload = workloads_.find(kPod);
    const auto addresses = workload == workloads_.end() ? std::vector<IpPrefix>() : workload->second->spec.ip_networks;
    book_.note({{kPod, EndpointState{stage, version, "cali1", message, container_, addresses}}}, workloads_);
    waiter_.look();
  }
  void wait() {
    NewEndpoint endpoint;
    endpoint.pod_namespace = "default";
    endpoint.pod_name = "a";
    endpoint.container = "c1";
    endpoint.addresses = {host("10.0.0.1")};
    handle_ = waiter_.wait(endpoint, seconds(5), [this](const Status& outcome) { outcome_ = outcome; });
  }
  std::string problem() const { return outcome_ && !outcome_->ok() ? outcome_->error().message : std::string(); }

  std::string container_ = "c1";  // in the kernel
  loop::SimLoop loop_;
  EndpointBook book_;
  EndpointBook::Workloads workloads_;
  EndpointWaiter waiter_{loop_, book_, workloads_};
  std::unique_ptr<ReadinessWait> handle_;
  std::optional<Status> outcome_;
};

TEST_F(WaiterTest, ToldOnceTheKernelHasAllOfIt) {
  wait();
  loop_.run_until_idle();
  set_workload("1", "10.0.0.2");
  set_state(EndpointStage::kProgrammed, "1");
  EXPECT_FALSE(outcome_.has_value()) << "another address";
  set_workload("2", "10.0.0.1");
  EXPECT_FALSE(outcome_.has_value()) << "the kernel has that of before";
  set_state(EndpointStage::kWaitingForInterface, "2");
  EXPECT_FALSE(outcome_.has_value());
  container_ = "c0";
  set_state(EndpointStage::kProgrammed, "2");
  EXPECT_FALSE(outcome_.has_value()) << "of an earlier container with that address";
  container_ = "c1";
  set_state(EndpointStage::kProgrammed, "2");
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_TRUE(outcome_->ok());
}

// The API server's own version of it, which says the same, may be on its way.
TEST_F(WaiterTest, ALaterVersionOfTheSameIsNotWaitedFor) {
  wait();
  set_workload("1", "10.0.0.1");
  set_state(EndpointStage::kWaitingForInterface, "1");
  set_workload("2", "10.0.0.1");
  set_state(EndpointStage::kProgrammed, "1");
  EXPECT_TRUE(outcome_.has_value());
}

TEST_F(WaiterTest, WhatIsThereAlreadyIsToldOnTheNextTurn) {
  set_workload("1", "10.0.0.1");
  set_state(EndpointStage::kProgrammed, "1");
  wait();
  EXPECT_FALSE(outcome_.has_value()) << "not from inside the call";
  loop_.run_until_idle();
  EXPECT_TRUE(outcome_.has_value());
}

TEST_F(WaiterTest, TheTimeoutSaysWhatIsMissing) {
  wait();
  loop_.advance(seconds(6));
  EXPECT_NE(problem().find("not known"), std::string::npos) << problem();
  set_workload("1", "10.0.0.1");
  set_state(EndpointStage::kFailed, "1", "the table is locked");
  wait();
  loop_.advance(seconds(6));
  EXPECT_EQ(outcome_->error().code, ErrorCode::kTimeout);
  EXPECT_NE(problem().find("the table is locked"), std::string::npos) << problem();
}

TEST_F(WaiterTest, NobodyIsToldWhoGaveUp) {
  wait();
  handle_.reset();
  set_workload("1", "10.0.0.1");
  set_state(EndpointStage::kProgrammed, "1");
  loop_.advance(seconds(60));
  EXPECT_FALSE(outcome_.has_value());
}

TEST_F(WaiterTest, OnlyEndpointsThatAreReadyAreMeasured) {
  telemetry::Registry metrics;
  const telemetry::Histogram seconds_taken = metrics.histogram({"ready_seconds", "For the test.", "seconds"}, {1, 10});
  waiter_.measure(seconds_taken);
  wait();
  loop_.advance(seconds(6));
  EXPECT_EQ(seconds_taken.count(), 0U) << "it was given up";
  wait();
  set_workload("1", "10.0.0.1");
  set_state(EndpointStage::kProgrammed, "1");
  EXPECT_EQ(seconds_taken.count(), 1U);
}

}  // namespace
}  // namespace margay::agent
