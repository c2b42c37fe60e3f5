// The messages of BGP-4 as values (RFC 4271 §4, RFC 2918, RFC 7313).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip/asn.h"
#include "bgp/wire/capability.h"
#include "bgp/wire/family.h"
#include "bgp/wire/nlri.h"

namespace margay::bgp {

inline constexpr std::size_t kHeaderSize = 19;
inline constexpr std::size_t kMessageSizeMax = 4096;
inline constexpr std::size_t kExtendedMessageSizeMax = 65535;  // RFC 8654; never OPEN and KEEPALIVE
inline constexpr Asn kAsTrans{23456};                          // RFC 6793
inline constexpr std::uint16_t kBgpPort = 179;

enum class MessageType : std::uint8_t { kOpen = 1, kUpdate = 2, kNotification = 3, kKeepalive = 4, kRouteRefresh = 5 };

struct Open {
  Asn asn;  // four octets, whatever the two-octet field can carry
  std::uint16_t hold_time_s = 90;
  RouterId router_id;
  Capabilities capabilities;
  friend bool operator==(const Open&, const Open&) = default;
};

// RFC 4271 §4.5 and the registries that extend it. Codes are kept as numbers: peers send any.
struct Notification {
  std::uint8_t code = 0;
  std::uint8_t subcode = 0;
  std::string data;

  // "Cease/Administrative Shutdown: maintenance until 5" with the text of RFC 9003, made safe to print.
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Notification&, const Notification&) = default;
};

// Makes the data of a Cease with text (RFC 9003); longer than 255 bytes is cut at a character.
Notification cease(std::uint8_t subcode, std::string_view text = {});

namespace cease_subcode {  // RFC 4486, RFC 8538, RFC 9384
inline constexpr std::uint8_t kMaximumPrefixes = 1, kAdministrativeShutdown = 2, kPeerDeconfigured = 3,
                              kAdministrativeReset = 4, kConnectionRejected = 5, kOtherConfigurationChange = 6,
                              kConnectionCollision = 7, kOutOfResources = 8, kHardReset = 9, kBfdDown = 10;
}  // namespace cease_subcode

enum class RefreshKind : std::uint8_t { kRequest = 0, kBegin = 1, kEnd = 2 };  // RFC 7313
struct RouteRefresh {
  Family family = Family::kIpv4Unicast;
  RefreshKind kind = RefreshKind::kRequest;
  friend bool operator==(const RouteRefresh&, const RouteRefresh&) = default;
};

struct Keepalive {
  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

// What RFC 7606 made of a faulty attribute, in rising order of severity. Session resets are errors of the decoder.
enum class FaultAction : std::uint8_t { kIgnore, kDiscardAttribute, kTreatAsWithdraw };
struct Fault {
  FaultAction action = FaultAction::kIgnore;
  std::uint8_t attribute = 0;  // type; 0: none in particular
  std::string_view what;       // a constant: "ORIGIN: length is not 1"
  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Reach {
  NextHop next_hop;
  std::vector<Nlri> nlri;
  friend bool operator==(const Reach&, const Reach&) = default;
};

// An UPDATE after all rules of RFC 7606 have been applied: what is in `reach` can be used as it is. Where the whole is
// treated as a withdrawal, its destinations stand in `withdrawn`, `reach` is empty and `faults` says why.
struct Update {
  PerFamily<std::vector<Nlri>> withdrawn;
  PerFamily<Reach> reach;
  std::string attributes;  // canonical form (attributes.h); empty when nothing is reachable
  std::optional<Family> end_of_rib;
  std::vector<Fault> faults;

  // Empties it and keeps the memory, for the next message.
  void clear();
  friend bool operator==(const Update&, const Update&) = default;
};

// A route refresh of a family we do not speak, or of a kind we do not know, decodes to nothing: Ignored.
struct Ignored {
  std::string_view what;
  friend bool operator==(const Ignored&, const Ignored&) = default;
};

}  // namespace margay::bgp
