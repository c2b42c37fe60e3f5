// Golden bytes of every message but UPDATE, written from the RFCs.

#include <gtest/gtest.h>

#include "base/core/text.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/test_bytes.h"

namespace margay::bgp {
namespace {

using bytes::view_of;
using test::hex;
using test::message;
using test::to_hex;

constexpr AfiSafi kAfiSafiV4{1, 1};
constexpr AfiSafi kAfiSafiV6{2, 1};

struct CapabilityCase {
  std::string_view what;
  Capabilities value;
  std::string_view bytes;  // code, length, value
};

std::vector<CapabilityCase> capability_cases() {
  std::vector<CapabilityCase> cases;
  const auto add = [&](std::string_view what, std::string_view bytes, auto fill) {
    Capabilities value;
    fill(value);
    cases.push_back({what, std::move(value), bytes});
  };
  add("RFC 4760: IPv4 unicast", "01 04 0001 00 01", [](auto& c) { c.multiprotocol = {kAfiSafiV4}; });
  add("RFC 4760: two families", "01 04 0001 00 01  01 04 0002 00 01", [](auto& c) {
    c.multiprotocol = {kAfiSafiV4, kAfiSafiV6};
  });
  add("RFC 4760: a family that we do not speak", "01 04 0001 00 80", [](auto& c) { c.multiprotocol = {{1, 128}}; });
  add("RFC 2918", "02 00", [](auto& c) { c.route_refresh = true; });
  add("RFC 8950", "05 06 0001 0001 0002", [](auto& c) { c.extended_next_hop = {kAfiSafiV4}; });
  add("RFC 8654", "06 00", [](auto& c) { c.extended_message = true; });
  add("RFC 4724: restarting, both families, one kept", "40 0a 8078 0001 01 80 0002 01 00", [](auto& c) {
    c.graceful_restart = GracefulRestart{true, false, 120, {{kAfiSafiV4, true}, {kAfiSafiV6, false}}};
  });
  add("RFC 4724: helper only", "40 02 0000", [](auto& c) { c.graceful_restart = GracefulRestart{}; });
  add("RFC 8538: N bit, the longest time", "40 02 4fff", [](auto& c) {
    c.graceful_restart = GracefulRestart{false, true, 4095, {}};
  });
  add("RFC 6793", "41 04 fffffffe", [](auto& c) { c.four_octet_asn = Asn(4294967294U); });
  add("RFC 7911: receive", "45 04 0001 01 01", [](auto& c) { c.add_path[kAfiSafiV4] = {true, false}; });
  add("RFC 7911: send", "45 04 0001 01 02", [](auto& c) { c.add_path[kAfiSafiV4] = {false, true}; });
  add("RFC 7911: both, two families", "45 08 0001 01 03 0002 01 03", [](auto& c) {
    c.add_path[kAfiSafiV4] = {true, true};
    c.add_path[kAfiSafiV6] = {true, true};
  });
  add("RFC 7313", "46 00", [](auto& c) { c.enhanced_route_refresh = true; });
  add("RFC 9494", "47 0e 0001 01 80 015180 0002 01 00 ffffff", [](auto& c) {
    c.long_lived[kAfiSafiV4] = {true, 86400};
    c.long_lived[kAfiSafiV6] = {false, 0xffffff};
  });
  add("hostname", "49 06 04 6e6f6465 00", [](auto& c) { c.hostname = "node"; });
  add("software version", "4b 08 07 6d617267617931", [](auto& c) { c.software_version = "margay1"; });
  return cases;
}

std::string open_bytes(std::string_view parameters) {
  return message(1, hex("04 fde8 005a 0a000001") + static_cast<char>(parameters.size()) + std::string(parameters));
}

Open open_of(Capabilities capabilities) { return {Asn(65000), 90, RouterId(0x0a000001), std::move(capabilities)}; }

TEST(Open, EachCapabilityHasItsBytesAndComesBack) {
  for (const CapabilityCase& each : capability_cases()) {
    const std::string value = hex(each.bytes);
    Open open = open_of(each.value);
    if (each.value.four_octet_asn) open.asn = *each.value.four_octet_asn;
    std::string bytes;
    encode_open(open, bytes);
    const std::string parameter = hex("02") + static_cast<char>(value.size()) + value;
    std::string expected = open_bytes(parameter);
    if (each.value.four_octet_asn) expected.replace(20, 2, hex("5ba0"));  // AS_TRANS
    EXPECT_EQ(to_hex(bytes), to_hex(expected)) << each.what;
    const auto decoded = decode_open(view_of(bytes));
    ASSERT_TRUE(decoded.ok()) << each.what << ": " << decoded.error().what;
    EXPECT_EQ(*decoded, open) << each.what;
  }
}

TEST(Open, WithoutCapabilitiesHasNoParameters) {
  std::string bytes;
  encode_open(open_of({}), bytes);
  EXPECT_EQ(to_hex(bytes), to_hex(message(1, hex("04 fde8 005a 0a000001 00"))));
  EXPECT_EQ(*decode_open(view_of(bytes)), open_of({}));
}

TEST(Open, MoreThan255BytesOfParametersTakeTheFormOfRfc9072) {
  Capabilities capabilities;
  for (std::uint16_t afi = 1; afi <= 50; ++afi) capabilities.multiprotocol.insert({afi, 1});
  std::string bytes;
  encode_open(open_of(capabilities), bytes);
  // 50 capabilities of 6 bytes: 300; in a parameter with two octets of length: 303.
  EXPECT_EQ(to_hex(bytes.substr(28, 7)), "ffff012f02012c");
  EXPECT_EQ(bytes.size(), 29U + 6 + 300);
  const auto decoded = decode_open(view_of(bytes));
  ASSERT_TRUE(decoded.ok()) << decoded.error().what;
  EXPECT_EQ(*decoded, open_of(capabilities));
}

TEST(Open, TheLengthBeforeType255IsNotLookedAt) {
  const std::string capability = hex("02 0002 0200");
  for (const char length : {'\x01', '\x7f', '\xff'}) {
    const std::string bytes = message(1, hex("04 fde8 005a 0a000001") + length + hex("ff 0005") + capability);
    const auto decoded = decode_open(view_of(bytes));
    ASSERT_TRUE(decoded.ok()) << decoded.error().what;
    EXPECT_TRUE(decoded->capabilities.route_refresh);
  }
}

TEST(Open, RepeatedCapabilitiesAddUpAndTheLastCounts) {
  const auto decoded =
      decode_open(view_of(open_bytes(hex("02 06 01 04 0001 00 01  02 06 01 04 0002 00 01  02 04 40 02 0001  02 04 40 "
                                         "02 0002  02 06 41 04 00000001  02 06 41 04 00000002"))));
  ASSERT_TRUE(decoded.ok()) << decoded.error().what;
  EXPECT_EQ(decoded->capabilities.multiprotocol, (std::set<AfiSafi>{kAfiSafiV4, kAfiSafiV6}));
  EXPECT_EQ(decoded->capabilities.graceful_restart->restart_time_s, 2);
  EXPECT_EQ(decoded->asn, Asn(2));
}

TEST(Open, UnknownCapabilitiesKeepTheirNumbers) {
  const auto decoded = decode_open(view_of(open_bytes(hex("02 07 80 00 43 03 aabbcc"))));
  ASSERT_TRUE(decoded.ok()) << decoded.error().what;
  EXPECT_EQ(decoded->capabilities.unknown, (std::set<std::uint8_t>{0x43, 0x80}));
}

TEST(Open, ADirectionThatRfc7911DoesNotKnowIsNotUnderstood) {
  const auto decoded = decode_open(view_of(open_bytes(hex("02 0a 45 08 0001 01 04 0002 01 03"))));
  ASSERT_TRUE(decoded.ok()) << decoded.error().what;
  EXPECT_EQ(decoded->capabilities.add_path, (std::map<AfiSafi, AddPath>{{kAfiSafiV6, {true, true}}}));
}

struct BadOpen {
  std::string_view why;
  std::string_view body;  // after the header
  int subcode;
  std::string_view data = "";
};

constexpr BadOpen kBadOpens[] = {
    {"version 3: ours is told", "03 fde8 005a 0a000001 00", 1, "0004"},
    {"AS 0 (RFC 7607)", "04 0000 005a 0a000001 00", 2},
    {"AS 0 in the capability", "04 5ba0 005a 0a000001 08 02 06 41 04 00000000", 2},
    {"hold time 1", "04 fde8 0001 0a000001 00", 6},
    {"hold time 2", "04 fde8 0002 0a000001 00", 6},
    {"identifier 0 (RFC 6286)", "04 fde8 005a 00000000 00", 3},
    {"parameter that is no capability", "04 fde8 005a 0a000001 03 03 01 00", 4},
    {"the old authentication parameter", "04 fde8 005a 0a000001 03 01 01 00", 4},
    {"parameters longer than told", "04 fde8 005a 0a000001 00 02 00", 0},
    {"parameters shorter than told", "04 fde8 005a 0a000001 04 02 00", 0},
    {"parameter of one byte", "04 fde8 005a 0a000001 01 02", 0},
    {"parameter past the end", "04 fde8 005a 0a000001 04 02 06 02 00", 0},
    {"capability of one byte", "04 fde8 005a 0a000001 03 02 01 02", 0},
    {"capability past its parameter", "04 fde8 005a 0a000001 06 02 04 41 06 0000", 0},
    {"multiprotocol of 3 bytes", "04 fde8 005a 0a000001 07 02 05 01 03 000100", 0},
    {"route refresh with a value", "04 fde8 005a 0a000001 05 02 03 02 01 00", 0},
    {"extended next hop of 5 bytes", "04 fde8 005a 0a000001 09 02 07 05 05 0001000100", 0},
    {"graceful restart of 1 byte", "04 fde8 005a 0a000001 05 02 03 40 01 00", 0},
    {"graceful restart of 5 bytes", "04 fde8 005a 0a000001 09 02 07 40 05 0078000101", 0},
    {"four-octet AS of 0 bytes, then another (GHSA-gjrg-jjr3-56cm)", "04 fde8 005a 0a000001 06 02 04 41 00 02 00", 0},
    {"four-octet AS of 3 bytes", "04 fde8 005a 0a000001 07 02 05 41 03 000001", 0},
    {"add-path of 3 bytes", "04 fde8 005a 0a000001 07 02 05 45 03 000101", 0},
    {"long-lived of 6 bytes (CVE-2023-31489)", "04 fde8 005a 0a000001 0a 02 08 47 06 000101000000", 0},
    {"RFC 9072 form, nothing after the type (CVE-2022-40302)", "04 fde8 005a 0a000001 ff ff", 0},
    {"RFC 9072 form, half a length (CVE-2022-40318)", "04 fde8 005a 0a000001 ff ff 00", 0},
    {"RFC 9072 form, ends after the length (CVE-2022-40302)", "04 fde8 005a 0a000001 ff ff 00 02 00 01", 0},
    {"RFC 9072 form, length past the end", "04 fde8 005a 0a000001 ff ff 0005 02 0001 02", 0},
    {"RFC 9072 form, parameter cut short", "04 fde8 005a 0a000001 ff ff 0002 02 00", 0},
    {"told 0x6b bytes, one there (CVE-2022-43681)", "04 fde8 00de 0a000001 6b ff", 0},
    {"capabilities cut inside (gobgp#2598)", "04 fde8 005a 0a000001 0f 02 0d 02 01 04 00 01 00 01 41 04 00 00 fd", 0},
};

TEST(Open, WhatIsWrongHasItsSubcode) {
  for (const BadOpen& each : kBadOpens) {
    const auto decoded = decode_open(view_of(message(1, hex(each.body))));
    ASSERT_FALSE(decoded.ok()) << each.why;
    EXPECT_EQ(decoded.error().notification.code, 2) << each.why;
    EXPECT_EQ(decoded.error().notification.subcode, each.subcode) << each.why << ": " << decoded.error().what;
    EXPECT_EQ(to_hex(decoded.error().notification.data), each.data) << each.why;
  }
}

TEST(Open, NamesForPeopleNeverEndASession) {
  // CVE-2025-43971 and relatives: lengths inside capabilities 73 and 75 that are wrong.
  for (const std::string_view parameter : {"02 09 4b 07 0a000000000000", "02 03 4b 01 00", "02 02 4b 00",
                                           "02 03 4b 01 ff", "02 02 49 00", "02 04 49 02 ff 61"}) {
    const auto decoded = decode_open(view_of(open_bytes(hex(parameter))));
    ASSERT_TRUE(decoded.ok()) << parameter << ": " << decoded.error().what;
    EXPECT_EQ(decoded->capabilities.software_version, "") << parameter;
    EXPECT_EQ(decoded->capabilities.hostname, "") << parameter;
  }
}

TEST(Capabilities, PrintOneALine) {
  Capabilities all;
  all.multiprotocol = {kAfiSafiV4, {1, 128}};
  all.route_refresh = all.extended_message = all.enhanced_route_refresh = true;
  all.extended_next_hop = {kAfiSafiV4};
  all.graceful_restart = GracefulRestart{true, true, 120, {{kAfiSafiV4, true}}};
  all.four_octet_asn = Asn(64512);
  all.add_path[kAfiSafiV6] = {true, false};
  all.long_lived[kAfiSafiV4] = {true, 60};
  all.hostname = "a\nb";
  all.software_version = "x";
  all.unknown = {9};
  EXPECT_EQ(join(all.to_strings(), "|"),
            "multiprotocol ipv4-unicast|multiprotocol afi-1-safi-128|route-refresh|extended-next-hop ipv4-unicast|"
            "extended-message|graceful-restart 120 s restarting notification|graceful-restart ipv4-unicast forwarding|"
            "four-octet-as 64512|add-path ipv6-unicast receive|enhanced-route-refresh|"
            "long-lived-graceful-restart ipv4-unicast 60 s forwarding|hostname a b|software-version x|unknown 9");
}

TEST(Keepalive, IsAHeader) {
  std::string bytes;
  encode_keepalive(bytes);
  EXPECT_EQ(to_hex(bytes), "ffffffffffffffffffffffffffffffff001304");
}

TEST(RouteRefresh, HasItsBytesAndComesBack) {
  const struct {
    RouteRefresh value;
    std::string_view body;
  } cases[] = {
      {{Family::kIpv4Unicast, RefreshKind::kRequest}, "0001 00 01"},
      {{Family::kIpv6Unicast, RefreshKind::kBegin}, "0002 01 01"},
      {{Family::kIpv6Unicast, RefreshKind::kEnd}, "0002 02 01"},
  };
  for (const auto& each : cases) {
    std::string bytes;
    encode_route_refresh(each.value, bytes);
    EXPECT_EQ(to_hex(bytes), to_hex(message(5, hex(each.body))));
    const auto decoded = decode_route_refresh(view_of(bytes));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(std::get<RouteRefresh>(*decoded), each.value);
  }
}

TEST(RouteRefresh, OthersAreIgnoredAndFiltersSkipped) {
  for (const std::string_view body : {"0001 03 01", "0001 ff 01", "0001 00 80", "0019 00 41"}) {
    const auto decoded = decode_route_refresh(view_of(message(5, hex(body))));
    ASSERT_TRUE(decoded.ok()) << body;
    EXPECT_TRUE(std::holds_alternative<Ignored>(*decoded)) << body;
  }
  // RFC 5291 entries, cut short (CVE-2023-41360): we agreed on none of it.
  const auto with_filter = decode_route_refresh(view_of(message(5, hex("0001 00 01 01 80 00ff 00"))));
  ASSERT_TRUE(with_filter.ok());
  EXPECT_EQ(std::get<RouteRefresh>(*with_filter), RouteRefresh{});
}

TEST(RouteRefresh, OfAnotherLengthIsAnError) {
  const std::string bytes = message(5, hex("0001 01 01 00"));  // RFC 7313 §5
  const auto decoded = decode_route_refresh(view_of(bytes));
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().notification, (Notification{7, 1, bytes}));
  EXPECT_FALSE(decode_route_refresh(view_of(message(5, hex("0001 00")))).ok());
}

TEST(Notification, HasItsBytesAndComesBack) {
  const Notification notification{6, 2, hex("05 68656c6c6f")};
  std::string bytes;
  encode_notification(notification, bytes);
  EXPECT_EQ(to_hex(bytes), to_hex(message(3, hex("06 02 05 68656c6c6f"))));
  EXPECT_EQ(*decode_notification(view_of(bytes)), notification);
  EXPECT_FALSE(decode_notification(view_of(message(3, hex("06")))).ok());
}

TEST(Notification, DataIsCutToAMessage) {
  std::string bytes;
  encode_notification({3, 1, std::string(70'000, 'x')}, bytes);
  EXPECT_EQ(bytes.size(), kMessageSizeMax);
  EXPECT_EQ(to_hex(bytes.substr(16, 5)), "1000030301");
}

TEST(Notification, PrintsForPeople) {
  const struct {
    Notification value;
    std::string_view text;
  } cases[] = {
      {{1, 1, ""}, "Message Header Error/Connection Not Synchronized"},
      {{2, 6, ""}, "OPEN Message Error/Unacceptable Hold Time"},
      {{2, 8, ""}, "OPEN Message Error/8"},
      {{2, 11, ""}, "OPEN Message Error/Role Mismatch"},
      {{3, 1, "\x40\x01"}, "UPDATE Message Error/Malformed Attribute List (data 4001)"},
      {{4, 0, ""}, "Hold Timer Expired"},
      {{5, 3, ""}, "Finite State Machine Error/Unexpected Message in Established"},
      {{6, 0, ""}, "Cease/Unspecific"},
      {{6, 2, ""}, "Cease/Administrative Shutdown"},
      {{6, 2, "\x1amaintenance until 5\x07 today"}, "Cease/Administrative Shutdown: maintenance until 5  today"},
      {cease(2, "maintenance until 5"), "Cease/Administrative Shutdown: maintenance until 5"},
      {cease(4, "caf\xc3\xa9"), "Cease/Administrative Reset: caf\xc3\xa9"},
      {cease(9), "Cease/Hard Reset"},
      {{6, 9, std::string("\x06\x02\x02hi")}, "Cease/Hard Reset (Cease/Administrative Shutdown: hi)"},
      {cease(10), "Cease/BFD Down"},
      {{6, 77, ""}, "Cease/77"},
      {{7, 1, ""}, "ROUTE-REFRESH Message Error/Invalid Message Length"},
      {{8, 0, ""}, "Send Hold Timer Expired"},
      {{99, 3, ""}, "Code 99/3"},
      // CVE-2019-16159: a text longer than the data, and bytes that are no text.
      {{6, 2,
        "\xff"
        "abc"},
       "Cease/Administrative Shutdown (data ff616263)"},
      {{6, 2, "\x03\xff\x1b\x80"}, "Cease/Administrative Shutdown: ? ?"},
      {{6, 2, std::string(1, '\0')}, "Cease/Administrative Shutdown"},
  };
  for (const auto& each : cases) EXPECT_EQ(each.value.to_string(), each.text);
}

TEST(Cease, TextIsCutAtACharacterAndOnlyWhereItBelongs) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";  // 3 bytes each
  const Notification long_text = cease(cease_subcode::kAdministrativeShutdown, text);
  EXPECT_EQ(long_text.data.size(), 1U + 255);
  EXPECT_EQ(static_cast<unsigned char>(long_text.data[0]), 255);
  const Notification uneven = cease(cease_subcode::kAdministrativeReset, "a" + text);
  EXPECT_EQ(uneven.data.size(), 1U + 253);
  EXPECT_EQ(cease(cease_subcode::kConnectionCollision, "x").data, "");
}

struct HeaderCase {
  std::string_view why;
  std::string bytes;
  int subcode;  // 0: fine
  std::string_view data = "";
};

TEST(Header, IsChecked) {
  const std::string marker(16, '\xff');
  const HeaderCase cases[] = {
      {"keepalive", marker + hex("0013 04"), 0},
      {"update of 4096", marker + hex("1000 02"), 0},
      {"marker", std::string(15, '\xff') + hex("fe 0013 04"), 1},
      {"marker, first byte alone", hex("00"), 1},
      {"length 18", marker + hex("0012 04"), 2, "0012"},
      {"length 0", marker + hex("0000 02"), 2, "0000"},
      {"length 4097", marker + hex("1001 02"), 2, "1001"},
      {"keepalive of 20", marker + hex("0014 04"), 2, "0014"},
      {"open of 28", marker + hex("001c 01"), 2, "001c"},
      {"update of 22", marker + hex("0016 02"), 2, "0016"},
      {"notification of 20", marker + hex("0014 03"), 2, "0014"},
      {"route refresh of 22", marker + hex("0016 05"), 2, "0016"},
      {"type 0", marker + hex("0013 00"), 3, "00"},
      {"type 6", marker + hex("0013 06"), 3, "06"},
  };
  for (const HeaderCase& each : cases) {
    const auto header = decode_header(view_of(each.bytes), {});
    ASSERT_EQ(header.ok(), each.subcode == 0) << each.why;
    if (header.ok()) {
      EXPECT_TRUE(header->has_value()) << each.why;
      continue;
    }
    EXPECT_EQ(header.error().notification.code, 1) << each.why;
    EXPECT_EQ(header.error().notification.subcode, each.subcode) << each.why;
    EXPECT_EQ(to_hex(header.error().notification.data), each.data) << each.why;
  }
}

TEST(Header, ExtendedMessagesAreLongerButNotOpenAndKeepalive) {
  const std::string marker(16, '\xff');
  DecodeContext extended;
  extended.extended_message = true;
  EXPECT_EQ((*decode_header(view_of(marker + hex("ffff 02")), extended))->size, 65535U);
  EXPECT_FALSE(decode_header(view_of(marker + hex("1001 01")), extended).ok());
  EXPECT_FALSE(decode_header(view_of(marker + hex("1001 04")), extended).ok());
}

TEST(Header, WaitsForAllOfIt) {
  const std::string whole = std::string(16, '\xff') + hex("0013 04");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto header = decode_header(view_of(whole).first(size), {});
    ASSERT_TRUE(header.ok());
    EXPECT_FALSE(header->has_value());
  }
}

}  // namespace
}  // namespace margay::bgp
