#include "dataplane/link/interface_table.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace margay::link {

namespace {

std::optional<Mac> mac_of(const netlink::Attribute& value) {
  std::array<std::uint8_t, 6> bytes{};
  if (value.bytes().size() != bytes.size()) return std::nullopt;
  std::copy(value.bytes().begin(), value.bytes().end(), bytes.begin());
  return Mac(bytes);
}

std::string kind_of(const netlink::Attribute& info) {
  const auto kind = netlink::find_attribute(info.bytes(), IFLA_INFO_KIND);
  return kind ? std::string(kind->text()) : std::string();
}

// Some notifications leave attributes out: what they do not say stays as it was.
void read_attributes(const netlink::MessageView& message, Interface& link) {
  netlink::for_each_attribute(message.attributes<ifinfomsg>(),
                              [&link](std::uint16_t type, const netlink::Attribute& value) {
                                switch (type) {
                                  case IFLA_IFNAME: link.name = value.text(); break;
                                  case IFLA_MTU: link.mtu = value.u32().value_or(0); break;
                                  case IFLA_ADDRESS: link.mac = mac_of(value); break;
                                  case IFLA_LINKINFO: link.kind = kind_of(value); break;
                                  case IFLA_MASTER: link.master = IfIndex(value.u32().value_or(0)); break;
                                  default: break;
                                }
                              });
}

void read_head(const ifinfomsg& head, Interface& link) {
  constexpr unsigned kCarries = IFF_UP | IFF_LOWER_UP;
  link.index = IfIndex(static_cast<std::uint32_t>(head.ifi_index));
  link.is_up = (head.ifi_flags & IFF_UP) != 0;
  link.is_running = (head.ifi_flags & (kCarries | IFF_DORMANT)) == kCarries;
  link.is_loopback = (head.ifi_flags & IFF_LOOPBACK) != 0;
}

struct HeardAddress {
  IfIndex interface;
  InterfaceAddress address;
  bool is_usable = true;
};

std::optional<HeardAddress> parse_address(const netlink::MessageView& message) {
  const auto head = message.header<ifaddrmsg>();
  if (!head) return std::nullopt;
  std::optional<IpAddress> local, peer;
  std::uint32_t flags = head->ifa_flags;
  netlink::for_each_attribute(message.attributes<ifaddrmsg>(),
                              [&](std::uint16_t type, const netlink::Attribute& value) {
                                if (type == IFA_LOCAL) local = value.address();
                                if (type == IFA_ADDRESS) peer = value.address();
                                if (type == IFA_FLAGS) flags = value.u32().value_or(flags);
                              });
  // Of a point-to-point link IFA_ADDRESS is the other end's; IPv6 mostly has it alone.
  const std::optional<IpAddress> address = local ? local : peer;
  if (!address || head->ifa_prefixlen > address_bits(address->family())) return std::nullopt;
  return HeardAddress{IfIndex(head->ifa_index), {*address, head->ifa_prefixlen}, (flags & IFA_F_DADFAILED) == 0};
}

}  // namespace

const Interface* InterfaceTable::find(std::string_view name) const {
  const auto at = by_name_.find(std::string(name));
  return at == by_name_.end() ? nullptr : &at->second;
}

const Interface* InterfaceTable::find(IfIndex index) const {
  const auto at = names_.find(index);
  return at == names_.end() ? nullptr : find(at->second);
}

void InterfaceTable::clear() {
  by_name_.clear();
  names_.clear();
}

void InterfaceTable::clear_addresses() {
  for (auto& [name, link] : by_name_) link.addresses.clear();
}

std::set<std::string> InterfaceTable::difference(const InterfaceTable& other) const {
  std::set<std::string> out;
  for (const auto& [name, link] : by_name_) {
    const Interface* there = other.find(name);
    if (there == nullptr || !(*there == link)) out.insert(name);
  }
  for (const auto& [name, link] : other.by_name_) {
    if (!by_name_.contains(name)) out.insert(name);
  }
  return out;
}

void InterfaceTable::forget(IfIndex index, std::set<std::string>& changed) {
  const auto at = names_.find(index);
  if (at == names_.end()) return;
  changed.insert(at->second);
  by_name_.erase(at->second);
  names_.erase(at);
}

void InterfaceTable::note(const netlink::MessageView& message, std::set<std::string>& changed) {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return note_link(message, changed);
    case RTM_NEWADDR:
    case RTM_DELADDR: return note_address(message, changed);
    default: return;
  }
}

void InterfaceTable::note_link(const netlink::MessageView& message, std::set<std::string>& changed) {
  const auto head = message.header<ifinfomsg>();
  // A bridge tells of its ports in messages of its own: one that leaves it has not gone.
  if (!head || head->ifi_family != AF_UNSPEC) return;
  const IfIndex index(static_cast<std::uint32_t>(head->ifi_index));
  if (message.type == RTM_DELLINK) return forget(index, changed);
  const Interface* known = find(index);
  Interface link = known == nullptr ? Interface{} : *known;
  link.master = {};  // who is in none does not say so
  read_head(*head, link);
  read_attributes(message, link);
  if (link.name.empty() || (known != nullptr && link == *known)) return;
  if (known != nullptr && known->name != link.name) forget(index, changed);
  // Two never have one name: who had it has been renamed or has gone, as will be heard.
  if (const Interface* other = find(link.name); other != nullptr && other->index != index) {
    forget(other->index, changed);
  }
  changed.insert(link.name);
  names_[index] = link.name;
  by_name_.insert_or_assign(link.name, std::move(link));
}

void InterfaceTable::note_address(const netlink::MessageView& message, std::set<std::string>& changed) {
  const auto heard = parse_address(message);
  if (!heard) return;
  const auto name = names_.find(heard->interface);
  if (name == names_.end()) return;
  std::vector<InterfaceAddress>& addresses = by_name_.at(name->second).addresses;
  const auto at = std::find(addresses.begin(), addresses.end(), heard->address);
  const bool is_there = message.type == RTM_NEWADDR && heard->is_usable;
  if (is_there == (at != addresses.end())) return;
  if (is_there)
    addresses.push_back(heard->address);
  else
    addresses.erase(at);
  changed.insert(name->second);
}

}  // namespace margay::link
