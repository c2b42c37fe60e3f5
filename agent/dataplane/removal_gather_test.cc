#include "agent/dataplane/removal_gather.h"

#include <memory>
#include <string>
#include <vector>

#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using std::chrono::milliseconds;

model::ObjectKey pod_key(const std::string& name) { return {model::Kind::kPod, "default", name}; }

class RemovalGatherTest : public testing::Test {
 protected:
  DataplaneBatch numbered() {
    DataplaneBatch out;
    out.policy.is_in_sync = true;
    out.number = ++number_;
    out.since = loop_.now();
    return out;
  }
  DataplaneBatch removal(const std::string& name) {
    DataplaneBatch out = numbered();
    out.policy.endpoints[pod_key(name)] = nullptr;
    return out;
  }
  DataplaneBatch addition(const std::string& name) {
    DataplaneBatch out = numbered();
    out.policy.endpoints[pod_key(name)] = std::make_shared<const policy::Endpoint>();
    return out;
  }

  loop::SimLoop loop_;
  std::uint64_t number_ = 0;
  std::vector<DataplaneBatch> through_;
  RemovalGather gather_{loop_, [this](DataplaneBatch batch) { through_.push_back(std::move(batch)); }};
};

TEST_F(RemovalGatherTest, EndpointsThatGoInARowGoTogether) {
  for (const char* name : {"a", "b", "c"}) {
    gather_.take(removal(name));
    loop_.advance(milliseconds(20));
    if (through_.empty()) continue;
    EXPECT_STREQ(name, "c") << "50 ms after the first";
  }
  ASSERT_EQ(through_.size(), 1U);
  EXPECT_EQ(through_[0].policy.endpoints.size(), 3U);
  EXPECT_EQ(through_[0].number, 3U);
  EXPECT_FALSE(through_[0].since.has_value()) << "nobody waits for it";
  loop_.advance(milliseconds(1000));
  EXPECT_EQ(through_.size(), 1U);
}

TEST_F(RemovalGatherTest, WhatIsToBeDoneGoesAtOnceAndTakesAlongWhatWaits) {
  gather_.take(removal("a"));
  EXPECT_TRUE(through_.empty());
  gather_.take(addition("b"));
  ASSERT_EQ(through_.size(), 1U);
  EXPECT_EQ(through_[0].policy.endpoints.size(), 2U);
  EXPECT_EQ(through_[0].policy.endpoints.at(pod_key("a")), nullptr);
  EXPECT_NE(through_[0].policy.endpoints.at(pod_key("b")), nullptr);
  EXPECT_TRUE(through_[0].since.has_value());
  // The same name again: the last word counts.
  gather_.take(removal("b"));
  gather_.take(addition("b"));
  ASSERT_EQ(through_.size(), 2U);
  EXPECT_NE(through_[1].policy.endpoints.at(pod_key("b")), nullptr);
}

TEST_F(RemovalGatherTest, NothingElseWaits) {
  DataplaneBatch closing = numbered();  // a policy that denies: no endpoint goes
  closing.policy.ip_sets[policy::IpSetId("s:1")].removed.resize(1);
  gather_.take(std::move(closing));
  EXPECT_EQ(through_.size(), 1U);
  DataplaneBatch with_policy = removal("a");
  with_policy.policy.policies[{model::Kind::kNetworkPolicy, "default", "p"}] = std::make_shared<const policy::Policy>();
  gather_.take(std::move(with_policy));
  EXPECT_EQ(through_.size(), 2U);
  DataplaneBatch with_member = removal("a");
  with_member.policy.ip_sets[policy::IpSetId("s:1")].added.resize(1);
  gather_.take(std::move(with_member));
  EXPECT_EQ(through_.size(), 3U);
  DataplaneBatch with_settings = removal("a");
  with_settings.settings.emplace();
  gather_.take(std::move(with_settings));
  EXPECT_EQ(through_.size(), 4U);
  DataplaneBatch first = removal("a");  // before all is in sync nothing is held back
  first.policy.is_in_sync = false;
  gather_.take(std::move(first));
  EXPECT_EQ(through_.size(), 5U);
  DataplaneBatch with_less = removal("a");  // the last of an application: its policy and its set go, too
  with_less.policy.policies[{model::Kind::kNetworkPolicy, "default", "p"}] = nullptr;
  with_less.policy.ip_sets[policy::IpSetId("s:1")].what = policy::IpSetDelta::What::kRemove;
  gather_.take(std::move(with_less));
  EXPECT_EQ(through_.size(), 5U);
}

}  // namespace
}  // namespace margay::agent
