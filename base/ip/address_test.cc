#include "base/ip/address.h"

#include <string>
#include <unordered_set>

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

struct Case {
  const char* why;
  const char* text;
  const char* printed;
};

constexpr Case kGood[] = {
    {"v4", "192.0.2.1", "192.0.2.1"},
    {"v4 ends of range", "0.255.0.255", "0.255.0.255"},
    {"all zero", "::", "::"},
    {"loopback", "::1", "::1"},
    {"gap at the end", "fe80::", "fe80::"},
    {"no gap", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"RFC 5952 §4.1: no leading zeros", "2001:0db8::0001", "2001:db8::1"},
    {"RFC 5952 §4.2.1: as short as possible", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"RFC 5952 §4.2.2: one group is not shortened", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"RFC 5952 §4.2.3: longest run", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"RFC 5952 §4.2.3: first of equals", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"RFC 5952 §4.3: lower case", "2001:DB8::ABCD", "2001:db8::abcd"},
    {"run at the end", "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    {"run at the start", "0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
    {"gap for a single group", "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"gap for a single group at the end", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"RFC 5952 §5: mapped", "::ffff:c000:201", "::ffff:192.0.2.1"},
    {"mapped, read in dots", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    {"other embedded v4 is printed in groups", "64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"embedded v4 without gap", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"largest", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

TEST(IpAddress, ReadsAllFormsAndPrintsOne) {
  for (const Case& c : kGood) {
    const Result<IpAddress> address = IpAddress::parse(c.text);
    ASSERT_TRUE(address.ok()) << c.why << ": " << address.error().message;
    EXPECT_EQ(address->to_string(), c.printed) << c.why;
    EXPECT_EQ(IpAddress::parse(c.printed).value(), *address) << c.why;
  }
}

struct BadAddress {
  const char* text;
  const char* reason;  // must be part of the message
};

constexpr BadAddress kBadAddresses[] = {
    {"", "four numbers"},
    {"1.2.3", "four numbers"},
    {"1.2.3.4.5", "four numbers"},
    {"1.2.3.256", "\"256\""},
    {"1.2.3.-1", "\"-1\""},
    {"1.2.3.04", "leading zeros"},
    {"1.2..4", "\"\" is not a number"},
    {"1.2.3.4 ", "\"4 \""},
    {" 1.2.3.4", "\" 1\""},
    {"1.2.3.4/32", "\"4/32\""},
    {"0x1.2.3.4", "\"0x1\""},
    {"1.2.3.1111111111111", "is not a number"},
    {"localhost", "four numbers"},
    {":", "group \"\""},
    {":::", "only once"},
    {"1::2::3", "only once"},
    {"1:2:3:4:5:6:7", "found 7 groups, expected 8"},
    {"1:2:3:4:5:6:7:8:9", "found 9 groups, expected 8"},
    {"1:2:3:4::5:6:7:8", "at most 7"},
    {"12345::", "\"12345\""},
    {"g::", "\"g\""},
    {"1:2:3:4:5:6:7:", "group \"\""},
    {":1:2:3:4:5:6:7", "group \"\""},
    {"1.2.3.4::", "\"1.2.3.4\""},
    {"::1.2.3", "four numbers"},
    {"::1.2.3.400", "\"400\""},
    {"1:2:3:4:5:6:7:1.2.3.4", "found 9 groups"},
    {"fe80::1%eth0", "zone"},
    {"[::1]", "group \"[\""},
    {"::-1", "\"-1\""},
    {"::+1", "\"+1\""},
    {"::0x1", "\"0x1\""},
};

TEST(IpAddress, RefusesEverythingElseAndSaysWhy) {
  for (const BadAddress& c : kBadAddresses) {
    const Result<IpAddress> address = IpAddress::parse(c.text);
    ASSERT_FALSE(address.ok()) << c.text;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalid);
    EXPECT_NE(address.error().message.find(c.reason), std::string::npos) << c.text << ": " << address.error().message;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)).ok());
  EXPECT_FALSE(IpAddress::parse(std::string(100'000, ':')).ok());
}

TEST(IpAddress, PrintedTextReadsBackTheSame) {
  SeededRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto v4 = IpAddress::v4(static_cast<std::uint32_t>(random.next()));
    EXPECT_EQ(IpAddress::parse(v4.to_string()).value(), v4);
    // Masks make runs of zero groups likely.
    const IpAddress v6 =
        IpAddress::v6(random.next() & random.next() & 0xffff0000ffff00ffU, random.next() & random.next());
    EXPECT_EQ(IpAddress::parse(v6.to_string()).value(), v6) << v6.to_string();
  }
}

TEST(IpAddress, MappedStaysIpv6UntilUnmapped) {
  const IpAddress mapped = IpAddress::parse("::ffff:192.0.2.1").value();
  EXPECT_TRUE(mapped.is_v6());
  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_NE(mapped, IpAddress::parse("192.0.2.1").value());
  EXPECT_EQ(mapped.unmapped(), IpAddress::v4(0xc0000201));
  const IpAddress other = IpAddress::parse("::1").value();
  EXPECT_FALSE(other.is_v4_mapped());
  EXPECT_EQ(other.unmapped(), other);
}

TEST(IpAddress, BytesAreInNetworkOrder) {
  const IpAddress v4 = IpAddress::parse("1.2.3.4").value();
  EXPECT_EQ(v4.size_bytes(), 4U);
  EXPECT_EQ(v4.bytes()[0], 1);
  EXPECT_EQ(v4.bytes()[3], 4);
  const IpAddress v6 = IpAddress::parse("102:304::f10").value();
  const auto bytes = v6.bytes();
  EXPECT_EQ(bytes[3], 4);
  EXPECT_EQ(bytes[14], 0x0f);
  EXPECT_EQ(IpAddress::from_bytes(bytes), v6);
  EXPECT_EQ(IpAddress::from_bytes(std::span(bytes).first(4)), v4);
  EXPECT_EQ(IpAddress::from_bytes(std::span(bytes).first(5)), std::nullopt);
  EXPECT_EQ(IpAddress::from_bytes({}), std::nullopt);
}

TEST(IpAddress, OrderIsFamilyThenNumber) {
  const char* ordered[] = {"0.0.0.0", "9.0.0.0", "10.0.0.0", "255.255.255.255", "::", "::1", "1::", "ff00::"};
  for (std::size_t i = 1; i < std::size(ordered); ++i) {
    EXPECT_LT(IpAddress::parse(ordered[i - 1]).value(), IpAddress::parse(ordered[i]).value());
  }
}

TEST(IpAddress, KnowsItsKind) {
  const auto at = [](const char* text) { return IpAddress::parse(text).value(); };
  EXPECT_TRUE(at("127.3.2.1").is_loopback());
  EXPECT_TRUE(at("::1").is_loopback());
  EXPECT_FALSE(at("::2").is_loopback());
  EXPECT_FALSE(at("128.0.0.1").is_loopback());
  EXPECT_TRUE(at("169.254.1.1").is_link_local());
  EXPECT_FALSE(at("169.255.1.1").is_link_local());
  EXPECT_TRUE(at("febf::1").is_link_local());
  EXPECT_FALSE(at("fec0::1").is_link_local());
  EXPECT_TRUE(at("239.1.1.1").is_multicast());
  EXPECT_FALSE(at("240.0.0.0").is_multicast());
  EXPECT_TRUE(at("ff02::1").is_multicast());
  EXPECT_TRUE(at("0.0.0.0").is_unspecified());
  EXPECT_TRUE(at("::").is_unspecified());
  EXPECT_FALSE(at("::ffff:0.0.0.0").is_unspecified());
}

TEST(IpAddress, CountsWithinItsFamily) {
  const auto at = [](const char* text) { return IpAddress::parse(text).value(); };
  EXPECT_EQ(at("10.0.0.255").plus(1), at("10.0.1.0"));
  EXPECT_EQ(at("255.255.255.255").plus(0), at("255.255.255.255"));
  EXPECT_EQ(at("255.255.255.255").plus(1), std::nullopt);
  EXPECT_EQ(at("0.0.0.0").plus(UINT64_MAX), std::nullopt);
  EXPECT_EQ(at("::ffff:ffff:ffff:ffff").plus(1), at("0:0:0:1::"));
  EXPECT_EQ(at("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1), std::nullopt);
  EXPECT_EQ(at("10.0.1.0").offset_from(at("10.0.0.0")), 256U);
  EXPECT_EQ(at("10.0.0.0").offset_from(at("10.0.1.0")), std::nullopt);
  EXPECT_EQ(at("::1").offset_from(at("0.0.0.0")), std::nullopt);
  EXPECT_EQ(at("0:0:0:1::1").offset_from(at("::ffff:ffff:ffff:ffff")), 2U);
  EXPECT_EQ(at("0:0:0:1::1").offset_from(at("::")), std::nullopt);
  EXPECT_EQ(at("0:0:0:2::").offset_from(at("::ffff:ffff:ffff:ffff")), std::nullopt);
}

TEST(IpAddress, HashTellsFamiliesAndNeighboursApart) {
  std::unordered_set<std::size_t> hashes;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    hashes.insert(std::hash<IpAddress>()(IpAddress::v4(i)));
    hashes.insert(std::hash<IpAddress>()(IpAddress::v6(std::uint64_t{i} << 32, 0)));
  }
  EXPECT_EQ(hashes.size(), 2000U);
}

}  // namespace
}  // namespace margay
