#include "agent/tunnels/tunnel_addresses.h"

#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"
#include "ipip/plan/node_ends.h"

namespace margay::agent {
namespace {

using model::EncapMode;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kIpipHandle = "ipip-tunnel-addr-a";
constexpr const char* kVxlanHandle = "vxlan-tunnel-addr-a";
IpAddress address_of(std::string_view text) { return IpAddress::parse(text).value(); }

// Gives the next address of the first pool. Answers when the loop turns, as the real one does.
class FakeSource final : public AddressSource {
 public:
  explicit FakeSource(loop::SimLoop& loop) : loop_(loop) {}
  [[nodiscard]] bool is_ready() const override { return ready; }
  [[nodiscard]] std::vector<IpAddress> held(const std::string& handle) const override {
    const auto found = holdings.find(handle);
    return found == holdings.end() ? std::vector<IpAddress>() : std::vector<IpAddress>{found->second};
  }
  void assign(ipam::Holder holder, ipam::Demand demand, Callback<void(ipam::Got)> done) override {
    ++assigned;
    last = holder;
    ipam::Got got;
    const IpAddress next = demand.pools.at(0).cidr.first().plus(++given).value();
    const IpAddress address = demand.address.value_or(next);
    if (is_full || taken == address) {
      got.messages = {"all are taken"};
    } else {
      holdings[holder.handle] = address;
      got.addresses = {address};
    }
    loop_.post([done = std::move(done), got]() mutable { done(got); });
  }
  void release(const std::string& handle, Callback<void(Status)> done) override {
    ++released;
    Status status = ok_status();
    if (is_full) status = Error{ErrorCode::kUnavailable, "away"};
    if (status.ok()) holdings.erase(handle);
    loop_.post([done = std::move(done), status]() mutable { done(status); });
  }
  [[nodiscard]] std::vector<const model::IpPool*> pools() const override {
    std::vector<const model::IpPool*> out;
    for (const auto& [name, pool] : all) out.push_back(&pool);
    return out;
  }

  bool ready = true;
  bool is_full = false;
  std::optional<IpAddress> taken;
  int assigned = 0, released = 0;
  std::uint32_t given = 0;
  ipam::Holder last;
  std::map<std::string, IpAddress> holdings;
  std::map<std::string, model::IpPool> all;

 private:
  loop::SimLoop& loop_;
};

class TunnelAddressesTest : public testing::Test {
 protected:
  TunnelAddressesTest() : source_(loop_) { node_.metadata.name = "a"; }

  void start() {
    addresses_ = std::make_unique<TunnelAddresses>(TunnelAddresses::Parts{
        .loop = loop_,
        .source = source_,
        .node = "a",
        .patch_node = [this](const std::string& patch, Callback<void(Status)> done) { take(patch, std::move(done)); },
        .is_there = [this](ipam::TunnelKind) { return has_device_; }});
    show_node();
    loop_.run_until_idle();
  }
  void set_pool(const std::string& cidr, EncapMode ipip, EncapMode vxlan, bool disabled = false) {
    model::IpPool& pool = source_.all[cidr];
    pool.metadata.name = cidr;
    pool.spec.cidr = IpPrefix::parse(cidr).value();
    pool.spec.ipip_mode = ipip;
    pool.spec.vxlan_mode = vxlan;
    pool.spec.disabled = disabled;
    look();
  }
  void look() {
    if (addresses_ == nullptr) return;
    addresses_->look();
    loop_.run_until_idle();
  }
  void take(const std::string& patch, Callback<void(Status)> done) {
    ++patches_;
    if (is_away_) return loop_.post([done = std::move(done)]() mutable { done(Error{ErrorCode::kUnavailable, "x"}); });
    const auto body = json::parse(patch);
    for (const auto& [key, value] : *body->find("metadata")->find("annotations")->as_object()) {
      if (value.is_null()) {
        node_.metadata.annotations.erase(key);
      } else {
        node_.metadata.annotations.set(key, *value.as_string());
      }
    }
    loop_.post([this, done = std::move(done)]() mutable {
      done(ok_status());
      show_node();
    });
  }
  void show_node() {
    node_.metadata.resource_version = std::to_string(++version_);
    addresses_->set_node(std::make_shared<const model::Node>(node_));
  }
  std::string note(const std::string& name) {
    return std::string(node_.metadata.annotations.find("projectcalico.org/" + name).value_or("-"));
  }

  loop::SimLoop loop_;
  FakeSource source_;
  model::Node node_;
  int version_ = 0, patches_ = 0;
  bool is_away_ = false;
  bool has_device_ = true;
  std::unique_ptr<TunnelAddresses> addresses_;
};

TEST_F(TunnelAddressesTest, EachKindThatAPoolUsesHasOne) {
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  set_pool("10.2.0.0/16", EncapMode::kNever, EncapMode::kCrossSubnet);
  set_pool("fd00::/64", EncapMode::kNever, EncapMode::kAlways);
  start();
  EXPECT_EQ(source_.holdings.size(), 3U);
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), source_.holdings[kIpipHandle].to_string());
  EXPECT_EQ(note("IPv4VXLANTunnelAddr"), source_.holdings[kVxlanHandle].to_string());
  EXPECT_EQ(note("IPv6VXLANTunnelAddr"), source_.holdings["vxlan-v6-tunnel-addr-a"].to_string());
  EXPECT_TRUE(note("IPv4VXLANTunnelAddr").starts_with("10.2."));
  EXPECT_EQ(note("VXLANTunnelMACAddr"), ipip::mac_of_name("a", IpFamily::kV4).to_string());
  EXPECT_EQ(note("VXLANTunnelMACAddrV6"), ipip::mac_of_name("a", IpFamily::kV6).to_string());
  EXPECT_EQ(source_.last.attributes.find("node"), "a");
  EXPECT_EQ(source_.last.attributes.find("type"), "vxlanV6TunnelAddress");
  const int before = patches_;
  look();
  EXPECT_EQ(patches_, before);
  EXPECT_EQ(source_.assigned, 3);
}

TEST_F(TunnelAddressesTest, NothingIsDoneBeforeWhatIsHeldIsKnown) {
  source_.ready = false;
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_EQ(source_.assigned, 0);
  source_.ready = true;
  source_.holdings[kIpipHandle] = address_of("10.1.0.77");
  look();
  EXPECT_EQ(source_.assigned, 0);
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), "10.1.0.77") << "of an earlier life, or of Calico";
}

TEST_F(TunnelAddressesTest, OthersAreToldOnceTheDeviceIsThere) {
  has_device_ = false;
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_TRUE(source_.holdings.contains(kIpipHandle));
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), "-");
  has_device_ = true;
  look();
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), source_.holdings[kIpipHandle].to_string());
  has_device_ = false;
  look();
  EXPECT_NE(note("IPv4IPIPTunnelAddr"), "-") << "a device that blinks is told to nobody";
}

TEST_F(TunnelAddressesTest, TheAddressThatOthersKnowIsAskedForFirst) {
  node_.metadata.annotations.set("projectcalico.org/IPv4IPIPTunnelAddr", "10.1.0.50");
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_EQ(source_.holdings[kIpipHandle], address_of("10.1.0.50"));
  EXPECT_EQ(patches_, 0);
}

TEST_F(TunnelAddressesTest, IfItIsSomebodyElsesAnotherWillDo) {
  source_.taken = address_of("10.1.0.50");
  node_.metadata.annotations.set("projectcalico.org/IPv4IPIPTunnelAddr", "10.1.0.50");
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_EQ(source_.assigned, 2);
  EXPECT_NE(note("IPv4IPIPTunnelAddr"), "10.1.0.50");
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), source_.holdings[kIpipHandle].to_string());
}

TEST_F(TunnelAddressesTest, APoolThatIsDisabledGivesItsAddressUpWhereThereIsAnother) {
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  const std::string first = note("IPv4IPIPTunnelAddr");
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever, true);
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), first) << "no other";
  EXPECT_EQ(source_.released, 0);
  set_pool("10.3.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  EXPECT_EQ(source_.released, 1);
  EXPECT_TRUE(note("IPv4IPIPTunnelAddr").starts_with("10.3.")) << note("IPv4IPIPTunnelAddr");
}

TEST_F(TunnelAddressesTest, WhatNoPoolWantsIsReleasedAfterAWhileTheAnnotationFirst) {
  set_pool("10.1.0.0/16", EncapMode::kNever, EncapMode::kAlways);
  start();
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  EXPECT_NE(note("IPv4IPIPTunnelAddr"), "-");
  loop_.advance(minutes(5) - seconds(1));
  EXPECT_NE(note("IPv4VXLANTunnelAddr"), "-");
  EXPECT_TRUE(source_.holdings.contains(kVxlanHandle));
  is_away_ = true;
  loop_.advance(seconds(2));
  EXPECT_TRUE(source_.holdings.contains(kVxlanHandle)) << "still told";
  is_away_ = false;
  loop_.advance(seconds(5));
  EXPECT_EQ(note("IPv4VXLANTunnelAddr"), "-");
  EXPECT_EQ(note("VXLANTunnelMACAddr"), "-");
  EXPECT_FALSE(source_.holdings.contains(kVxlanHandle));
  EXPECT_TRUE(source_.holdings.contains(kIpipHandle));
}

TEST_F(TunnelAddressesTest, WantedAgainInTimeItStays) {
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  const std::string first = note("IPv4IPIPTunnelAddr");
  set_pool("10.1.0.0/16", EncapMode::kNever, EncapMode::kNever);
  loop_.advance(minutes(4));
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  loop_.advance(minutes(10));
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), first);
  EXPECT_EQ(source_.released, 0);
}

TEST_F(TunnelAddressesTest, AFullPoolIsToldAndAskedAgainLessAndLessOften) {
  source_.is_full = true;
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_EQ(addresses_->problems().at(kIpipHandle), "all are taken");
  const int before = source_.assigned;
  loop_.advance(seconds(64));
  EXPECT_GE(source_.assigned, before + 4);
  EXPECT_LE(source_.assigned, before + 8);
  source_.is_full = false;
  loop_.advance(seconds(61));
  EXPECT_TRUE(addresses_->problems().empty());
  EXPECT_NE(note("IPv4IPIPTunnelAddr"), "-");
}

TEST_F(TunnelAddressesTest, AReleaseThatFailsIsTriedAgain) {
  source_.holdings[kIpipHandle] = address_of("10.1.0.7");
  start();
  source_.is_full = true;
  loop_.advance(minutes(5) + seconds(1));
  const int before = source_.released;
  EXPECT_GE(before, 1);
  EXPECT_LE(before, 3);
  source_.is_full = false;
  loop_.advance(seconds(61));
  EXPECT_TRUE(source_.holdings.empty());
}

TEST_F(TunnelAddressesTest, AServerThatIsAwayIsTriedAgain) {
  is_away_ = true;
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  start();
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), "-");
  loop_.advance(seconds(10));
  EXPECT_LE(patches_, 6);
  is_away_ = false;
  loop_.advance(seconds(3));
  EXPECT_EQ(note("IPv4IPIPTunnelAddr"), source_.holdings[kIpipHandle].to_string());
}

TEST_F(TunnelAddressesTest, PoolsOfOtherNodesGiveNothing) {
  set_pool("10.1.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  source_.all["10.1.0.0/16"].spec.node_selector = "rack == 'b'";
  set_pool("10.2.0.0/16", EncapMode::kAlways, EncapMode::kNever);
  source_.all["10.2.0.0/16"].spec.allowed_uses = {model::IpPoolUse::kWorkload};
  start();
  EXPECT_EQ(source_.assigned, 0);
}

}  // namespace
}  // namespace margay::agent
