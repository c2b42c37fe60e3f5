// The control packet of BFD as a value and as bytes (RFC 5880 §4.1). Without authentication.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes/reader.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::bgp::bfd {

enum class State : std::uint8_t { kAdminDown = 0, kDown = 1, kInit = 2, kUp = 3 };
std::string_view to_string(State state);  // "AdminDown", …

enum class Diagnostic : std::uint8_t {
  kNone = 0,
  kDetectionTimeExpired = 1,
  kEchoFailed = 2,
  kNeighborSignaledDown = 3,
  kForwardingPlaneReset = 4,
  kPathDown = 5,
  kConcatenatedPathDown = 6,
  kAdministrativelyDown = 7,
  kReverseConcatenatedPathDown = 8,
};
std::string_view to_string(Diagnostic diagnostic);  // "control detection time expired", …

struct ControlPacket {
  Diagnostic diagnostic = Diagnostic::kNone;  // as received: any of 5 bits
  State state = State::kDown;
  bool poll = false;
  bool final = false;
  bool control_plane_independent = false;
  bool demand = false;
  std::uint8_t multiplier = 3;
  std::uint32_t my_discriminator = 0;
  std::uint32_t your_discriminator = 0;
  Duration transmit_min{};      // microseconds on the wire, at most 71 minutes
  Duration receive_min{};       // 0: send nothing periodic
  Duration echo_receive_min{};  // 0: no echo
  friend bool operator==(const ControlPacket&, const ControlPacket&) = default;
};

std::string encode(const ControlPacket& packet);
// All checks of RFC 5880 §6.8.6 that need no session; kInvalid for what must be discarded. Bytes after the packet are
// ignored. One with authentication is discarded: none is in use.
Result<ControlPacket> decode(bytes::View bytes);

}  // namespace margay::bgp::bfd
