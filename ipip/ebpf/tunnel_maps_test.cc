#include "ipip/ebpf/tunnel_maps.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "ipip/ebpf/test_values.h"

namespace margay::ipip {
namespace {

// Maps in memory that write down what is done to them, in order.
class NotingMap final : public bpf::RawMap {
 public:
  NotingMap(std::string name, std::size_t key_bytes, std::vector<std::string>& notes)
      : name_(std::move(name)), key_bytes_(key_bytes), notes_(notes) {}
  Status put(bpf::ByteView keys, bpf::ByteView values, std::uint32_t count) override {
    notes_.push_back(concat("+", name_, " ", count));
    const std::size_t value_bytes = values.size() / count;
    for (std::size_t i = 0; i < count; ++i)
      elements_[text(keys.subspan(i * key_bytes_, key_bytes_))] = text(values.subspan(i * value_bytes, value_bytes));
    return ok_status();
  }
  Status remove(bpf::ByteView key) override {
    notes_.push_back(concat("-", name_));
    elements_.erase(text(key));
    return ok_status();
  }
  Status walk(const std::function<void(bpf::ByteView, bpf::ByteView)>& visit) override {
    for (const auto& [key, value] : elements_) visit(std::as_bytes(std::span(key)), std::as_bytes(std::span(value)));
    return ok_status();
  }
  [[nodiscard]] std::size_t size() const { return elements_.size(); }

 private:
  static std::string text(bpf::ByteView bytes) {
    std::string out(bytes.size(), '\0');
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
  std::string name_;
  std::size_t key_bytes_;
  std::vector<std::string>& notes_;
  std::map<std::string, std::string> elements_;
};

class TunnelMapsTest : public testing::Test {
 protected:
  std::vector<std::string> notes_;
  NotingMap routes_{"routes", sizeof(RouteKey), notes_}, senders_{"senders", 4, notes_};
  NotingMap addresses_{"addresses", 4, notes_}, config_{"config", 4, notes_};
  TunnelMaps maps_{{routes_, senders_, addresses_, config_}};

  std::vector<std::string> apply() {
    notes_.clear();
    std::size_t count = 0;
    EXPECT_TRUE(maps_.apply_updates(count).ok());
    EXPECT_TRUE(maps_.apply_removes(count).ok());
    EXPECT_TRUE(maps_.is_in_sync());
    return notes_;
  }
  // The prefix as the kernel has it: "own", a node, or "".
  std::string route(std::string_view prefix) {
    std::string out;
    EXPECT_TRUE(routes_
                    .walk([&](bpf::ByteView key, bpf::ByteView value) {
                      RouteKey raw_key{};
                      RouteValue raw_value{};
                      std::memcpy(&raw_key, key.data(), sizeof(raw_key));
                      std::memcpy(&raw_value, value.data(), sizeof(raw_value));
                      const auto found = RouteCodec::read(raw_key, raw_value);
                      if (found->first == net(prefix)) out = found->second ? found->second->to_string() : "own";
                    })
                    .ok());
    return out;
  }
};

TEST_F(TunnelMapsTest, AdditionsAndRemovalsGoInTheSafeOrder) {
  maps_.set_remotes({{net("10.0.1.0/26"), ip("192.0.2.1")}, {net("10.0.2.0/26"), ip("192.0.2.2")}});
  maps_.set_addresses(ip("192.0.2.9"), {ip("192.0.2.9")});
  maps_.set_senders({ip("192.0.2.1"), ip("192.0.2.2")});
  EXPECT_EQ(apply(), (std::vector<std::string>{"+senders 2", "+addresses 1", "+config 1", "+routes 2"}));
  maps_.set_senders({});
  maps_.set_remotes({});
  maps_.set_addresses(std::nullopt, {});
  EXPECT_EQ(apply(),
            (std::vector<std::string>{"+config 1", "-routes", "-routes", "-addresses", "-senders", "-senders"}));
}

TEST_F(TunnelMapsTest, ABorrowedAddressIsItsNodes) {
  maps_.set_own_prefixes({net("10.0.1.0/26"), net("10.0.1.5/32")});
  maps_.set_remote(net("10.0.1.5/32"), ip("192.0.2.2"));
  apply();
  EXPECT_EQ(route("10.0.1.0/26"), "own");
  EXPECT_EQ(route("10.0.1.5/32"), "192.0.2.2");
  maps_.set_remote(net("10.0.1.5/32"), std::nullopt);
  apply();
  EXPECT_EQ(route("10.0.1.5/32"), "own");
  maps_.set_own_prefixes({});
  apply();
  EXPECT_EQ(routes_.size(), 0U);
}

TEST_F(TunnelMapsTest, OneChangeIsOneElement) {
  std::map<IpPrefix, IpAddress> remotes;
  for (std::uint32_t i = 0; i < 5000; ++i)
    remotes.emplace(IpPrefix::containing(IpAddress::v4(0x0a000000U + (i << 6U)), 26), IpAddress::v4(0xac100000U + i));
  maps_.set_remotes(remotes);
  apply();
  EXPECT_EQ(routes_.size(), 5000U);
  remotes.begin()->second = ip("192.0.2.7");
  maps_.set_remotes(remotes);
  EXPECT_EQ(apply(), std::vector<std::string>{"+routes 1"});
}

TEST_F(TunnelMapsTest, WhatIsNotIpv4IsPassedOver) {
  maps_.set_remote(net("2001:db8::/64"), ip("2001:db8::1"));
  maps_.set_remote(net("10.0.1.0/26"), ip("2001:db8::1"));
  maps_.set_own_prefixes({net("2001:db8:1::/64")});
  maps_.set_senders({ip("2001:db8::1")});
  maps_.set_addresses(ip("2001:db8::9"), {ip("2001:db8::9")});
  EXPECT_EQ(apply(), std::vector<std::string>{"+config 1"});
}

TEST_F(TunnelMapsTest, TakesOverWhatIsThere) {
  maps_.set_remotes({{net("10.0.1.0/26"), ip("192.0.2.1")}, {net("10.0.2.0/26"), ip("192.0.2.2")}});
  maps_.set_senders({ip("192.0.2.1")});
  apply();
  TunnelMaps next({routes_, senders_, addresses_, config_});
  next.set_remotes({{net("10.0.1.0/26"), ip("192.0.2.1")}});
  next.set_senders({ip("192.0.2.1")});
  ASSERT_TRUE(next.resync().ok());
  notes_.clear();
  std::size_t updated = 0, removed = 0;
  ASSERT_TRUE(next.apply_updates(updated).ok());
  ASSERT_TRUE(next.apply_removes(removed).ok());
  EXPECT_EQ(notes_, std::vector<std::string>{"-routes"});
}

}  // namespace
}  // namespace margay::ipip
