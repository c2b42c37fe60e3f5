// RFC 7606 attribute by attribute, with the RFCs that extend it (7607, 9774, 6793, 8669, 9012, 9234, 7311, 9552, 8092,
// 4360, 2545, 4760): one row a case, and what each kind of peer must see happen. After the table: message shapes that
// brought other speakers down.

#include <gtest/gtest.h>

#include "base/core/text.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/test_bytes.h"

namespace margay::bgp {
namespace {

using bytes::view_of;
using test::hex;
using test::kV4;
using test::kV6;
using test::to_hex;
using test::update;

enum class Outcome { kFine, kDiscard, kWithdraw, kReset };

// Over the base attributes of a good UPDATE with NLRI 10.0.0.0/8: `attribute` replaces the one of its type, or is
// added.
struct Row {
  std::string_view why;
  std::string_view attribute;  // with header
  Outcome external;
  Outcome internal;
};

constexpr Outcome kFine = Outcome::kFine;
constexpr Outcome kDiscard = Outcome::kDiscard;
constexpr Outcome kWithdraw = Outcome::kWithdraw;
constexpr Outcome kReset = Outcome::kReset;

constexpr Row kRows[] = {
    {"nothing wrong", "", kFine, kFine},
    // 1 ORIGIN
    {"ORIGIN incomplete", "40 01 01 02", kFine, kFine},
    {"ORIGIN optional", "c0 01 01 00", kWithdraw, kWithdraw},
    {"ORIGIN not transitive", "00 01 01 00", kWithdraw, kWithdraw},
    {"ORIGIN partial: ignored (§3 c names two bits)", "60 01 01 00", kFine, kFine},
    {"ORIGIN unused bits: ignored", "4f 01 01 00", kFine, kFine},
    {"ORIGIN of 0 bytes", "40 01 00", kWithdraw, kWithdraw},
    {"ORIGIN of 2 bytes", "40 01 02 0000", kWithdraw, kWithdraw},
    {"ORIGIN 3", "40 01 01 03", kWithdraw, kWithdraw},
    {"ORIGIN 255", "40 01 01 ff", kWithdraw, kWithdraw},
    {"ORIGIN with extended length", "50 01 0001 00", kFine, kFine},
    // 2 AS_PATH
    {"AS_PATH optional", "c0 02 06 02 01 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH not transitive", "00 02 06 02 01 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH segment type 0", "40 02 06 00 01 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH segment type 5", "40 02 06 05 01 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH segment count 0", "40 02 02 02 00", kWithdraw, kWithdraw},
    {"AS_PATH second segment count 0", "40 02 08 02 01 0000fde9 02 00", kWithdraw, kWithdraw},
    {"AS_PATH segment past the end", "40 02 06 02 02 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH count 255 of one", "40 02 06 02 ff 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH one byte left over", "40 02 07 02 01 0000fde9 02", kWithdraw, kWithdraw},
    {"AS_PATH number cut short", "40 02 05 02 01 0000fd", kWithdraw, kWithdraw},
    {"AS_PATH AS 0 (RFC 7607)", "40 02 06 02 01 00000000", kWithdraw, kWithdraw},
    {"AS_PATH AS 0 inside", "40 02 0e 02 03 0000fde9 00000000 00000001", kWithdraw, kWithdraw},
    {"AS_PATH AS_SET (RFC 9774)", "40 02 0c 02 01 0000fde9 01 01 00000001", kWithdraw, kWithdraw},
    {"AS_PATH confederation sequence", "40 02 06 03 01 0000fde9", kWithdraw, kWithdraw},
    {"AS_PATH confederation set", "40 02 0c 02 01 0000fde9 04 01 00000001", kWithdraw, kWithdraw},
    {"AS_PATH begins with another AS", "40 02 0a 02 02 0000fdea 0000fde9", kWithdraw, kFine},
    {"AS_PATH empty", "40 02 00", kWithdraw, kFine},
    {"AS_PATH of two segments", "40 02 0c 02 01 0000fde9 02 01 00000001", kFine, kFine},
    // 3 NEXT_HOP
    {"NEXT_HOP optional", "c0 03 04 c0000201", kWithdraw, kWithdraw},
    {"NEXT_HOP of 0 bytes", "40 03 00", kWithdraw, kWithdraw},
    {"NEXT_HOP of 3 bytes", "40 03 03 c00002", kWithdraw, kWithdraw},
    {"NEXT_HOP of 5 bytes", "40 03 05 c000020100", kWithdraw, kWithdraw},
    {"NEXT_HOP 0.0.0.0", "40 03 04 00000000", kWithdraw, kWithdraw},
    {"NEXT_HOP 0.1.2.3", "40 03 04 00010203", kWithdraw, kWithdraw},
    {"NEXT_HOP 127.0.0.1", "40 03 04 7f000001", kWithdraw, kWithdraw},
    {"NEXT_HOP 224.0.0.1", "40 03 04 e0000001", kWithdraw, kWithdraw},
    {"NEXT_HOP 240.0.0.1", "40 03 04 f0000001", kWithdraw, kWithdraw},
    {"NEXT_HOP 255.255.255.255", "40 03 04 ffffffff", kWithdraw, kWithdraw},
    // 4 MULTI_EXIT_DISC
    {"MED", "80 04 04 0000000a", kFine, kFine},
    {"MED transitive", "c0 04 04 0000000a", kWithdraw, kWithdraw},
    {"MED well-known", "40 04 04 0000000a", kWithdraw, kWithdraw},
    {"MED of 0 bytes", "80 04 00", kWithdraw, kWithdraw},
    {"MED of 3 bytes", "80 04 03 000000", kWithdraw, kWithdraw},
    {"MED of 5 bytes", "80 04 05 000000000a", kWithdraw, kWithdraw},
    // 5 LOCAL_PREF: from outside it is discarded, whatever is in it; wrong flags are the stronger error (§3 c, h)
    {"LOCAL_PREF", "40 05 04 00000064", kDiscard, kFine},
    {"LOCAL_PREF of 3 bytes", "40 05 03 000000", kDiscard, kWithdraw},
    {"LOCAL_PREF of 5 bytes", "40 05 05 0000000064", kDiscard, kWithdraw},
    {"LOCAL_PREF of 0 bytes", "40 05 00", kDiscard, kWithdraw},
    {"LOCAL_PREF optional", "c0 05 04 00000064", kWithdraw, kWithdraw},
    // 6 ATOMIC_AGGREGATE
    {"ATOMIC_AGGREGATE", "40 06 00", kFine, kFine},
    {"ATOMIC_AGGREGATE of 1 byte", "40 06 01 00", kDiscard, kDiscard},
    {"ATOMIC_AGGREGATE optional", "c0 06 00", kWithdraw, kWithdraw},
    // 7 AGGREGATOR
    {"AGGREGATOR", "c0 07 08 0000fde9 0a000002", kFine, kFine},
    {"AGGREGATOR of 0 bytes", "c0 07 00", kDiscard, kDiscard},
    {"AGGREGATOR of 5 bytes", "c0 07 05 0000fde90a", kDiscard, kDiscard},
    {"AGGREGATOR of 6 bytes from a speaker of four-octet numbers", "c0 07 06 fde9 0a000002", kDiscard, kDiscard},
    {"AGGREGATOR of 7 bytes", "c0 07 07 0000fde90a0000", kDiscard, kDiscard},
    {"AGGREGATOR of 9 bytes", "c0 07 09 0000fde90a00000200", kDiscard, kDiscard},
    {"AGGREGATOR AS 0 (RFC 7607)", "c0 07 08 00000000 0a000002", kDiscard, kDiscard},
    {"AGGREGATOR not transitive", "80 07 08 0000fde9 0a000002", kWithdraw, kWithdraw},
    // 8 COMMUNITIES
    {"COMMUNITIES", "c0 08 04 ffff0001", kFine, kFine},
    {"COMMUNITIES not transitive", "80 08 04 ffff0001", kWithdraw, kWithdraw},
    {"COMMUNITIES of 0 bytes", "c0 08 00", kWithdraw, kWithdraw},
    {"COMMUNITIES of 5 bytes", "c0 08 05 ffff000100", kWithdraw, kWithdraw},
    {"COMMUNITIES of 3 bytes", "c0 08 03 ffff00", kWithdraw, kWithdraw},
    // 9 ORIGINATOR_ID
    {"ORIGINATOR_ID", "80 09 04 0a000002", kDiscard, kFine},
    {"ORIGINATOR_ID of 0 bytes", "80 09 00", kDiscard, kWithdraw},
    {"ORIGINATOR_ID of 3 bytes", "80 09 03 0a0000", kDiscard, kWithdraw},
    {"ORIGINATOR_ID of 5 bytes", "80 09 05 0a00000200", kDiscard, kWithdraw},
    {"ORIGINATOR_ID transitive", "c0 09 04 0a000002", kWithdraw, kWithdraw},
    // 10 CLUSTER_LIST
    {"CLUSTER_LIST", "80 0a 08 0a000002 0a000001", kDiscard, kFine},
    {"CLUSTER_LIST of 0 bytes", "80 0a 00", kDiscard, kWithdraw},
    {"CLUSTER_LIST of 5 bytes", "80 0a 05 0a00000200", kDiscard, kWithdraw},
    {"CLUSTER_LIST transitive", "c0 0a 04 0a000002", kWithdraw, kWithdraw},
    // 14 MP_REACH_NLRI, beside the classic NLRI
    {"MP_REACH", "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8", kFine, kFine},
    {"MP_REACH transitive", "c0 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8", kWithdraw,
     kWithdraw},
    {"MP_REACH of 0 bytes", "80 0e 00", kReset, kReset},
    {"MP_REACH of 4 bytes", "80 0e 04 00020100", kReset, kReset},
    {"MP_REACH next hop of 0 bytes", "80 0e 0a 0002 01 00 00 20 20010db8", kReset, kReset},
    {"MP_REACH next hop of 9 bytes", "80 0e 16 0002 01 09 20010db80000000000 00 40 20010db800000001 00", kReset,
     kReset},
    {"MP_REACH next hop of 5 bytes", "80 0e 0a 0002 01 05 2001 0db800 00", kReset, kReset},
    {"MP_REACH IPv4 next hop of an IPv6 route", "80 0e 0e 0002 01 04 c0000201 00 20 20010db8", kReset, kReset},
    {"MP_REACH next hop of a VPN (24 bytes)",
     "80 0e 22 0002 01 18 0000000000000000 20010db8000000000000000000000001 00 20 20010db8", kReset, kReset},
    {"MP_REACH next hop past the end", "80 0e 15 0002 01 40 20010db8000000000000000000000001 00", kReset, kReset},
    {"MP_REACH next hop cut short", "80 0e 0c 0002 01 10 20010db800000000", kReset, kReset},
    {"MP_REACH prefix of 129 bits",
     "80 0e 27 0002 01 10 20010db8000000000000000000000001 00 81 20010db800000000000000000000000000", kReset, kReset},
    {"MP_REACH prefix past the end", "80 0e 19 0002 01 10 20010db8000000000000000000000001 00 20 20010d", kReset,
     kReset},
    {"MP_REACH impossible next hop ::", "80 0e 1a 0002 01 10 00000000000000000000000000000000 00 20 20010db8",
     kWithdraw, kWithdraw},
    {"MP_REACH impossible next hop ::1", "80 0e 1a 0002 01 10 00000000000000000000000000000001 00 20 20010db8",
     kWithdraw, kWithdraw},
    {"MP_REACH impossible next hop ff02::1", "80 0e 1a 0002 01 10 ff020000000000000000000000000001 00 20 20010db8",
     kWithdraw, kWithdraw},
    {"MP_REACH of a family of no session: ignored", "80 0e 0a 0001 80 00 00 20 20010db8", kFine, kFine},
    {"MP_REACH twice",
     "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8"
     "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8",
     kReset, kReset},
    // 15 MP_UNREACH_NLRI
    {"MP_UNREACH", "80 0f 08 0002 01 20 20010db8", kFine, kFine},
    {"MP_UNREACH transitive", "c0 0f 08 0002 01 20 20010db8", kWithdraw, kWithdraw},
    {"MP_UNREACH of 0 bytes", "80 0f 00", kReset, kReset},
    {"MP_UNREACH of 2 bytes", "80 0f 02 0002", kReset, kReset},
    {"MP_UNREACH prefix past the end", "80 0f 08 0002 01 40 20010db8", kReset, kReset},
    {"MP_UNREACH prefix of 129 bits", "80 0f 04 0002 01 81", kReset, kReset},
    {"MP_UNREACH twice", "80 0f 03 0002 01 80 0f 03 0002 01", kReset, kReset},
    {"MP_UNREACH of a family of no session: ignored", "80 0f 04 0001 80 ff", kFine, kFine},
    // 16 EXTENDED COMMUNITIES
    {"EXTENDED COMMUNITIES", "c0 10 08 0002fde900000001", kFine, kFine},
    {"EXTENDED COMMUNITIES of an unknown type", "c0 10 08 7777777777777777", kFine, kFine},
    {"EXTENDED COMMUNITIES not transitive", "80 10 08 0002fde900000001", kWithdraw, kWithdraw},
    {"EXTENDED COMMUNITIES of 0 bytes", "c0 10 00", kWithdraw, kWithdraw},
    {"EXTENDED COMMUNITIES of 9 bytes", "c0 10 09 0002fde90000000100", kWithdraw, kWithdraw},
    // 17, 18 AS4_*: from a speaker of four-octet numbers
    {"AS4_PATH", "c0 11 06 02 01 00010001", kDiscard, kDiscard},
    {"AS4_PATH segment type 0", "c0 11 06 00 01 00010001", kDiscard, kDiscard},
    {"AS4_PATH AS 0", "c0 11 06 02 01 00000000", kDiscard, kDiscard},
    {"AS4_PATH not transitive", "80 11 06 02 01 00010001", kDiscard, kDiscard},
    {"AS4_AGGREGATOR", "c0 12 08 0000fde9 0a000002", kDiscard, kDiscard},
    {"AS4_AGGREGATOR of 7 bytes", "c0 12 07 0000fde90a0000", kDiscard, kDiscard},
    {"AS4_AGGREGATOR of 9 bytes", "c0 12 09 0000fde90a00000200", kDiscard, kDiscard},
    // 22 PMSI_TUNNEL
    {"PMSI_TUNNEL", "c0 16 09 00 06 000000 0a000002", kFine, kFine},
    {"PMSI_TUNNEL of 4 bytes", "c0 16 04 00060000", kWithdraw, kWithdraw},
    {"PMSI_TUNNEL not transitive", "80 16 09 00 06 000000 0a000002", kWithdraw, kWithdraw},
    // 23 Tunnel Encapsulation: never a reset (CVE-2023-38802)
    {"Tunnel Encapsulation", "c0 17 08 0007 0004 01 02 0000", kFine, kFine},
    {"Tunnel Encapsulation with a long sub-TLV", "c0 17 09 0007 0005 80 0002 0000", kFine, kFine},
    {"Tunnel Encapsulation of 0 bytes", "c0 17 00", kWithdraw, kWithdraw},
    {"Tunnel Encapsulation of 3 bytes", "c0 17 03 000700", kWithdraw, kWithdraw},
    {"Tunnel Encapsulation TLV past the end", "c0 17 05 0007 0004 01", kWithdraw, kWithdraw},
    {"Tunnel Encapsulation sub-TLV past its TLV", "c0 17 06 0007 0002 01ff", kWithdraw, kWithdraw},
    {"Tunnel Encapsulation not transitive", "80 17 04 00070000", kWithdraw, kWithdraw},
    // 25 IPv6 EXTENDED COMMUNITIES
    {"IPv6 EXTENDED COMMUNITIES", "c0 19 14 0002 20010db8000000000000000000000001 0001", kFine, kFine},
    {"IPv6 EXTENDED COMMUNITIES of 0 bytes", "c0 19 00", kWithdraw, kWithdraw},
    {"IPv6 EXTENDED COMMUNITIES of 21 bytes", "c0 19 15 0002 20010db8000000000000000000000001 0001 00", kWithdraw,
     kWithdraw},
    {"IPv6 EXTENDED COMMUNITIES not transitive", "80 19 14 0002 20010db8000000000000000000000001 0001", kWithdraw,
     kWithdraw},
    // 26 AIGP, on sessions where nobody switched it on
    {"AIGP transitive", "c0 1a 0b 01 000b 000000000000000a", kDiscard, kDiscard},
    {"AIGP of 0 bytes", "80 1a 00", kDiscard, kDiscard},
    {"AIGP TLV of another length", "80 1a 0b 01 0005 000000000000000a", kDiscard, kDiscard},
    {"AIGP TLV of length 0 (no endless loop)", "80 1a 03 02 0000", kDiscard, kDiscard},
    {"AIGP of 1 byte (CVE-2023-41359)", "80 1a 01 01", kDiscard, kDiscard},
    // 29 BGP-LS
    {"BGP-LS transitive", "c0 1d 05 0400 0001 00", kDiscard, kDiscard},
    {"BGP-LS TLV past the end", "80 1d 05 0400 00ff 00", kDiscard, kDiscard},
    {"BGP-LS TLV cut short", "80 1d 02 0400", kDiscard, kDiscard},
    // 32 LARGE_COMMUNITY
    {"LARGE_COMMUNITY", "c0 20 0c 0000fde9 00000001 00000002", kFine, kFine},
    {"LARGE_COMMUNITY of 0 bytes", "c0 20 00", kWithdraw, kWithdraw},
    {"LARGE_COMMUNITY of 13 bytes", "c0 20 0d 0000fde9 00000001 00000002 00", kWithdraw, kWithdraw},
    {"LARGE_COMMUNITY not transitive", "80 20 0c 0000fde9 00000001 00000002", kWithdraw, kWithdraw},
    // 35 Only to Customer
    {"OTC", "c0 23 04 0000fde9", kFine, kFine},
    {"OTC of 0 bytes", "c0 23 00", kWithdraw, kWithdraw},
    {"OTC of 3 bytes", "c0 23 03 0000fd", kWithdraw, kWithdraw},
    {"OTC of 5 bytes", "c0 23 05 0000fde900", kWithdraw, kWithdraw},
    {"OTC AS 0", "c0 23 04 00000000", kWithdraw, kWithdraw},
    {"OTC not transitive", "80 23 04 0000fde9", kWithdraw, kWithdraw},
    // 40 Prefix-SID: not from outside; malformed ones are never passed on
    {"Prefix-SID", "c0 28 0a 01 0007 00000000000001", kDiscard, kFine},
    {"Prefix-SID not transitive", "80 28 0a 01 0007 00000000000001", kDiscard, kDiscard},
    {"Prefix-SID of 0 bytes", "c0 28 00", kDiscard, kDiscard},
    {"Prefix-SID TLV past the end", "c0 28 06 01 00ff 000000", kDiscard, kDiscard},
    {"Prefix-SID TLV cut short", "c0 28 02 0100", kDiscard, kDiscard},
    {"Prefix-SID Label-Index of 0 bytes", "c0 28 03 01 0000", kDiscard, kDiscard},
    {"Prefix-SID SRGB of 3 bytes", "c0 28 06 03 0003 000000", kDiscard, kDiscard},
    // others
    {"unknown, optional transitive", "c0 fe 04 deadbeef", kFine, kFine},
    {"unknown, optional transitive, 0 bytes: not ours to judge", "c0 fe 00", kFine, kFine},
    {"unknown, optional non-transitive", "80 fd 04 deadbeef", kFine, kFine},
    {"unknown, well-known", "40 c8 04 deadbeef", kReset, kReset},
    {"unknown, neither optional nor transitive", "00 c8 04 deadbeef", kReset, kReset},
    {"old ELC (28) is unknown", "c0 1c 01 ff", kFine, kFine},
    {"ATTR_SET (128) is unknown", "c0 80 02 ffff", kFine, kFine},
    {"attribute twice", "c0 08 04 00000001 c0 08 04 00000002", kDiscard, kDiscard},
    {"attribute twice, the second malformed", "c0 08 04 00000001 c0 08 03 000000", kDiscard, kDiscard},
    {"attribute twice, the first malformed", "c0 08 03 000000 c0 08 04 00000001", kWithdraw, kWithdraw},
    {"several errors: the strongest counts", "40 06 01 00 c0 08 00", kWithdraw, kWithdraw},
    // the walk over the attributes (§4); these rows stand last among the attributes
    {"header of 1 byte", "40", kWithdraw, kWithdraw},
    {"header of 2 bytes", "c0 08", kWithdraw, kWithdraw},
    {"extended header of 3 bytes", "d0 08 00", kWithdraw, kWithdraw},
    {"attribute past the attributes", "c0 08 05 00000001", kWithdraw, kWithdraw},
    {"attribute far past the attributes", "d0 08 ffff 00000001", kWithdraw, kWithdraw},
    {"MP_REACH past the attributes", "80 0e 40 0002 01", kReset, kReset},
    {"MP_UNREACH past the attributes", "80 0f 40 0002 01", kReset, kReset},
};

constexpr std::string_view kBase[] = {"40 01 01 00", "40 02 06 02 01 0000fde9", "40 03 04 c0000201"};
constexpr std::string_view kLocalPref = "40 05 04 00000064";

DecodeContext context_of(bool internal) {
  DecodeContext context;
  context.families = {true, true};
  context.is_internal = internal;
  context.peer_asn = Asn(65001);
  return context;
}

// The base attributes, without those of the row's type, then the row's.
std::string attributes_with(std::string_view row, bool internal) {
  const std::string bytes = hex(row);
  std::string out;
  const auto add = [&](std::string_view base) {
    const std::string attribute = hex(base);
    if (bytes.size() < 3 || bytes[1] != attribute[1]) out += attribute;
  };
  for (const std::string_view base : kBase) add(base);
  if (internal) add(kLocalPref);
  return out + bytes;
}

Outcome outcome_of(const std::string& message, const DecodeContext& context, Update& got) {
  if (!decode_update(view_of(message), context, got).ok()) return Outcome::kReset;
  Outcome worst = Outcome::kFine;
  for (const Fault& fault : got.faults) {
    if (fault.action == FaultAction::kTreatAsWithdraw) return Outcome::kWithdraw;
    if (fault.action == FaultAction::kDiscardAttribute) worst = Outcome::kDiscard;
  }
  return worst;
}

// What is passed on must be well-formed, whomever it goes to.
void expect_passes_on(const Update& got, std::string_view why) {
  for (const bool four_octet_as : {true, false}) {
    for (const Family family : kFamilies) {
      EncodeContext encode;
      encode.four_octet_as = four_octet_as;
      std::string bytes;
      const auto count =
          encode_reach(encode, view_of(got.attributes), got.reach[family].next_hop, got.reach[family].nlri, bytes);
      ASSERT_TRUE(count.ok()) << why;
      if (*count == 0) continue;
      DecodeContext decode = context_of(true);
      decode.four_octet_as = four_octet_as;
      Update again;
      ASSERT_TRUE(decode_update(view_of(bytes), decode, again).ok()) << why;
      for (const Fault& fault : again.faults) {
        // Attributes that we took from outside have no LOCAL_PREF; that alone is missing.
        EXPECT_EQ(fault.attribute, 5) << why << ": " << fault.what;
      }
    }
  }
}

void check_row(const Row& row, bool internal) {
  const Outcome expected = internal ? row.internal : row.external;
  const std::string attributes = attributes_with(row.attribute, internal);
  Update got;
  const Outcome outcome = outcome_of(update({}, attributes, hex("08 0a")), context_of(internal), got);
  const std::string why = concat(row.why, internal ? " (iBGP)" : " (eBGP)");
  ASSERT_EQ(static_cast<int>(outcome), static_cast<int>(expected))
      << why << (got.faults.empty() ? "" : got.faults[0].what);
  if (outcome == Outcome::kReset) return;
  const std::vector<Nlri> ten = {{*IpPrefix::parse("10.0.0.0/8"), 0}};
  if (outcome == Outcome::kWithdraw) {
    EXPECT_EQ(got.withdrawn[kV4], ten) << why;
    EXPECT_TRUE(got.reach[kV4].nlri.empty()) << why;
    EXPECT_EQ(got.attributes, "") << why;
    return;
  }
  EXPECT_EQ(got.reach[kV4].nlri, ten) << why;
  const bool is_of_unknown_type = row.attribute.find(" fe ") != std::string_view::npos;
  if (outcome == Outcome::kDiscard && row.why.find("twice") == std::string_view::npos) {
    const auto type = static_cast<AttributeType>(hex(row.attribute)[1]);
    EXPECT_FALSE(AttributeView(view_of(got.attributes)).find(type)) << why;
  }
  if (is_of_unknown_type) {
    EXPECT_NE(to_hex(got.attributes).find("e0fe"), std::string::npos) << why;
  }
  expect_passes_on(got, why);
}

TEST(Rfc7606, EveryAttributeFromOutside) {
  for (const Row& row : kRows) check_row(row, false);
}

TEST(Rfc7606, EveryAttributeFromInside) {
  for (const Row& row : kRows) check_row(row, true);
}

TEST(Rfc7606, WithoutDestinationsWhatWouldWithdrawResets) {  // §5.2
  for (const Row& row : kRows) {
    for (const bool internal : {false, true}) {
      const std::string bytes = hex(row.attribute);
      // MP_* say themselves what they announce; NEXT_HOP and an empty path are only wrong together with destinations.
      if (bytes.size() >= 2 && (bytes[1] == 14 || bytes[1] == 15)) continue;
      const bool needs_nlri = row.why.starts_with("NEXT_HOP") && bytes[2] == 4 && bytes[0] == '\x40';
      const Outcome expected = internal ? row.internal : row.external;
      Update got;
      const Outcome outcome =
          outcome_of(update({}, attributes_with(row.attribute, internal), {}), context_of(internal), got);
      const bool resets = expected == Outcome::kReset || (expected == Outcome::kWithdraw && !needs_nlri);
      EXPECT_EQ(outcome == Outcome::kReset, resets) << row.why << internal;
    }
  }
}

TEST(Rfc7606, WithdrawalsBesideAreNotLost) {
  Update got;
  const std::string message =
      update(hex("18 0b0000"),
             hex("40 01 01 09 40 02 06 02 01 0000fde9 40 03 04 c0000201 80 0f 08 0002 01 20 20010db8"), hex("08 0a"));
  EXPECT_EQ(outcome_of(message, context_of(false), got), Outcome::kWithdraw);
  EXPECT_EQ(got.withdrawn[kV4].size(), 2U);
  EXPECT_EQ(got.withdrawn[kV6].size(), 1U);
}

TEST(Rfc7606, ErrorsOfOnlyMpUnreachWithdraw) {
  Update got;  // §5.2 speaks of attributes other than MP_UNREACH_NLRI
  EXPECT_EQ(outcome_of(update({}, hex("c0 0f 08 0002 01 20 20010db8"), {}), context_of(false), got),
            Outcome::kWithdraw);
  EXPECT_EQ(got.withdrawn[kV6].size(), 1U);
}

struct MissingRow {
  std::string_view why, attributes;
  bool classic;  // NLRI 10.0.0.0/8; otherwise MP_REACH_NLRI
  Outcome external, internal;
};

constexpr MissingRow kMissing[] = {
    {"no attributes at all (CVE-2023-41358)", "", true, kWithdraw, kWithdraw},
    {"ORIGIN", "40 02 06 02 01 0000fde9 40 03 04 c0000201 40 05 04 00000064", true, kWithdraw, kWithdraw},
    {"AS_PATH", "40 01 01 00 40 03 04 c0000201 40 05 04 00000064", true, kWithdraw, kWithdraw},
    {"NEXT_HOP", "40 01 01 00 40 02 06 02 01 0000fde9 40 05 04 00000064", true, kWithdraw, kWithdraw},
    {"LOCAL_PREF", "40 01 01 00 40 02 06 02 01 0000fde9 40 03 04 c0000201", true, kFine, kWithdraw},
    {"NEXT_HOP beside MP_REACH is not missed", "40 01 01 00 40 02 06 02 01 0000fde9 40 05 04 00000064", false, kDiscard,
     kFine},
    {"impossible NEXT_HOP beside MP_REACH is not looked at (RFC 4760 §3)",
     "40 01 01 00 40 02 06 02 01 0000fde9 40 03 04 00000000 40 05 04 00000064", false, kDiscard, kFine},
    {"ORIGIN beside MP_REACH", "40 02 06 02 01 0000fde9 40 05 04 00000064", false, kWithdraw, kWithdraw},
};

TEST(Rfc7606, MissingAttributes) {
  for (const MissingRow& row : kMissing) {
    const std::string reach = hex("80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8");
    const std::string message =
        row.classic ? update({}, hex(row.attributes), hex("08 0a")) : update({}, reach + hex(row.attributes), {});
    Update got;
    EXPECT_EQ(outcome_of(message, context_of(false), got), row.external) << row.why;
    EXPECT_EQ(outcome_of(message, context_of(true), got), row.internal) << row.why;
  }
}

struct ResetRow {
  std::string_view why, body;  // after the header
  int subcode;
};

constexpr ResetRow kResets[] = {
    {"withdrawn routes past the end", "ffff 0000", 1},
    {"withdrawn routes past the end by one", "0001 0000", 1},
    {"attributes past the end", "0000 0001", 1},
    {"attributes far past the end", "0000 ffff 40", 1},
    {"both lengths together past the end", "0002 0800 0002 00", 1},
    {"withdrawn prefix of 33 bits", "0006 21 0a00000000 0000", 10},
    {"withdrawn prefix past the end", "0002 10 0a 0000", 10},
    {"NLRI prefix of 33 bits", "0000 0014 40010100 400206 02010000fde9 400304 c0000201 21 0a00000000", 10},
    {"NLRI prefix past the end", "0000 0014 40010100 400206 02010000fde9 400304 c0000201 18 0a", 10},
    {"NLRI prefix of 255 bits", "0000 0014 40010100 400206 02010000fde9 400304 c0000201 ff", 10},
    {"unknown well-known attribute", "0000 0003 40c800", 2},
    {"MP_REACH next hop", "0000 000b 800e08 0002 01 03 aabbcc 00", 9},
};

TEST(Rfc7606, ResetsHaveTheirSubcode) {
  for (const ResetRow& row : kResets) {
    Update got;
    const auto result = decode_update(view_of(test::message(2, hex(row.body))), context_of(false), got);
    ASSERT_FALSE(result.ok()) << row.why;
    EXPECT_EQ(result.error().notification.code, 3) << row.why;
    EXPECT_EQ(result.error().notification.subcode, row.subcode) << row.why << ": " << result.error().what;
  }
}

TEST(Rfc7606, TheAttributeAtFaultIsInTheNotification) {
  Update got;
  const auto result = decode_update(view_of(update({}, hex("40 c8 02 abcd"), {})), context_of(false), got);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(to_hex(result.error().notification.data), "40c802abcd");
  EXPECT_EQ(result.error().what, "UPDATE: unknown well-known attribute");
}

TEST(Rfc7606, KnobsForRouteServersAndOldPaths) {
  DecodeContext context = context_of(false);
  context.enforce_first_as = false;
  context.allow_as_set = true;
  Update got;
  EXPECT_EQ(
      outcome_of(update({}, hex("40 01 01 00 40 02 0c 02 01 00000007 01 01 00000001 40 03 04 c0000201"), hex("08 0a")),
                 context, got),
      Outcome::kFine);
  EXPECT_EQ(AttributeView(view_of(got.attributes)).as_path().to_string(), "7 {1}");
}

TEST(Rfc7606, OldSpeakerOfALargeNumberShowsAsTrans) {
  DecodeContext context = context_of(false);
  context.four_octet_as = false;
  context.peer_asn = Asn(70000);
  Update got;
  const std::string rest = "40 03 04 c0000201";
  EXPECT_EQ(outcome_of(update({}, hex(concat("40 01 01 00 40 02 04 02 01 5ba0", rest)), hex("08 0a")), context, got),
            Outcome::kFine);
  EXPECT_EQ(outcome_of(update({}, hex(concat("40 01 01 00 40 02 04 02 01 1170", rest)), hex("08 0a")), context, got),
            Outcome::kWithdraw);
}

// Message shapes that brought other speakers down: whole bodies, and what we make of them.
struct ShapeRow {
  std::string_view why, body;
  Outcome expected;
};

constexpr ShapeRow kShapes[] = {
    {"FRR CVE-2023-41358: NLRI without attributes", "0000 0000 18 0a0001", kWithdraw},
    {"FRR CVE-2023-46753: only an unknown attribute, and NLRI",
     "0000 0014 ff1f0010 000102030405060708090a0b0c0d0e0f 18 0a0001", kWithdraw},
    {"FRR CVE-2023-47235: looks like End-of-RIB, with an attribute", "0000 0003 c0ff00 18 0a0001", kWithdraw},
    {"the same without NLRI", "0000 0003 c0ff00", kFine},
    {"FRR CVE-2023-47234: MP_UNREACH, a bad attribute, NLRI", "0000 000a 800f03 000201 400101 09 18 0a0001", kWithdraw},
    {"FRR CVE-2023-46752: MP_REACH cut short", "0000 0006 800e03 000201", kReset},
    {"FRR CVE-2023-38802, OpenBGPD CVE-2023-38283: junk in attribute 23",
     "0000 001b 40010100 400206 02010000fde9 400304 c0000201 c01704 ffffffff 18 0a0001", kWithdraw},
    {"FRR CVE-2023-38407, -41909: labeled and flowspec families of no session",
     "0000 000d 800e0a 0001 85 00 00 f0000000 ff", kFine},
    {"FRR CVE-2023-31490, -2024-31948: Prefix-SID cut short",
     "0000 0019 40010100 400206 02010000fde9 400304 c0000201 c02802 0500 18 0a0001", kDiscard},
    {"GoBGP CVE-2026-41643: AS4_PATH before AS_PATH",
     "0000 001d c01106 02010001 0001 40010100 400206 02010000fde9 400304 c0000201 18 0a0001", kDiscard},
    {"GoBGP CVE-2026-41642: unknown well-known attribute",
     "0000 0018 40010100 400206 02010000fde9 400304 c0000201 40c801ff 18 0a0001", kReset},
    {"GoBGP #3392: ORIGIN without the transitive flag",
     "0000 0014 00010100 400206 02010000fde9 400304 c0000201 18 0a0001", kWithdraw},
    {"GoBGP GHSA-frrj-87jh-2772: AS_PATH of 0 bytes", "0000 000e 40010100 400200 400304 c0000201 18 0a0001", kWithdraw},
    {"attribute 28 of 2023-06", "0000 0018 40010100 400206 02010000fde9 400304 c0000201 c01c01ff 18 0a0001", kFine},
    {"frr#19336: attribute 40 with junk",
     "0000 001b 40010100 400206 02010000fde9 400304 c0000201 e02804 00ffffff 18 0a0001", kDiscard},
};

TEST(KnownShapes, NoneOfThemResetsMoreThanItMust) {
  for (const ShapeRow& row : kShapes) {
    Update got;
    EXPECT_EQ(outcome_of(test::message(2, hex(row.body)), context_of(false), got), row.expected) << row.why;
  }
}

TEST(KnownShapes, PathsOfManySegmentsArePassedOn) {
  // OpenBGPD d76d10659: more than 750 numbers.
  std::string path;
  for (int segment = 0; segment < 3; ++segment) {
    path += hex("02 ff");
    for (int i = 0; i < 255; ++i) path += hex("0000fde9");
  }
  Update got;
  const std::string message = update(
      {}, hex("40 01 01 00 50 02") + test::two_octets(path.size()) + path + hex("40 03 04 c0000201"), hex("08 0a"));
  ASSERT_EQ(outcome_of(message, context_of(false), got), Outcome::kFine);
  AttributeEditor editor(AttributeView(view_of(got.attributes)));
  const std::vector<Asn> more(300, Asn(65002));
  editor.prepend(more);
  const std::string longer = editor.finish();
  EXPECT_EQ(AttributeView(view_of(longer)).as_path().length(), 3 * 255U + 300);
  std::string bytes;
  EXPECT_FALSE(encode_reach({}, view_of(longer), got.reach[kV4].next_hop, got.reach[kV4].nlri, bytes).ok());
  EncodeContext extended;
  extended.extended_message = true;
  EXPECT_TRUE(encode_reach(extended, view_of(longer), got.reach[kV4].next_hop, got.reach[kV4].nlri, bytes).ok());
}

TEST(KnownShapes, ManyFaultsAreNotKeptWithoutEnd) {
  std::string attributes = hex("40 01 01 00");
  for (int i = 0; i < 1000; ++i) attributes += hex("40 01 01 00");
  attributes += hex("40 02 02 02 00 40 03 04 c0000201");
  Update got;
  EXPECT_EQ(outcome_of(update({}, attributes, hex("08 0a")), context_of(false), got), Outcome::kWithdraw);
  EXPECT_LE(got.faults.size(), 16U);
}

}  // namespace
}  // namespace margay::bgp
