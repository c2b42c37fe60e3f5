// Which TCP MD5 keys a listener needs so that every peer is asked for its own password, and those without one for none.
//
// The kernel takes the key with the longest prefix around an address (tcp(7), TCP_MD5SIG_EXT) and has no entry that
// says "none": a range with a password is split around the peers in it that have none. Pure.
#pragma once

#include <map>
#include <string>

#include "base/ip/prefix.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

struct ListenerKey {
  std::string password;
  IpPrefix peers;  // whose it is
  friend bool operator==(const ListenerKey&, const ListenerKey&) = default;
};

// A peer inside a range costs as many keys as its prefix is longer than the range's.
std::map<IpPrefix, ListenerKey> listener_keys(const std::map<IpPrefix, PeerSocketOptions>& peers);

}  // namespace margay::bgp::session
