// From a peer's settings to what its machine, its sockets and the RIB are told. Pure.
#pragma once

#include "bgp/fsm/peer.h"
#include "bgp/rib/rib.h"
#include "bgp/session/session_driver.h"
#include "bgp/session/transport.h"
#include "bgp/speaker/config.h"

namespace margay::bgp {

// What all peers share and OPENs speak of.
struct SpeakerFacts {
  Asn asn;
  RouterId router_id;
  bool restarting = false;  // RFC 4724 §4.1: there was one before, and our End-of-RIB is not yet sent
  bool recovering = false;  // the routes of that one still stand in the kernel
  friend bool operator==(const SpeakerFacts&, const SpeakerFacts&) = default;
};

// `keeps_forwarding`: the routes of before still stand in the kernel (the F bit of RFC 4724 §3).
session::DriverSettings driver_settings(const PeerKey& key, const PeerSettings& settings, const SpeakerFacts& facts,
                                        bool keeps_forwarding);
session::PeerSocketOptions socket_options(const PeerSettings& settings);

rib::PeerSession peer_session(const fsm::Negotiated& negotiated, const session::SocketAddress& local,
                              const session::SocketAddress& remote, const session::Transport::LinkFacts& facts);

}  // namespace margay::bgp
