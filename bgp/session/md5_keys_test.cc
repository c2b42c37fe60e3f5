#include "bgp/session/md5_keys.h"

#include <gmock/gmock.h>

#include "base/core/random.h"

namespace margay::bgp::session {
namespace {

using Peers = std::map<IpPrefix, PeerSocketOptions>;

IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

PeerSocketOptions with(std::string password) {
  PeerSocketOptions options;
  options.password = std::move(password);
  return options;
}

// What the kernel asks a peer for: the key of the longest prefix.
std::string asked(const std::map<IpPrefix, ListenerKey>& keys, const IpAddress& peer) {
  for (int length = address_bits(peer.family()); length >= 0; --length) {
    const auto found = keys.find(IpPrefix::containing(peer, length));
    if (found != keys.end()) return found->second.password;
  }
  return {};
}

TEST(ListenerKeys, WithoutExceptionsARangeIsOneKey) {
  const Peers peers{{net("10.0.0.0/24"), with("range")}, {net("10.0.0.7/32"), with("own")}};
  const auto keys = listener_keys(peers);
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.at(net("10.0.0.0/24")), (ListenerKey{"range", net("10.0.0.0/24")}));
}

TEST(ListenerKeys, ARangeIsSplitAroundAPeerWithoutPassword) {
  const auto keys = listener_keys({{net("10.0.0.0/29"), with("range")}, {net("10.0.0.2/32"), {}}});
  std::vector<std::string> prefixes;
  for (const auto& [prefix, key] : keys) {
    prefixes.push_back(prefix.to_string());
    EXPECT_EQ(key.peers, net("10.0.0.0/29")) << "so that a failure is told of what was configured";
  }
  EXPECT_THAT(prefixes, testing::ElementsAre("10.0.0.0/31", "10.0.0.3/32", "10.0.0.4/30"));
}

TEST(ListenerKeys, TheWholeRangeWithoutOneNeedsNone) {
  EXPECT_TRUE(listener_keys({{net("fd00::/64"), {}}, {net("fd00::1/128"), {}}}).empty());
}

TEST(ListenerKeys, OnePeerInAnIpv6RangeCostsAKeyForEachBit) {
  EXPECT_EQ(listener_keys({{net("fd00::/64"), with("range")}, {net("fd00::1/128"), {}}}).size(), 64U);
}

// Against the rule itself: of the configured prefixes around a peer the longest says.
TEST(ListenerKeys, EveryPeerIsAskedForItsOwn) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Peers peers;
    for (std::uint64_t i = random.below(8); i > 0; --i) {
      const auto address = IpAddress::v4(0x0a000000 + static_cast<std::uint32_t>(random.below(64)));
      const auto prefix = IpPrefix::containing(address, 26 + static_cast<int>(random.below(7)));
      peers[prefix] = with(random.below(2) == 0 ? "" : "of " + prefix.to_string());
    }
    const auto keys = listener_keys(peers);
    for (std::uint32_t i = 0; i < 64; ++i) {
      const IpAddress peer = IpAddress::v4(0x0a000000 + i);
      std::string expected;
      for (const auto& [prefix, options] : peers) {  // shorter ones come first
        if (prefix.contains(peer)) expected = options.password;
      }
      EXPECT_EQ(asked(keys, peer), expected) << peer.to_string();
    }
  }
}

}  // namespace
}  // namespace margay::bgp::session
