// UPDATE: golden bytes in both directions, packing, next hops, add-path, End-of-RIB, old speakers.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/nlri_codec.h"
#include "bgp/wire/test_bytes.h"

namespace margay::bgp {
namespace {

using bytes::view_of;
using test::hex;
using test::kV4;
using test::kV6;
using test::to_hex;
using test::update;

Nlri nlri(std::string_view prefix, std::uint32_t path_id = 0) { return {*IpPrefix::parse(prefix), path_id}; }
NextHop next_hop(std::string_view address) { return {*IpAddress::parse(address), std::nullopt}; }

// From AS 65001, which is the first of the path.
DecodeContext external() {
  DecodeContext context;
  context.families = {true, true};
  context.peer_asn = Asn(65001);
  return context;
}

Update decoded(const std::string& message, const DecodeContext& context = external()) {
  Update update;
  const auto result = decode_update(view_of(message), context, update);
  EXPECT_TRUE(result.ok()) << result.error().what;
  return update;
}

std::string faults_of(const Update& update) {
  std::vector<std::string> texts;
  for (const Fault& fault : update.faults) texts.emplace_back(fault.what);
  return join(texts, "; ");
}

const char* const kOriginAndPath = "40 01 01 00  40 02 06 02 01 0000fde9";

TEST(DecodeUpdate, ClassicIpv4) {
  const Update got =
      decoded(update(hex("18 0a0001"), hex(concat(kOriginAndPath, "40 03 04 c0000201  80 04 04 00000064")),
                     hex("18 c63364  19 cb007180  00  20 c6336401")));
  EXPECT_EQ(faults_of(got), "");
  EXPECT_EQ(got.withdrawn[kV4], std::vector{nlri("10.0.1.0/24")});
  EXPECT_EQ(got.reach[kV4].next_hop, next_hop("192.0.2.1"));
  EXPECT_EQ(got.reach[kV4].nlri, (std::vector{nlri("198.51.100.0/24"), nlri("203.0.113.128/25"), nlri("0.0.0.0/0"),
                                              nlri("198.51.100.1/32")}));
  EXPECT_EQ(to_hex(got.attributes), to_hex(hex(concat(kOriginAndPath, "80 04 04 00000064"))));
}

TEST(DecodeUpdate, BitsAfterThePrefixAreDropped) {
  const Update got = decoded(update({}, hex(concat(kOriginAndPath, "40 03 04 c0000201")), hex("0c 0aff")));
  EXPECT_EQ(got.reach[kV4].nlri, std::vector{nlri("10.240.0.0/12")});
}

TEST(DecodeUpdate, Ipv6WithBothNextHops) {
  const Update got = decoded(
      update({},
             hex(concat("80 0e 2e 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00"
                        "40 20010db800010000",
                        kOriginAndPath)),
             {}));
  EXPECT_EQ(faults_of(got), "");
  EXPECT_EQ(got.reach[kV6].next_hop.address.to_string(), "2001:db8::1");
  ASSERT_TRUE(got.reach[kV6].next_hop.link_local);
  EXPECT_EQ(got.reach[kV6].next_hop.link_local->to_string(), "fe80::1");
  EXPECT_EQ(got.reach[kV6].nlri, std::vector{nlri("2001:db8:1::/64")});
  EXPECT_EQ(to_hex(got.attributes), to_hex(hex(kOriginAndPath)));
}

TEST(DecodeUpdate, LinkLocalPlacesOfRfc2545) {
  const struct {
    std::string_view bytes, address;
    bool has_link_local;
  } cases[] = {
      {"00000000000000000000000000000000 fe800000000000000000000000000001", "fe80::1", false},
      {"fe800000000000000000000000000001 fe800000000000000000000000000001", "fe80::1", false},
      {"20010db8000000000000000000000001 20010db8000000000000000000000002", "2001:db8::1", false},
      {"20010db8000000000000000000000001 fe800000000000000000000000000002", "2001:db8::1", true},
  };
  for (const auto& each : cases) {
    const Update got = decoded(update({}, hex(concat("80 0e 26 0002 01 20", each.bytes, "00 00", kOriginAndPath)), {}));
    EXPECT_EQ(got.reach[kV6].next_hop.address.to_string(), each.address);
    EXPECT_EQ(got.reach[kV6].next_hop.link_local.has_value(), each.has_link_local) << each.bytes;
  }
}

TEST(DecodeUpdate, Ipv4OverIpv6NextHopWhenAgreedOn) {
  const std::string message =
      update({}, hex(concat("80 0e 19 0001 01 10 20010db8000000000000000000000001 00 18 0a0001", kOriginAndPath)), {});
  DecodeContext context = external();
  context.extended_next_hop[kV4] = true;
  const Update got = decoded(message, context);
  EXPECT_EQ(got.reach[kV4].next_hop.address.to_string(), "2001:db8::1");
  EXPECT_EQ(got.reach[kV4].nlri, std::vector{nlri("10.0.1.0/24")});
  const Update refused = decoded(message);
  EXPECT_EQ(faults_of(refused), "MP_REACH_NLRI: IPv6 next hop was not agreed on");
  EXPECT_EQ(refused.withdrawn[kV4], std::vector{nlri("10.0.1.0/24")});
}

TEST(DecodeUpdate, PathIdentifiersEverywhere) {
  DecodeContext context = external();
  context.add_path = {true, true};
  const Update got =
      decoded(update(hex("00000007 18 0a0001"),
                     hex(concat("80 0e 1e 0002 01 10 20010db8000000000000000000000001 00 00000001 20 20010db8",
                                "80 0f 0c 0002 01 00000002 20 20010db9", kOriginAndPath, "40 03 04 c0000201")),
                     hex("ffffffff 08 0a")),
              context);
  EXPECT_EQ(faults_of(got), "");
  EXPECT_EQ(got.withdrawn[kV4], std::vector{nlri("10.0.1.0/24", 7)});
  EXPECT_EQ(got.withdrawn[kV6], std::vector{nlri("2001:db9::/32", 2)});
  EXPECT_EQ(got.reach[kV4].nlri, std::vector{nlri("10.0.0.0/8", 0xffffffff)});
  EXPECT_EQ(got.reach[kV6].nlri, std::vector{nlri("2001:db8::/32", 1)});
}

TEST(DecodeUpdate, EndOfRibInBothForms) {
  EXPECT_EQ(decoded(update({}, {}, {})).end_of_rib, kV4);
  EXPECT_EQ(decoded(update({}, hex("80 0f 03 0002 01"), {})).end_of_rib, kV6);
  EXPECT_EQ(decoded(update({}, hex("80 0f 03 0001 01"), {})).end_of_rib, kV4);
  EXPECT_EQ(decoded(update({}, hex("90 0f 0003 0002 01"), {})).end_of_rib, kV6);
  EXPECT_EQ(decoded(update({}, hex("80 0f 03 0001 80"), {})).end_of_rib, std::nullopt);
  EXPECT_EQ(decoded(update({}, hex("80 0f 08 0002 01 20 20010db8"), {})).end_of_rib, std::nullopt);
  EXPECT_EQ(decoded(update({}, hex(concat("80 0f 03 0002 01", kOriginAndPath)), {})).end_of_rib, std::nullopt);
  DecodeContext only_v4 = external();
  only_v4.families = {true, false};
  EXPECT_EQ(decoded(update({}, hex("80 0f 03 0002 01"), {}), only_v4).end_of_rib, std::nullopt);
}

TEST(DecodeUpdate, FamiliesOfNoSessionAreIgnored) {
  DecodeContext only_v6 = external();
  only_v6.families = {false, true};
  const Update got =
      decoded(update(hex("18 0a0001"), hex(concat(kOriginAndPath, "40 03 04 c0000201")), hex("08 0a")), only_v6);
  EXPECT_TRUE(got.withdrawn[kV4].empty());
  EXPECT_TRUE(got.reach[kV4].nlri.empty());
  EXPECT_EQ(got.attributes, "");
  EXPECT_EQ(got.faults.size(), 2U);
}

TEST(DecodeUpdate, ImpossiblePrefixesAreLeftOut) {
  const Update got =
      decoded(update({}, hex(concat(kOriginAndPath, "40 03 04 c0000201")), hex("04 e0 08 7f 08 0a 20 e0000005")));
  EXPECT_EQ(got.reach[kV4].nlri, std::vector{nlri("10.0.0.0/8")});
  EXPECT_EQ(faults_of(got), "NLRI: multicast, loopback or link-local prefix");
}

TEST(DecodeUpdate, KeepsMemoryAndForgetsContent) {
  Update update_value;
  const std::string full = update(hex("08 0a"), hex(concat(kOriginAndPath, "40 03 04 c0000201")), hex("08 0b 08 0c"));
  ASSERT_TRUE(decode_update(view_of(full), external(), update_value).ok());
  const std::size_t capacity = update_value.reach[kV4].nlri.capacity();
  ASSERT_TRUE(decode_update(view_of(update({}, {}, {})), external(), update_value).ok());
  Update expected;
  expected.end_of_rib = kV4;
  EXPECT_EQ(update_value, expected);
  EXPECT_EQ(update_value.reach[kV4].nlri.capacity(), capacity);
}

// --- canonical form ---

TEST(Canonical, OrderFlagsAndCommunitiesAreMadeRight) {
  const Update got = decoded(update({},
                                    hex("e0 63 02 abcd"                          // unknown, partial
                                        "d0 08 000c 00000003 00000001 00000003"  // communities with extended length
                                        "4f 01 01 02"                            // unused bits set
                                        "c0 20 18 000000020000000100000001 000000010000000200000003"
                                        "40 03 04 c0000201"
                                        "40 02 06 02 01 0000fde9"
                                        "c0 62 01 07"  // unknown, becomes partial
                                        "e0 10 10 0002000000000002 0002000000000001"),
                                    hex("08 0a")));
  EXPECT_EQ(faults_of(got), "");
  EXPECT_EQ(to_hex(got.attributes), to_hex(hex("40 01 01 02"
                                               "40 02 06 02 01 0000fde9"
                                               "c0 08 08 00000001 00000003"
                                               "e0 10 10 0002000000000001 0002000000000002"
                                               "c0 20 18 000000010000000200000003 000000020000000100000001"
                                               "e0 62 01 07"
                                               "e0 63 02 abcd")));
}

TEST(Canonical, LongValuesKeepExtendedLength) {
  std::string path = hex("02 64");
  for (int i = 0; i < 100; ++i) path += hex("0000fde9");
  const std::string attributes = hex("40 01 01 00 50 02 0192") + path;
  const Update got = decoded(update({}, attributes + hex("40 03 04 c0000201"), hex("08 0a")));
  EXPECT_EQ(to_hex(got.attributes), to_hex(attributes));
}

// --- old speakers, RFC 6793 ---

DecodeContext old_speaker() {
  DecodeContext context = external();
  context.four_octet_as = false;
  return context;
}

struct MergeCase {
  std::string_view why, as_path, as4, merged;  // of AS_PATH the value, AS4_* as attributes
};

constexpr MergeCase kMerges[] = {
    {"nothing to merge", "02 02 fde9 0001", "", "65001 1"},
    {"AS4_PATH of equal length", "02 02 fde9 5ba0", "c0 11 0a 02 02 0000fde9 00010001", "65001 65537"},
    {"AS4_PATH of the tail", "02 03 fde9 0002 5ba0", "c0 11 06 02 01 00010001", "65001 2 65537"},
    {"AS4_PATH is longer: not used", "02 01 fde9", "c0 11 0a 02 02 0000fde9 00010001", "65001"},
    {"AS4_PATH with a bad segment: not used", "02 02 fde9 5ba0", "c0 11 06 00 01 00010001", "65001 23456"},
    {"AS4_PATH with AS 0: not used", "02 02 fde9 5ba0", "c0 11 06 02 01 00000000", "65001 23456"},
    {"AS4_PATH with a count of 0: not used", "02 02 fde9 5ba0", "c0 11 02 02 00", "65001 23456"},
    {"AS4_PATH with wrong flags: not used", "02 02 fde9 5ba0", "80 11 06 02 01 00010001", "65001 23456"},
    {"confederation in AS4_PATH is left out", "02 02 fde9 5ba0", "c0 11 0c 03 01 00000009 02 01 00010001",
     "65001 65537"},
    {"an aggregator of two octets is newer", "02 02 fde9 5ba0",
     "c0 07 06 0003 01010101 c0 11 06 02 01 00010001 c0 12 08 00010001 01010101", "65001 23456"},
};

TEST(OldSpeaker, PathsAreMerged) {
  for (const MergeCase& each : kMerges) {
    const std::string value = hex(each.as_path);
    const Update got = decoded(update({},
                                      hex("40 01 01 00 40 02") + static_cast<char>(value.size()) + value +
                                          hex(each.as4) + hex("40 03 04 c0000201"),
                                      hex("08 0a")),
                               old_speaker());
    const AttributeView view(view_of(got.attributes));
    EXPECT_EQ(view.as_path().to_string(), each.merged) << each.why << ": " << faults_of(got);
    EXPECT_FALSE(view.find(AttributeType::kAs4Path)) << each.why;
    EXPECT_FALSE(view.find(AttributeType::kAs4Aggregator)) << each.why;
    EXPECT_EQ(got.reach[kV4].nlri.size(), 1U) << each.why;
  }
}

TEST(OldSpeaker, JoinedPathIsOneSegment) {
  const Update got =
      decoded(update({}, hex("40 01 01 00 40 02 08 02 03 fde9 0002 5ba0 c0 11 06 02 01 00010001 40 03 04 c0000201"),
                     hex("08 0a")),
              old_speaker());
  EXPECT_EQ(to_hex(got.attributes), to_hex(hex("40 01 01 00 40 02 0e 02 03 0000fde9 00000002 00010001")));
}

TEST(OldSpeaker, AggregatorIsWidened) {
  const auto aggregator = [](std::string_view attributes) {
    const Update got = decoded(
        update({}, hex(concat("40 01 01 00 40 02 04 02 01 fde9", attributes, "40 03 04 c0000201")), hex("08 0a")),
        old_speaker());
    const auto value = AttributeView(view_of(got.attributes)).find(AttributeType::kAggregator);
    return value ? to_hex(bytes::text_of(*value)) : "none";
  };
  EXPECT_EQ(aggregator("c0 07 06 0003 01010101"), "0000000301010101");
  EXPECT_EQ(aggregator("c0 07 06 5ba0 01010101 c0 12 08 00010001 02020202"), "0001000102020202");
  EXPECT_EQ(aggregator("c0 12 08 00010001 02020202 c0 07 06 5ba0 01010101"), "0001000102020202");
  EXPECT_EQ(aggregator("c0 07 06 5ba0 01010101 c0 12 07 00010001 020202"), "00005ba001010101");
  EXPECT_EQ(aggregator("c0 07 06 0000 01010101"), "none");
  EXPECT_EQ(aggregator("c0 12 08 00010001 02020202"), "none");
}

TEST(OldSpeaker, IsToldAsTransAndTheRest) {
  EncodeContext context;
  context.four_octet_as = false;
  const std::string attributes =
      hex("40 01 01 00 40 02 0a 02 02 0000fde9 00010001 c0 07 08 00010002 01010101 c0 08 04 00000001 e0 63 01 07");
  std::string bytes;
  const auto count =
      encode_reach(context, view_of(attributes), next_hop("192.0.2.1"), std::vector{nlri("10.0.0.0/8")}, bytes);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(to_hex(bytes), to_hex(update({},
                                         hex("40 01 01 00 40 02 06 02 02 fde9 5ba0 40 03 04 c0000201"
                                             "c0 07 06 5ba0 01010101 c0 08 04 00000001"
                                             "c0 11 0a 02 02 0000fde9 00010001 c0 12 08 00010002 01010101 e0 63 01 07"),
                                         hex("08 0a"))));
  EXPECT_EQ(to_hex(decoded(bytes, old_speaker()).attributes), to_hex(attributes));
}

TEST(OldSpeaker, SmallNumbersNeedNoSecondAttribute) {
  EncodeContext context;
  context.four_octet_as = false;
  std::string bytes;
  const std::string attributes = hex("40 01 01 00 40 02 06 02 01 0000fde9 c0 07 08 00000002 01010101");
  ASSERT_TRUE(
      encode_reach(context, view_of(attributes), next_hop("192.0.2.1"), std::vector{nlri("10.0.0.0/8")}, bytes).ok());
  EXPECT_EQ(to_hex(bytes),
            to_hex(update({}, hex("40 01 01 00 40 02 04 02 01 fde9 40 03 04 c0000201 c0 07 06 0002 01010101"),
                          hex("08 0a"))));
}

// --- encoding ---

TEST(EncodeReach, ClassicGoldenBytes) {
  std::string bytes = "before";
  const std::string attributes = hex(concat(kOriginAndPath, "80 04 04 00000064"));
  const auto count = encode_reach({}, view_of(attributes), next_hop("192.0.2.1"),
                                  std::vector{nlri("198.51.100.0/24"), nlri("0.0.0.0/0")}, bytes);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 1U);
  EXPECT_EQ(
      to_hex(bytes.substr(6)),
      to_hex(update({}, hex(concat(kOriginAndPath, "40 03 04 c0000201 80 04 04 00000064")), hex("18 c63364 00"))));
}

TEST(EncodeReach, MpReachComesFirst) {
  std::string bytes;
  const NextHop both{*IpAddress::parse("2001:db8::1"), *IpAddress::parse("fe80::1")};
  const auto count = encode_reach({}, view_of(hex(kOriginAndPath)), both, std::vector{nlri("2001:db8:1::/64")}, bytes);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(to_hex(bytes), to_hex(update({},
                                         hex(concat("80 0e 2e 0002 01 20 20010db8000000000000000000000001 "
                                                    "fe800000000000000000000000000001 00 40 20010db800010000",
                                                    kOriginAndPath)),
                                         {})));
}

TEST(EncodeReach, NextHopsThatCannotBeSaidAreRefused) {
  std::string bytes;
  const std::string attributes = hex(kOriginAndPath);
  const std::vector v4 = {nlri("10.0.0.0/8")}, v6 = {nlri("2001:db8::/32")};
  EXPECT_FALSE(encode_reach({}, view_of(attributes), next_hop("192.0.2.1"), v6, bytes).ok());
  EXPECT_FALSE(encode_reach({}, view_of(attributes), next_hop("2001:db8::1"), v4, bytes).ok());
  EXPECT_EQ(bytes, "");
  EncodeContext context;
  context.extended_next_hop[kV4] = true;
  ASSERT_TRUE(encode_reach(context, view_of(attributes), next_hop("2001:db8::1"), v4, bytes).ok());
  EXPECT_EQ(to_hex(bytes),
            to_hex(update(
                {}, hex(concat("80 0e 17 0001 01 10 20010db8000000000000000000000001 00 08 0a", kOriginAndPath)), {})));
}

TEST(EncodeWithdraw, GoldenBytes) {
  std::string bytes;
  EXPECT_EQ(encode_withdraw({}, std::vector{nlri("10.0.0.0/8"), nlri("10.1.2.0/24")}, bytes), 1U);
  EXPECT_EQ(to_hex(bytes), to_hex(update(hex("08 0a 18 0a0102"), {}, {})));
  bytes.clear();
  EncodeContext context;
  context.add_path[kV6] = true;
  EXPECT_EQ(encode_withdraw(context, std::vector{nlri("2001:db8::/32", 9)}, bytes), 1U);
  EXPECT_EQ(to_hex(bytes), to_hex(update({}, hex("80 0f 0c 0002 01 00000009 20 20010db8"), {})));
  EXPECT_EQ(encode_withdraw({}, {}, bytes), 0U);
}

TEST(EncodeEndOfRib, GoldenBytes) {
  std::string bytes;
  encode_end_of_rib(kV4, bytes);
  EXPECT_EQ(to_hex(bytes), to_hex(update({}, {}, {})));
  bytes.clear();
  encode_end_of_rib(kV6, bytes);
  EXPECT_EQ(to_hex(bytes), to_hex(update({}, hex("80 0f 03 0002 01"), {})));
}

TEST(EncodeReach, FillsMessagesToTheByte) {
  for (const bool extended : {false, true}) {
    EncodeContext context;
    context.extended_message = extended;
    const std::size_t size_max = extended ? kExtendedMessageSizeMax : kMessageSizeMax;
    const std::string attributes = hex(kOriginAndPath);
    // Classic: 23 of fields, attributes, 7 of NEXT_HOP; /24 take 4 bytes.
    const std::size_t room = (size_max - 23 - attributes.size() - 7) / 4;
    std::vector<Nlri> many;
    for (std::uint32_t i = 0; i < room + 1; ++i)
      many.push_back({IpPrefix::containing(IpAddress::v4(0x0a000000 + i * 256), 24), 0});
    std::string bytes;
    EXPECT_EQ(*encode_reach(context, view_of(attributes), next_hop("192.0.2.1"), std::span(many).first(room), bytes),
              1U);
    EXPECT_GT(bytes.size() + 4, size_max);
    EXPECT_LE(bytes.size(), size_max);
    bytes.clear();
    EXPECT_EQ(*encode_reach(context, view_of(attributes), next_hop("192.0.2.1"), many, bytes), 2U);
  }
}

TEST(EncodeReach, AttributesThatLeaveNoRoomAreALimit) {
  // 23 + 7 of NEXT_HOP + 5 of a /32 leave 4061 for the attributes.
  const std::size_t room = 4096 - 23 - 7 - 5;
  for (const std::size_t size : {room, room + 1}) {
    const std::string attributes =
        hex("e0").replace(0, 1, "\xf0") + hex("63") + test::two_octets(size - 4) + std::string(size - 4, 'x');
    std::string bytes;
    const auto count =
        encode_reach({}, view_of(attributes), next_hop("192.0.2.1"), std::vector{nlri("10.0.0.1/32")}, bytes);
    EXPECT_EQ(count.ok(), size == room);
    if (count.ok()) {
      EXPECT_EQ(bytes.size(), 4096U);
    } else {
      EXPECT_EQ(count.error().code, ErrorCode::kLimitExceeded);
      EXPECT_EQ(bytes, "");
    }
    EncodeContext context;
    context.extended_message = true;
    EXPECT_TRUE(
        encode_reach(context, view_of(attributes), next_hop("192.0.2.1"), std::vector{nlri("10.0.0.1/32")}, bytes)
            .ok());
  }
}

// The page before the bytes cannot be read, nor the one after.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::string_view content, bool at_end)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        base_(mmap(nullptr, 3 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    auto* const middle = static_cast<std::uint8_t*>(base_) + page_;
    EXPECT_EQ(mprotect(middle, page_, PROT_READ | PROT_WRITE), 0);
    auto* const start = at_end ? middle + page_ - content.size() : middle;
    std::copy(content.begin(), content.end(), start);
    view_ = {start, content.size()};
  }
  ~GuardedBytes() { munmap(base_, 3 * page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  [[nodiscard]] bytes::View view() const { return view_; }

 private:
  std::size_t page_;
  void* base_;
  bytes::View view_;
};

TEST(Nlri, NothingBesideTheBytesIsRead) {
  struct Case {
    std::string_view bytes, prefix;
    Family family;
  };
  const Case cases[] = {
      {"00", "0.0.0.0/0", kV4},
      {"08 0a", "10.0.0.0/8", kV4},
      {"20 0a 01 02 03", "10.1.2.3/32", kV4},
      {"00", "::/0", kV6},
      {"10 20 01", "2001::/16", kV6},
      {"48 20 01 0d b8 00 00 00 00 80", "2001:db8:0:0:8000::/72", kV6},
      {"80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01", "2001:db8::1/128", kV6},
  };
  for (const Case& c : cases) {
    for (const bool at_end : {false, true}) {
      const GuardedBytes guarded(hex(c.bytes), at_end);
      std::vector<Nlri> found;
      ASSERT_TRUE(wire::decode_nlri(guarded.view(), {c.family, false}, found)) << c.prefix;
      EXPECT_EQ(found, std::vector{nlri(c.prefix)});
    }
  }
}

}  // namespace
}  // namespace margay::bgp
