// State, Timers, PeerConfig: what the machine of a peer shows and what it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/time.h"
#include "base/ip/asn.h"
#include "bgp/wire/capability.h"
#include "bgp/wire/family.h"

namespace margay::bgp::fsm {

enum class State : std::uint8_t { kIdle, kConnect, kActive, kOpenSent, kOpenConfirm, kEstablished };
std::string_view to_string(State state);  // "Idle", "Connect", …

struct Timers {
  Duration connect_retry = std::chrono::seconds(5);
  Duration refused_retry{};  // after a refused attempt, doubling up to connect_retry; 0: connect_retry alone
  Duration connect_delay{};  // before the first attempt
  Duration delay_open{};     // from connection to our OPEN (RFC 4271 §8.1.1); 0: at once
  Duration hold = std::chrono::seconds(90);          // offered; 0: none
  std::optional<Duration> keepalive;                 // nullopt: a third of the agreed hold time, which is also the most
  Duration open_hold = std::chrono::minutes(4);      // for the peer's OPEN (RFC 4271 §8.2.2: "large value")
  Duration idle_hold_min = std::chrono::seconds(1);  // after a fault; doubles up to the maximum
  Duration idle_hold_max = std::chrono::seconds(60);
  std::optional<Duration> send_hold;  // RFC 9687; 0: off; nullopt: the larger of 8 minutes and twice the hold time
};

struct PeerConfig {
  Asn local_asn;  // shown to this peer
  RouterId router_id;
  std::optional<Asn> remote_asn;  // nullopt: any (dynamic peers)
  bool passive = false;           // never connects
  bool allows_internal = true;    // with remote_asn nullopt: whether our own number is fine too
  Timers timers;
  Capabilities capabilities;  // offered, as they stand; restarting flag by the owner before each start
  PerFamily<bool> families{true, false};
};

}  // namespace margay::bgp::fsm
