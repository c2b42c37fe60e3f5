// InterfaceTable: network interfaces as values, kept by what the kernel says of them. Pure.
//
// Names are what people and policy use; the kernel tells by index. Source: linux/rtnetlink.h, rtnetlink(7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "dataplane/netlink/message.h"

namespace margay::link {

struct Interface {
  IfIndex index;
  std::string name;
  bool is_up = false;       // an administrator's choice (IFF_UP)
  bool is_running = false;  // and it can carry packets (IFF_LOWER_UP, not dormant)
  bool is_loopback = false;
  std::uint32_t mtu = 0;
  std::optional<Mac> mac;  // of Ethernet-like ones
  std::string kind;        // "veth", "ipip", "vxlan", …; empty: hardware
  IfIndex master;          // the bridge, bond or VRF it is in; 0: none
  // In the kernel's order, link-local ones included; none that failed duplicate address detection.
  std::vector<InterfaceAddress> addresses;
  friend bool operator==(const Interface&, const Interface&) = default;
};
using Interfaces = std::map<std::string, Interface>;  // by name

class InterfaceTable {
 public:
  // A notification, or a message of a dump. Adds the names of interfaces it changed; none if it says nothing new.
  void note(const netlink::MessageView& message, std::set<std::string>& changed);
  void clear();
  void clear_addresses();

  [[nodiscard]] const Interfaces& interfaces() const { return by_name_; }
  [[nodiscard]] const Interface* find(std::string_view name) const;
  [[nodiscard]] const Interface* find(IfIndex index) const;
  // Names that are in one of them only, or differ.
  [[nodiscard]] std::set<std::string> difference(const InterfaceTable& other) const;

 private:
  void note_link(const netlink::MessageView& message, std::set<std::string>& changed);
  void note_address(const netlink::MessageView& message, std::set<std::string>& changed);
  void forget(IfIndex index, std::set<std::string>& changed);

  Interfaces by_name_;
  std::map<IfIndex, std::string> names_;
};

}  // namespace margay::link
