#include "bgp/bfd/packet.h"

#include <algorithm>
#include <chrono>

#include "base/bytes/writer.h"
#include "base/core/text.h"

namespace margay::bgp::bfd {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kPacketSize = 24;
constexpr std::uint8_t kPollBit = 0x20;
constexpr std::uint8_t kFinalBit = 0x10;
constexpr std::uint8_t kIndependentBit = 0x08;
constexpr std::uint8_t kAuthenticationBit = 0x04;
constexpr std::uint8_t kDemandBit = 0x02;
constexpr std::uint8_t kMultipointBit = 0x01;

std::uint32_t to_microseconds(Duration duration) {
  const auto value = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, 0xffffffff));
}

Error discard(std::string_view why) { return Error{ErrorCode::kInvalid, concat("BFD packet: ", why)}; }

std::uint8_t bit(bool is_set, std::uint8_t value) { return is_set ? value : std::uint8_t{0}; }

// RFC 5880 §6.8.6, in its order.
Status check(std::uint8_t first, std::uint8_t flags, std::uint8_t length, const ControlPacket& packet) {
  if (first >> 5 != kVersion) return discard("version is not 1");
  if (length < kPacketSize) return discard("length under 24");
  if (packet.multiplier == 0) return discard("detection multiplier of 0");
  if ((flags & kMultipointBit) != 0) return discard("multipoint");
  if (packet.my_discriminator == 0) return discard("sender's discriminator of 0");
  if (packet.your_discriminator == 0 && packet.state != State::kDown && packet.state != State::kAdminDown) {
    return discard("receiver's discriminator of 0 in Init or Up");
  }
  if ((flags & kAuthenticationBit) != 0) return discard("authentication, which is not in use");
  return ok_status();
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::kAdminDown: return "AdminDown";
    case State::kDown: return "Down";
    case State::kInit: return "Init";
    case State::kUp: return "Up";
  }
  return "";
}

std::string_view to_string(Diagnostic diagnostic) {
  switch (diagnostic) {
    case Diagnostic::kNone: return "none";
    case Diagnostic::kDetectionTimeExpired: return "control detection time expired";
    case Diagnostic::kEchoFailed: return "echo function failed";
    case Diagnostic::kNeighborSignaledDown: return "neighbor signaled session down";
    case Diagnostic::kForwardingPlaneReset: return "forwarding plane reset";
    case Diagnostic::kPathDown: return "path down";
    case Diagnostic::kConcatenatedPathDown: return "concatenated path down";
    case Diagnostic::kAdministrativelyDown: return "administratively down";
    case Diagnostic::kReverseConcatenatedPathDown: return "reverse concatenated path down";
  }
  return "unknown";
}

std::string encode(const ControlPacket& packet) {
  bytes::Writer writer(kPacketSize);
  writer.u8(static_cast<std::uint8_t>(kVersion << 5 | static_cast<std::uint8_t>(packet.diagnostic)));
  writer.u8(static_cast<std::uint8_t>(
      static_cast<std::uint8_t>(packet.state) << 6 | bit(packet.poll, kPollBit) | bit(packet.final, kFinalBit) |
      bit(packet.control_plane_independent, kIndependentBit) | bit(packet.demand, kDemandBit)));
  writer.u8(packet.multiplier);
  writer.u8(kPacketSize);
  writer.u32(packet.my_discriminator);
  writer.u32(packet.your_discriminator);
  writer.u32(to_microseconds(packet.transmit_min));
  writer.u32(to_microseconds(packet.receive_min));
  writer.u32(to_microseconds(packet.echo_receive_min));
  return std::move(writer).finish().value();
}

Result<ControlPacket> decode(bytes::View bytes) {
  if (bytes.size() < kPacketSize) return discard("shorter than 24 bytes");
  if (bytes[3] > bytes.size()) return discard("length past the end");
  bytes::Reader reader(bytes);
  const std::uint8_t first = *reader.u8();
  const std::uint8_t flags = *reader.u8();
  ControlPacket packet;
  packet.diagnostic = static_cast<Diagnostic>(first & 0x1f);
  packet.state = static_cast<State>(flags >> 6);
  packet.poll = (flags & kPollBit) != 0;
  packet.final = (flags & kFinalBit) != 0;
  packet.control_plane_independent = (flags & kIndependentBit) != 0;
  packet.demand = (flags & kDemandBit) != 0;
  packet.multiplier = *reader.u8();
  const std::uint8_t length = *reader.u8();
  packet.my_discriminator = *reader.u32();
  packet.your_discriminator = *reader.u32();
  packet.transmit_min = std::chrono::microseconds(*reader.u32());
  packet.receive_min = std::chrono::microseconds(*reader.u32());
  packet.echo_receive_min = std::chrono::microseconds(*reader.u32());
  MARGAY_RETURN_IF_ERROR(check(first, flags, length, packet));
  return packet;
}

}  // namespace margay::bgp::bfd
