#include "base/ip/ids.h"

#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>

#include "base/ip/asn.h"
#include "base/ip/mac.h"
#include "base/ip/node_name.h"
#include "base/ip/port.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

static_assert(!std::is_convertible_v<int, IfIndex>);
static_assert(!std::is_convertible_v<IfIndex, RouteTableId>);
static_assert(!std::is_constructible_v<IfIndex, RouteTableId>);

TEST(Id, IsANumberOfItsOwnKind) {
  EXPECT_EQ(IfIndex::parse("12").value(), IfIndex(12));
  EXPECT_EQ(IfIndex(12).to_string(), "12");
  EXPECT_LT(IfIndex(2), IfIndex(10));
  for (const char* bad : {"", "-1", "4294967296", "1 ", "eth0"}) EXPECT_FALSE(IfIndex::parse(bad).ok()) << bad;
  EXPECT_NE(Port::parse("65536").error().message.find("0 to 65535"), std::string::npos);
}

TEST(Asn, ReadsAllNotationsOfRfc5396) {
  EXPECT_EQ(Asn::parse("65546").value(), Asn(65546));
  EXPECT_EQ(Asn::parse("1.10").value(), Asn(65546));
  EXPECT_EQ(Asn::parse("0.65526").value(), Asn(65526));
  EXPECT_EQ(Asn::parse("4294967295").value(), Asn(4294967295U));
  EXPECT_EQ(Asn::parse("65535.65535").value(), Asn(4294967295U));
  for (const char* bad : {"", ".", "1.", ".1", "1.65536", "65536.1", "1.2.3", "4294967296", "-1", "AS1", "1 ", "0x1"}) {
    EXPECT_FALSE(Asn::parse(bad).ok()) << bad;
  }
}

TEST(Asn, PrintsPlainAndDotted) {
  EXPECT_EQ(Asn(65546).to_string(), "65546");
  EXPECT_EQ(Asn(65546).to_asdot(), "1.10");
  EXPECT_EQ(Asn(65535).to_asdot(), "65535");
  EXPECT_EQ(Asn(4294967295U).to_asdot(), "65535.65535");
}

TEST(Asn, PrivateRangesOfRfc6996) {
  for (const std::uint32_t asn : {64512U, 65534U, 4200000000U, 4294967294U}) EXPECT_TRUE(Asn(asn).is_private());
  for (const std::uint32_t asn : {0U, 64511U, 65535U, 4199999999U, 4294967295U}) EXPECT_FALSE(Asn(asn).is_private());
  EXPECT_TRUE(Asn(65535).fits_two_octets());
  EXPECT_FALSE(Asn(65536).fits_two_octets());
}

TEST(RouterId, LooksLikeAnAddress) {
  EXPECT_EQ(RouterId::parse("192.0.2.1").value(), RouterId(0xc0000201));
  EXPECT_EQ(RouterId(0xc0000201).to_string(), "192.0.2.1");
  for (const char* bad : {"", "0.0.0.0", "1", "::1", "1.2.3.256"}) EXPECT_FALSE(RouterId::parse(bad).ok()) << bad;
}

TEST(Mac, ReadsColonsAndDashes) {
  const Mac mac = Mac::parse("0A:58:0a:00:00:1f").value();
  EXPECT_EQ(mac.to_string(), "0a:58:0a:00:00:1f");
  EXPECT_EQ(Mac::parse("0a-58-0a-00-00-1f").value(), mac);
  EXPECT_EQ(mac.value(), 0x0a580a00001fU);
  for (const char* bad : {"", "0a:58:0a:00:00", "0a:58:0a:00:00:1f:00", "0a:58:0a:00:0:1f", "0a:58:0a:00:00:1g",
                          "0a58.0a00.001f", "0a:58-0a:00:00:1f", "0a:58:0a:00:00:+1", "0a:58:0a:00:00: 1"}) {
    EXPECT_FALSE(Mac::parse(bad).ok()) << bad;
  }
}

TEST(Mac, KnowsItsKind) {
  EXPECT_TRUE(Mac::parse("ee:ee:ee:ee:ee:ee").value().is_locally_administered());
  EXPECT_FALSE(Mac::parse("ee:ee:ee:ee:ee:ee").value().is_multicast());
  EXPECT_TRUE(Mac::parse("01:00:5e:00:00:01").value().is_multicast());
  EXPECT_TRUE(Mac().is_zero());
}

TEST(NodeName, FollowsKubernetes) {
  const std::string part(63, 'a');
  const std::string longest = part + "." + part + "." + part + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  for (const std::string& good :
       {std::string("n"), std::string("node-1.example.com"), std::string("1"), longest, std::string(100, 'x')}) {
    EXPECT_EQ(NodeName::parse(good).value().value(), good);
  }
  for (const std::string& bad : {std::string(), std::string("Node"), std::string("-a"), std::string("a-"),
                                 std::string("a..b"), std::string(".a"), std::string("a."), std::string("a_b"),
                                 std::string("a b"), std::string("a.-b"), longest + "c", std::string("a\0b", 3)}) {
    EXPECT_FALSE(NodeName::parse(bad).ok()) << bad;
  }
}

TEST(NodeName, LabelIsOnePart) {
  EXPECT_TRUE(is_dns1123_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns1123_label(std::string(64, 'a')));
  EXPECT_FALSE(is_dns1123_label("a.b"));
  EXPECT_FALSE(is_dns1123_label(""));
}

TEST(PortRange, ReadsCalicosForm) {
  EXPECT_EQ(PortRange::parse("80").value(), PortRange(Port(80)));
  EXPECT_EQ(PortRange::parse("80").value().to_string(), "80");
  const PortRange range = PortRange::parse("8000:8100").value();
  EXPECT_EQ(range.to_string(), "8000:8100");
  EXPECT_TRUE(range.contains(Port(8000)));
  EXPECT_TRUE(range.contains(Port(8100)));
  EXPECT_FALSE(range.contains(Port(7999)));
  EXPECT_FALSE(range.contains(Port(8101)));
  EXPECT_EQ(PortRange::parse("0:65535").value(), PortRange::all());
  for (const char* bad : {"", ":", "80:", ":80", "80-90", "90:80", "65536", "80:65536", "-1", "1:2:3", "http"}) {
    EXPECT_FALSE(PortRange::parse(bad).ok()) << bad;
  }
  EXPECT_NE(PortRange::parse("90:80").error().message.find("ends before it begins"), std::string::npos);
}

TEST(AllKinds, GoIntoOrderedAndUnorderedSets) {
  EXPECT_EQ((std::set<Port>{Port(2), Port(1), Port(2)}.size()), 2U);
  EXPECT_EQ((std::unordered_set<Asn>{Asn(2), Asn(1), Asn(2)}.size()), 2U);
  EXPECT_EQ((std::unordered_set<Mac>{Mac(), Mac()}.size()), 1U);
  EXPECT_EQ((std::unordered_set<RouterId>{RouterId(1), RouterId(2)}.size()), 2U);
  EXPECT_EQ((std::unordered_set<IfIndex>{IfIndex(1), IfIndex(2)}.size()), 2U);
  EXPECT_EQ((std::unordered_set<PortRange>{PortRange(Port(1)), PortRange::all()}.size()), 2U);
  EXPECT_EQ((std::unordered_set<NodeName>{NodeName::parse("a").value(), NodeName::parse("b").value()}.size()), 2U);
}

}  // namespace
}  // namespace margay
