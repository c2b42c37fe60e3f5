// The two programs by BPF_PROG_TEST_RUN, packet for packet. Needs root and a kernel with BPF; no network.
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "dataplane/bpf/object.h"
#include "dataplane/bpf/raw_map.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"
#include "ipip/ebpf/attachments.h"
#include "ipip/ebpf/ebpf_tunnel.h"
#include "ipip/ebpf/packets.h"
#include "ipip/ebpf/program.h"
#include "ipip/ebpf/test_values.h"
#include "ipip/ebpf/tunnel_maps.h"

namespace margay::ipip {
namespace {

constexpr auto kOk = static_cast<std::uint32_t>(TC_ACT_UNSPEC);
constexpr std::uint32_t kShot = TC_ACT_SHOT;

const IpAddress kUs = ip("192.0.2.1");
const IpAddress kOther = ip("192.0.2.2");
const IpAddress kOurPod = ip("10.0.1.5");
const IpAddress kTheirPod = ip("10.0.2.5");

// Where a field of the outer header stands, or of the inner without an outer.
std::size_t at(std::size_t offset) { return kEthernetBytes + offset; }
std::uint16_t word(const Bytes& bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[at(offset)] << 8U | bytes[at(offset) + 1]);
}
Bytes from(const Bytes& bytes, std::size_t offset) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(offset), bytes.end()};
}

class TunnelProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    auto loaded = load_tunnel();
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    object_.emplace(std::move(loaded).value());
    netlink::tool_output("ip link set lo mtu 1500");
    fill();
  }

  void fill() {
    auto routes = map("mgy_ipip1_route"), senders = map("mgy_ipip1_known");
    auto addresses = map("mgy_ipip1_local"), config = map("mgy_ipip1_conf");
    TunnelMaps maps({routes, senders, addresses, config});
    maps.set_remotes({{net("10.0.2.0/24"), kOther}, {net("10.0.1.77/32"), kOther}, {net("192.0.2.0/28"), kOther}});
    maps.set_remote(net("10.0.2.99/32"), plain_node());
    maps.set_own_prefixes({net("10.0.1.0/24"), net("10.0.2.128/26")});
    maps.set_senders({kOther});
    maps.set_addresses(source_, {kUs, ip("192.0.2.65")});
    std::size_t updated = 0;
    ASSERT_TRUE(maps.resync().ok());
    ASSERT_TRUE(maps.apply_updates(updated).ok());
  }
  bpf::KernelMap map(const char* name) { return bpf::KernelMap::of(object_->map(name).value()).value(); }

  bpf::TestRun run(const char* program, const Bytes& packet, std::uint32_t gso_size = 0) {
    auto out = bpf::test_run(object_->program(program).value(), {.bytes = packet, .gso_size = gso_size});
    EXPECT_TRUE(out.ok()) << out.error().message;
    return out.ok() ? std::move(out).value() : bpf::TestRun{};
  }
  bpf::TestRun leave(const Bytes& packet) { return run(kOutProgram, packet); }
  bpf::TestRun arrive(const Bytes& packet) { return run(kInProgram, packet); }

  std::vector<std::uint64_t> drops() {
    std::vector<std::uint64_t> out;
    EXPECT_TRUE(map("mgy_ipip1_drops")
                    .walk([&](bpf::ByteView, bpf::ByteView values) {
                      out.push_back(0);
                      for (std::size_t i = 0; i < values.size(); i += 8) {
                        std::uint64_t one = 0;
                        std::memcpy(&one, values.data() + i, sizeof(one));
                        out.back() += one;
                      }
                    })
                    .ok());
    return out;
  }
  // Of all nodes together; `nodes`: how many there are.
  NodeTraffic traffic(std::size_t* nodes = nullptr) {
    NodeTraffic sum{};
    EXPECT_TRUE(map("mgy_ipip2_nodes")
                    .walk([&](bpf::ByteView, bpf::ByteView values) {
                      if (nodes != nullptr) ++*nodes;
                      for (std::size_t i = 0; i < values.size(); i += sizeof(NodeTraffic)) {
                        NodeTraffic one{};
                        std::memcpy(&one, values.data() + i, sizeof(one));
                        sum.packets_in += one.packets_in;
                        sum.bytes_in += one.bytes_in;
                        sum.packets_out += one.packets_out;
                        sum.bytes_out += one.bytes_out;
                        sum.drops_in += one.drops_in;
                        sum.drops_out += one.drops_out;
                        sum.too_big_on_the_way += one.too_big_on_the_way;
                      }
                    })
                    .ok());
    return sum;
  }
  // The packet is dropped, for that reason and no other.
  void expect_dropped(const char* program, const Bytes& packet, DropIndex reason, const char* why) {
    std::vector<std::uint64_t> expected = drops();
    ++expected.at(reason);
    EXPECT_EQ(run(program, packet).verdict, kShot) << why;
    EXPECT_EQ(drops(), expected) << why << ": " << to_string(reason);
  }

  std::optional<netlink::ScratchNamespace> space_;
  std::optional<bpf::Object> object_;
  std::optional<IpAddress> source_ = kUs;
};

Bytes to_their_pod(std::uint8_t tos = 0, std::uint16_t fragment = kDontFragment, std::size_t payload = 64) {
  return ethernet(ipv4({.from = kOurPod, .to = kTheirPod, .tos = tos, .fragment = fragment}, Bytes(payload, 3)));
}

TEST_F(TunnelProgramTest, OuterHeaderIsThatOfRfc2003) {
  struct Case {
    const char* why;
    std::uint8_t tos;
    std::uint16_t fragment;
    std::size_t payload;
  };
  const Case cases[] = {
      {"a plain packet", 0, kDontFragment, 64},
      {"one that routers may fragment", 0, 0, 64},
      {"DSCP is copied", 0xb8, kDontFragment, 64},
      {"a first fragment", 0, 0x2000, 64},
      {"a later fragment with DF", 0, kDontFragment | 0x2005, 64},
      {"no payload", 0, kDontFragment, 0},
      {"as long as the uplink takes", 0, kDontFragment, 1500 - 40},
  };
  for (const Case& each : cases) {
    const Bytes packet = to_their_pod(each.tos, each.fragment, each.payload);
    const bpf::TestRun out = leave(packet);
    ASSERT_EQ(out.verdict, kOk) << each.why;
    ASSERT_EQ(out.packet.size(), packet.size() + kOverheadBytes) << each.why;
    EXPECT_EQ(out.packet[at(0)], 0x45) << each.why;
    EXPECT_EQ(out.packet[at(1)], each.tos) << each.why;
    EXPECT_EQ(word(out.packet, 2), each.payload + 40) << each.why;
    EXPECT_EQ(word(out.packet, 4), 0) << each.why;
    EXPECT_EQ(word(out.packet, 6), kDontFragment) << each.why << ": nobody could put it together";
    EXPECT_EQ(out.packet[at(8)], 64) << each.why;
    EXPECT_EQ(out.packet[at(9)], kProtocolIpip) << each.why;
    EXPECT_EQ(checksum_of(out.packet, at(0)), 0) << each.why;
    EXPECT_EQ(*IpAddress::from_bytes(std::span(out.packet).subspan(at(12), 4)), kUs) << each.why;
    EXPECT_EQ(*IpAddress::from_bytes(std::span(out.packet).subspan(at(16), 4)), kOther) << each.why;
    EXPECT_EQ(from(out.packet, at(kIpv4Bytes)), from(packet, kEthernetBytes)) << each.why;
  }
}

TEST_F(TunnelProgramTest, OthersGoAsTheyAre) {
  const auto to = [](const IpAddress& address) { return ethernet(ipv4({.from = kOurPod, .to = address}, Bytes(40))); };
  const std::pair<const char*, Bytes> cases[] = {
      {"a destination of nobody", to(ip("198.51.100.1"))},
      {"our own prefix", to(ip("10.0.1.9"))},
      {"another node's by plain routes", to(ip("10.0.2.99"))},
      {"our own block in a node's range", to(ip("10.0.2.130"))},
      {"the node itself, although a range holds it", to(kOther)},
      {"our own tunnel", ethernet(ipv4({.from = kUs, .to = kOther, .protocol = kProtocolIpip}, Bytes(40)))},
      {"ARP", ethernet(Bytes(46), 0x0806)},
      {"IPv6", ethernet(Bytes(60, 0x60), 0x86dd)},

  };
  for (const auto& [why, packet] : cases) {
    const bpf::TestRun out = leave(packet);
    EXPECT_EQ(out.verdict, kOk) << why;
    EXPECT_EQ(out.packet, packet) << why;
  }
}

TEST_F(TunnelProgramTest, ABorrowedAddressGoesToItsNode) {
  const Bytes packet = ethernet(ipv4({.from = kOurPod, .to = ip("10.0.1.77")}, Bytes(40)));
  EXPECT_EQ(leave(packet).packet.size(), packet.size() + kOverheadBytes);
}

TEST_F(TunnelProgramTest, WhatCannotBeSentIsDroppedNotSentPlain) {
  expect_dropped(kOutProgram, to_their_pod(0, kDontFragment, 1500 - 39), kDropTooBig, "one byte too long");
  source_.reset();
  fill();
  expect_dropped(kOutProgram, to_their_pod(), kDropNoSource, "no address of our own");
}

TEST_F(TunnelProgramTest, SegmentsOfAnUnknownKindAreDropped) {
  // A test run says a segment size without saying of what; the kernel cannot put a header before such.
  std::vector<std::uint64_t> expected = drops();
  ++expected.at(kDropNotTunnelled);
  EXPECT_EQ(run(kOutProgram, to_their_pod(0, kDontFragment, 1400), 500).verdict, kShot);
  EXPECT_EQ(drops(), expected);
}

// RFC 6040 §4.1, normal mode: whatever the field says is copied.
TEST_F(TunnelProgramTest, EcnGoesIntoTheOuterHeader) {
  for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
    const bpf::TestRun out = leave(to_their_pod(static_cast<std::uint8_t>(0x28 | ecn)));
    ASSERT_EQ(out.verdict, kOk);
    EXPECT_EQ(out.packet[at(1)], 0x28 | ecn);
  }
}

struct Tunnelled {
  Ipv4Packet outer{.from = kOther, .to = kUs, .protocol = kProtocolIpip};
  Ipv4Packet inner{.from = kTheirPod, .to = kOurPod};
  std::size_t payload = 64;

  [[nodiscard]] Bytes inside() const { return ethernet(ipv4(inner, Bytes(payload, 9))); }
  [[nodiscard]] Bytes bytes() const { return ethernet(ipv4(outer, ipv4(inner, Bytes(payload, 9)))); }
};

// RFC 6040 §4.2, figure 4: rows are the inner field, columns the outer (Not-ECT, ECT(1), ECT(0), CE).
TEST_F(TunnelProgramTest, EcnComesOutOfBothHeaders) {
  constexpr int kDropped = -1;
  constexpr int kExpected[4][4] = {
      {0, 0, 0, kDropped},
      {1, 1, 1, 3},
      {2, 1, 2, 3},
      {3, 3, 3, 3},
  };
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    for (std::uint8_t outer = 0; outer < 4; ++outer) {
      Tunnelled packet;
      packet.inner.tos = static_cast<std::uint8_t>(0x50 | inner);
      packet.outer.tos = static_cast<std::uint8_t>(0x88 | outer);
      const std::string why = concat("inner ", inner, " outer ", outer);
      const int expected = kExpected[inner][outer];
      if (expected == kDropped) {
        expect_dropped(kInProgram, packet.bytes(), kDropCongestion, why.c_str());
        continue;
      }
      Tunnelled out = packet;
      out.inner.tos = static_cast<std::uint8_t>(0x50 | expected);  // and the checksum that belongs to it
      EXPECT_EQ(arrive(packet.bytes()).packet, out.inside()) << why;
    }
  }
}

TEST_F(TunnelProgramTest, AGoodPacketComesOutAsItWentIn) {
  Tunnelled packet;
  const bpf::TestRun out = arrive(packet.bytes());
  EXPECT_EQ(out.verdict, kOk);
  EXPECT_EQ(out.packet, packet.inside());
  packet.inner.fragment = 0x2000;
  EXPECT_EQ(arrive(packet.bytes()).packet, packet.inside()) << "an inner fragment";
  packet.inner = {.from = kTheirPod, .to = kOurPod, .protocol = kProtocolIpip};
  EXPECT_EQ(arrive(packet.bytes()).packet, packet.inside()) << "a tunnel between pods";
  packet.inner.from = ip("10.0.2.99");
  EXPECT_EQ(arrive(packet.bytes()).packet, packet.inside()) << "the other end tunnels what we do not";
  packet.inner.from = ip("10.0.1.77");
  EXPECT_EQ(arrive(packet.bytes()).packet, packet.inside()) << "an address borrowed from us";
  packet.outer.to = ip("192.0.2.65");
  EXPECT_EQ(arrive(packet.bytes()).packet, packet.inside()) << "to another address of ours";
}

TEST_F(TunnelProgramTest, WhatIsNotOurTunnelPasses) {
  Tunnelled to_another;
  to_another.outer.to = ip("192.0.2.3");
  Tunnelled udp;
  udp.outer.protocol = kProtocolUdp;
  for (const Bytes& packet : {to_another.bytes(), udp.bytes(), ethernet(Bytes(46), 0x0806)}) {
    const bpf::TestRun out = arrive(packet);
    EXPECT_EQ(out.verdict, kOk);
    EXPECT_EQ(out.packet, packet);
  }
}

TEST_F(TunnelProgramTest, BadPacketsAreDroppedAndCounted) {
  const auto outer = [](auto change) {
    Tunnelled packet;
    change(packet.outer);
    return packet.bytes();
  };
  const auto inner = [](auto change) {
    Tunnelled packet;
    change(packet.inner);
    return packet.bytes();
  };
  struct Case {
    const char* why;
    Bytes packet;
    DropIndex reason;
  };
  using P = Ipv4Packet;
  const Case cases[] = {
      {"a sender that is no node", outer([](P& p) { p.from = ip("198.51.100.1"); }), kDropUnknownSender},
      {"from ourselves", outer([](P& p) { p.from = kUs; }), kDropUnknownSender},
      {"outer version 5", outer([](P& p) { p.first_byte = 0x55; }), kDropBadOuter},
      {"outer options", outer([](P& p) { p.first_byte = 0x46; }), kDropBadOuter},
      {"outer header of 16 bytes", outer([](P& p) { p.first_byte = 0x44; }), kDropBadOuter},
      {"outer checksum", outer([](P& p) { p.checksum = 0x1234; }), kDropBadOuter},
      {"outer first fragment", outer([](P& p) { p.fragment = 0x2000; }), kDropOuterFragment},
      {"outer last fragment", outer([](P& p) { p.fragment = 0x0010; }), kDropOuterFragment},
      {"outer longer than it is", outer([](P& p) { p.length = 105; }), kDropTruncated},
      {"outer without length", outer([](P& p) { p.length = 0; }), kDropTruncated},
      {"room for half an inner header", outer([](P& p) { p.length = 30; }), kDropTruncated},
      {"outer header only", outer([](P& p) { p.length = 20; }), kDropTruncated},
      {"outer ends before the inner does", outer([](P& p) { p.length = 60; }), kDropTruncated},
      {"inner longer than the outer has room", inner([](P& p) { p.length = 85; }), kDropTruncated},
      {"inner as long as can be", inner([](P& p) { p.length = 65535; }), kDropTruncated},
      {"inner version 6", inner([](P& p) { p.first_byte = 0x65; }), kDropBadInner},
      {"inner header of 16 bytes", inner([](P& p) { p.first_byte = 0x44; }), kDropBadInner},
      {"inner shorter than its header", inner([](P& p) { p.length = 19; }), kDropBadInner},
      {"inner without length", inner([](P& p) { p.length = 0; }), kDropBadInner},
      {"inner time is over", inner([](P& p) { p.ttl = 0; }), kDropBadInner},
      {"a tunnel to us inside", inner([](P& p) { p.protocol = kProtocolIpip, p.to = kUs; }), kDropNested},
      {"a tunnel to a node inside", inner([](P& p) { p.protocol = kProtocolIpip, p.to = kOther; }), kDropNested},
      {"from our pod", inner([](P& p) { p.from = kOurPod; }), kDropSpoofedSource},
      {"from our block in a node's range", inner([](P& p) { p.from = ip("10.0.2.140"); }), kDropSpoofedSource},
      {"from our own address", inner([](P& p) { p.from = ip("192.0.2.65"); }), kDropSpoofedSource},
      {"from loopback", inner([](P& p) { p.from = ip("127.0.0.1"); }), kDropSpoofedSource},
      {"from nowhere", inner([](P& p) { p.from = ip("0.0.0.0"); }), kDropSpoofedSource},
      {"from a group", inner([](P& p) { p.from = ip("224.0.0.5"); }), kDropSpoofedSource},
      {"from everybody", inner([](P& p) { p.from = ip("255.255.255.255"); }), kDropSpoofedSource},
  };
  for (const Case& each : cases) expect_dropped(kInProgram, each.packet, each.reason, each.why);
}

// However it is cut off, nothing of it gets in.
TEST_F(TunnelProgramTest, NoTruncatedPacketPassesAsATunnelledOne) {
  const Bytes whole = Tunnelled().bytes();
  for (std::size_t size = at(kIpv4Bytes); size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(arrive(part).verdict, kShot) << size;
  }
}

// What a router says of a packet of ours (RFC 792, RFC 1191): eight bytes, then the packet, or its beginning.
struct TooBigMessage {
  Ipv4Packet header{.from = ip("203.0.113.9"), .to = kUs, .protocol = kProtocolIcmp};
  std::uint8_t code = 4;
  std::uint16_t mtu = 1400;
  Ipv4Packet outer{.from = kUs, .to = kOther, .protocol = kProtocolIpip, .length = 1500};
  Ipv4Packet inner{.from = kOurPod, .to = kTheirPod, .length = 1480};
  std::size_t quoted = 8;  // bytes of what follows the inner header
  bool is_damaged = false;

  [[nodiscard]] Bytes bytes(bool has_outer = true) const {
    const Bytes packet = ipv4(inner, Bytes(quoted, 5));
    Bytes message{3, code, 0, 0, 0, 0, static_cast<std::uint8_t>(mtu >> 8U), static_cast<std::uint8_t>(mtu & 0xffU)};
    const Bytes quote = has_outer ? ipv4(outer, packet) : packet;
    message.insert(message.end(), quote.begin(), quote.end());
    const std::uint16_t sum = checksum_of(message, 0, message.size());
    message[2] = static_cast<std::uint8_t>(sum >> 8U);
    message[3] = static_cast<std::uint8_t>(sum & 0xffU);
    if (is_damaged) message.back() ^= 1U;
    return ethernet(ipv4(header, message));
  }
  // As the pod should get it.
  [[nodiscard]] Bytes relayed() const {
    TooBigMessage out = *this;
    out.header.to = inner.from;
    out.mtu = static_cast<std::uint16_t>(mtu - kOverheadBytes);
    return out.bytes(false);
  }
};

// RFC 2003 §4.1: the sender of the inner packet is told what is left for it.
TEST_F(TunnelProgramTest, ASmallerMtuOnTheWayIsToldToThePod) {
  for (const std::size_t quoted : {8U, 9U, 100U, 500U}) {
    TooBigMessage message;
    message.quoted = quoted;
    const bpf::TestRun out = arrive(message.bytes());
    EXPECT_EQ(out.verdict, kOk) << quoted;
    EXPECT_EQ(out.packet, message.relayed()) << quoted;
    EXPECT_EQ(checksum_of(out.packet, at(kIpv4Bytes), out.packet.size()), 0) << quoted;
  }
  EXPECT_EQ(traffic().too_big_on_the_way, 4U);
  TooBigMessage damaged;
  damaged.is_damaged = true;
  const bpf::TestRun out = arrive(damaged.bytes());
  EXPECT_NE(checksum_of(out.packet, at(kIpv4Bytes), out.packet.size()), 0) << "what was wrong stays wrong";
}

TEST_F(TunnelProgramTest, OtherMessagesOfRoutersPassAsTheyAre) {
  const auto changed = [](auto change) {
    TooBigMessage message;
    change(message);
    return message.bytes();
  };
  using M = TooBigMessage;
  const std::pair<const char*, Bytes> cases[] = {
      {"unreachable for another reason", changed([](M& m) { m.code = 1; })},
      {"about a packet of somebody else", changed([](M& m) { m.outer.from = kOther; })},
      {"about a packet to nobody we know", changed([](M& m) { m.outer.to = ip("198.51.100.1"); })},
      {"about another protocol", changed([](M& m) { m.outer.protocol = kProtocolUdp; })},
      {"about a pod that is not ours", changed([](M& m) { m.inner.from = kTheirPod; })},
      {"about an address of nobody", changed([](M& m) { m.inner.from = ip("198.51.100.7"); })},
      {"without a size (RFC 792)", changed([](M& m) { m.mtu = 0; })},
      {"a size that leaves no room", changed([](M& m) { m.mtu = 87; })},
      {"too short to be of use", changed([](M& m) { m.quoted = 7; })},
      {"to another node", changed([](M& m) { m.header.to = ip("192.0.2.3"); })},
      {"a fragment", changed([](M& m) { m.header.fragment = 0x2000; })},
      {"a header that is damaged", changed([](M& m) { m.header.checksum = 0x1234; })},
      {"no IPv4 inside", changed([](M& m) { m.inner.first_byte = 0x65; })},
      {"longer than it is", changed([](M& m) { m.header.length = 400; })},
      {"plain", M().bytes(false)},
  };
  for (const auto& [why, packet] : cases) {
    const bpf::TestRun out = arrive(packet);
    EXPECT_EQ(out.verdict, kOk) << why;
    EXPECT_EQ(out.packet, packet) << why;
  }
  EXPECT_EQ(traffic().too_big_on_the_way, 0U);
}

TEST_F(TunnelProgramTest, TrafficIsCountedForItsNode) {
  leave(to_their_pod());
  leave(to_their_pod());
  arrive(Tunnelled().bytes());
  Tunnelled spoofed;
  spoofed.inner.from = kOurPod;
  arrive(spoofed.bytes());
  leave(to_their_pod(0, kDontFragment, 1500 - 39));
  Tunnelled stranger;
  stranger.outer.from = ip("198.51.100.1");
  arrive(stranger.bytes());
  std::size_t nodes = 0;
  const NodeTraffic sum = traffic(&nodes);
  EXPECT_EQ(nodes, 1U) << "nothing is kept of strangers";
  EXPECT_EQ(sum.packets_out, 2U);
  EXPECT_EQ(sum.bytes_out, 2U * 84);
  EXPECT_EQ(sum.packets_in, 1U);
  EXPECT_EQ(sum.bytes_in, 84U);
  EXPECT_EQ(sum.drops_in, 1U);
  EXPECT_EQ(sum.drops_out, 1U);
}

TEST(TunnelProbe, ThisKernelIsAskedAndAnswers) {
  const Status answer = supported();
  if (!answer.ok() && answer.error().code == ErrorCode::kPermissionDenied) GTEST_SKIP() << answer.error().message;
  EXPECT_TRUE(answer.ok()) << answer.error().message;
}

}  // namespace
}  // namespace margay::ipip
