#include "base/ip/prefix.h"

#include <unordered_set>

#include "base/core/random.h"
#include "base/ip/test_values.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

using test::address;
using test::prefix;

TEST(IpPrefix, PrintsWhatItReads) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"}) {
    EXPECT_EQ(prefix(text).to_string(), text);
  }
  EXPECT_EQ(prefix("2001:DB8:0::/48").to_string(), "2001:db8::/48");
}

struct BadPrefix {
  const char* text;
  const char* reason;
};

TEST(IpPrefix, RefusesWhatIsNoPrefixAndSaysWhy) {
  constexpr BadPrefix kBad[] = {
      {"", "ADDRESS/LENGTH"},
      {"10.0.0.0", "ADDRESS/LENGTH"},
      {"10.0.0.0/", "0 to 32"},
      {"10.0.0.0/33", "0 to 32"},
      {"10.0.0.0/-1", "0 to 32"},
      {"10.0.0.0/08", "0 to 32"},
      {"10.0.0.0/8/8", "0 to 32"},
      {"10.0.0.0/ 8", "0 to 32"},
      {"10.0.0.0/255.0.0.0", "0 to 32"},
      {"10.0.0.0/4294967304", "0 to 32"},
      {"::/129", "0 to 128"},
      {"10.0.0/8", "four numbers"},
      {"/8", "four numbers"},
      {"10.1.2.3/8", "it lies in 10.0.0.0/8"},
      {"2001:db8::1/64", "it lies in 2001:db8::/64"},
  };
  for (const BadPrefix& c : kBad) {
    const Result<IpPrefix> result = IpPrefix::parse(c.text);
    ASSERT_FALSE(result.ok()) << c.text;
    EXPECT_NE(result.error().message.find(c.reason), std::string::npos) << c.text << ": " << result.error().message;
  }
}

TEST(IpPrefix, HostBitsAreAnErrorOrDroppedAsAsked) {
  EXPECT_FALSE(IpPrefix::exact(address("10.1.2.3"), 8).ok());
  EXPECT_FALSE(IpPrefix::exact(address("10.0.0.0"), 33).ok());
  EXPECT_FALSE(IpPrefix::exact(address("10.0.0.0"), -1).ok());
  EXPECT_EQ(IpPrefix::exact(address("10.0.0.0"), 8).value(), prefix("10.0.0.0/8"));
  EXPECT_EQ(IpPrefix::containing(address("10.1.2.3"), 8), prefix("10.0.0.0/8"));
  EXPECT_EQ(IpPrefix::parse_containing("10.1.2.3/8").value(), prefix("10.0.0.0/8"));
  EXPECT_FALSE(IpPrefix::parse_containing("10.1.2.3").ok());
}

TEST(IpPrefix, AddressAloneMeansItself) {
  EXPECT_EQ(IpPrefix::parse_cidr_or_address("10.1.2.3").value(), prefix("10.1.2.3/32"));
  EXPECT_EQ(IpPrefix::parse_cidr_or_address("fd00::1").value(), prefix("fd00::1/128"));
  EXPECT_EQ(IpPrefix::parse_cidr_or_address("10.0.0.0/8").value(), prefix("10.0.0.0/8"));
  EXPECT_FALSE(IpPrefix::parse_cidr_or_address("10.1.2.3/8").ok());
  EXPECT_FALSE(IpPrefix::parse_cidr_or_address("pool").ok());
}

TEST(IpPrefix, LengthOutOfRangeIsOurMistake) {
  EXPECT_DEATH((void)IpPrefix::containing(IpAddress(), 33), "check failed");
}

TEST(IpPrefix, FirstAndLast) {
  EXPECT_EQ(prefix("10.0.0.64/26").first(), address("10.0.0.64"));
  EXPECT_EQ(prefix("10.0.0.64/26").last(), address("10.0.0.127"));
  EXPECT_EQ(prefix("0.0.0.0/0").last(), address("255.255.255.255"));
  EXPECT_EQ(prefix("10.0.0.1/32").last(), address("10.0.0.1"));
  EXPECT_EQ(prefix("fd00::/62").last(), address("fd00:0:0:3:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(prefix("::/0").last(), address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_TRUE(prefix("::1/128").is_host());
  EXPECT_FALSE(prefix("::/32").is_host());
}

TEST(IpPrefix, ContainmentStaysWithinTheFamily) {
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(address("10.255.0.1")));
  EXPECT_FALSE(prefix("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::")));
  EXPECT_FALSE(prefix("::/0").contains(address("0.0.0.0")));
  EXPECT_FALSE(prefix("::/0").contains(prefix("0.0.0.0/0")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/9")));
  EXPECT_FALSE(prefix("10.0.0.0/9").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.0.0.0/9").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.0.0.0/9").overlaps(prefix("10.128.0.0/9")));
  EXPECT_FALSE(prefix("::/0").overlaps(prefix("0.0.0.0/0")));
}

TEST(IpPrefix, CommonIsTheSmallestAround) {
  EXPECT_EQ(prefix("10.0.0.0/26").common(prefix("10.0.0.64/26")), prefix("10.0.0.0/25"));
  EXPECT_EQ(prefix("10.0.0.0/8").common(prefix("10.0.0.0/24")), prefix("10.0.0.0/8"));
  EXPECT_EQ(prefix("0.0.0.0/1").common(prefix("128.0.0.0/1")), prefix("0.0.0.0/0"));
}

TEST(IpPrefix, OrderIsAddressThenShorterFirst) {
  const char* ordered[] = {"0.0.0.0/0", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.1/32", "10.128.0.0/9", "::/0"};
  for (std::size_t i = 1; i < std::size(ordered); ++i) EXPECT_LT(prefix(ordered[i - 1]), prefix(ordered[i]));
}

TEST(IpPrefix, HashDiffersByLength) {
  std::unordered_set<std::size_t> hashes;
  for (int length = 0; length <= 32; ++length) {
    hashes.insert(std::hash<IpPrefix>()(IpPrefix::containing(IpAddress(), length)));
  }
  EXPECT_EQ(hashes.size(), 33U);
}

// Containment by its definition: between first and last.
TEST(IpPrefix, AgreesWithArithmetic) {
  SeededRandom random(11);
  for (int i = 0; i < 20'000; ++i) {
    const bool is_v4 = random.below(2) == 0;
    const auto make = [&] {
      return is_v4 ? IpAddress::v4(static_cast<std::uint32_t>(random.next() & 0x0300000fU))
                   : IpAddress::v6(random.next() & 0x3, random.next() & 0xc00000000000000fU);
    };
    const int bits = is_v4 ? 32 : 128;
    const auto length = [&] { return static_cast<int>(random.below(static_cast<std::uint64_t>(bits) + 1)); };
    const IpPrefix a = IpPrefix::containing(make(), length());
    const IpPrefix b = IpPrefix::containing(make(), length());
    const IpAddress x = make();
    EXPECT_EQ(a.contains(x), a.first() <= x && x <= a.last());
    EXPECT_EQ(a.contains(b), a.first() <= b.first() && b.last() <= a.last());
    EXPECT_EQ(a.overlaps(b), a.first() <= b.last() && b.first() <= a.last());
    EXPECT_TRUE(a.common(b).contains(a) && a.common(b).contains(b));
    EXPECT_EQ(IpPrefix::parse(a.to_string()).value(), a);
  }
}

TEST(InterfaceAddress, KeepsTheAddress) {
  const InterfaceAddress found = InterfaceAddress::parse("10.1.2.3/24").value();
  EXPECT_EQ(found.address, address("10.1.2.3"));
  EXPECT_EQ(found.prefix(), prefix("10.1.2.0/24"));
  EXPECT_EQ(found.to_string(), "10.1.2.3/24");
  EXPECT_EQ(InterfaceAddress::parse("fd00::1").value().length, 128);
  EXPECT_FALSE(InterfaceAddress::parse("10.1.2.3/33").ok());
}

}  // namespace
}  // namespace margay
