#include "bgp/bfd/packet.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/core/random.h"

namespace margay::bgp::bfd {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using namespace std::string_literals;

// RFC 5880 §4.1, drawn by hand: Up, Poll, C, multiplier 3, 300 ms.
const std::string kBytes =
    "\x20\xe8\x03\x18\x01\x02\x03\x04\x0a\x0b\x0c\x0d\x00\x04\x93\xe0\x00\x04\x93\xe0\x00\x00\x00\x00"s;

ControlPacket sample() {
  ControlPacket packet;
  packet.state = State::kUp;
  packet.poll = true;
  packet.control_plane_independent = true;
  packet.my_discriminator = 0x01020304;
  packet.your_discriminator = 0x0a0b0c0d;
  packet.transmit_min = packet.receive_min = milliseconds(300);
  return packet;
}

TEST(Packet, IsThatOfTheRfc) {
  EXPECT_EQ(encode(sample()), kBytes);
  const Result<ControlPacket> packet = decode(bytes::view_of(kBytes));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(*packet, sample());
}

TEST(Packet, DecodesWhatItEncodes) {
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) {
    ControlPacket packet;
    packet.diagnostic = static_cast<Diagnostic>(random.below(32));
    packet.state = static_cast<State>(random.below(4));
    packet.poll = random.below(2) == 0;
    packet.final = random.below(2) == 0;
    packet.control_plane_independent = random.below(2) == 0;
    packet.demand = random.below(2) == 0;
    packet.multiplier = static_cast<std::uint8_t>(1 + random.below(255));
    packet.my_discriminator = static_cast<std::uint32_t>(1 + random.below(0xffffffff));
    packet.your_discriminator = static_cast<std::uint32_t>(1 + random.below(0xffffffff));
    packet.transmit_min = microseconds(random.below(0x100000000));
    packet.receive_min = microseconds(random.below(0x100000000));
    packet.echo_receive_min = microseconds(random.below(0x100000000));
    const std::string bytes = encode(packet);
    const Result<ControlPacket> decoded = decode(bytes::view_of(bytes));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, packet);
  }
}

struct Case {
  std::string_view name;
  std::function<void(std::string&)> change;
  std::string_view error;  // "": accepted
};

// RFC 5880 §6.8.6.
const Case kCases[] = {
    {"as it is", [](auto&) {}, ""},
    {"bytes after it", [](std::string& b) { b += "trailer"; }, ""},
    {"empty", [](std::string& b) { b.clear(); }, "BFD packet: shorter than 24 bytes"},
    {"23 bytes", [](std::string& b) { b.pop_back(); }, "BFD packet: shorter than 24 bytes"},
    {"version 0", [](std::string& b) { b[0] = 0; }, "BFD packet: version is not 1"},
    {"version 2", [](std::string& b) { b[0] = 0x40; }, "BFD packet: version is not 1"},
    {"length 23", [](std::string& b) { b[3] = 23; }, "BFD packet: length under 24"},
    {"length 0", [](std::string& b) { b[3] = 0; }, "BFD packet: length under 24"},
    {"length 25 of 24", [](std::string& b) { b[3] = 25; }, "BFD packet: length past the end"},
    {"multiplier 0", [](std::string& b) { b[2] = 0; }, "BFD packet: detection multiplier of 0"},
    {"multipoint", [](std::string& b) { b[1] = '\xe9'; }, "BFD packet: multipoint"},
    {"authentication", [](std::string& b) { b[1] = '\xec'; }, "BFD packet: authentication, which is not in use"},
    {"mine 0", [](std::string& b) { b.replace(4, 4, 4, '\0'); }, "BFD packet: sender's discriminator of 0"},
    {"yours 0 in Up", [](std::string& b) { b.replace(8, 4, 4, '\0'); },
     "BFD packet: receiver's discriminator of 0 in Init or Up"},
    {"yours 0 in Init", [](std::string& b) { b.replace(8, 4, 4, '\0')[1] = '\x80'; },
     "BFD packet: receiver's discriminator of 0 in Init or Up"},
    {"yours 0 in Down", [](std::string& b) { b.replace(8, 4, 4, '\0')[1] = '\x40'; }, ""},
    {"yours 0 in AdminDown", [](std::string& b) { b.replace(8, 4, 4, '\0')[1] = '\0'; }, ""},
};

TEST(Packet, WhatMustBeDiscardedIs) {
  for (const Case& test : kCases) {
    std::string bytes = kBytes;
    test.change(bytes);
    const Result<ControlPacket> packet = decode(bytes::view_of(bytes));
    EXPECT_EQ(packet.ok() ? "" : packet.error().message, test.error) << test.name;
  }
}

TEST(Packet, IntervalsAreCutToWhatTheWireHolds) {
  ControlPacket packet = sample();
  packet.transmit_min = std::chrono::hours(2);
  packet.receive_min = Duration(-5);
  const std::string bytes = encode(packet);
  EXPECT_EQ(decode(bytes::view_of(bytes))->transmit_min, microseconds(0xffffffff));
  EXPECT_EQ(decode(bytes::view_of(bytes))->receive_min, Duration{});
}

TEST(Packet, NamesArePrintable) {
  for (int number = 0; number < 32; ++number) EXPECT_FALSE(to_string(static_cast<Diagnostic>(number)).empty());
  EXPECT_EQ(to_string(State::kInit), "Init");
}

}  // namespace
}  // namespace margay::bgp::bfd
