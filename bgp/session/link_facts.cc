#include "bgp/session/link_facts.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <bit>
#include <cstring>
#include <optional>

#include "bgp/session/socket_calls.h"

namespace margay::bgp::session {
namespace {

std::optional<IpAddress> address_of(const sockaddr* raw) {
  if (raw == nullptr || (raw->sa_family != AF_INET && raw->sa_family != AF_INET6)) return std::nullopt;
  RawAddress copy;
  copy.size = raw->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::memcpy(&copy.storage, raw, copy.size);
  return from_raw(copy).address;
}

int ones(const IpAddress& mask) { return std::popcount(mask.bits().high) + std::popcount(mask.bits().low); }

}  // namespace

std::vector<LinkAddress> machine_addresses() {
  std::vector<LinkAddress> result;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return result;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto address = address_of(entry->ifa_addr);
    if (!address) continue;
    const auto mask = address_of(entry->ifa_netmask);
    const int length = mask && mask->family() == address->family() ? ones(*mask) : address_bits(address->family());
    result.push_back({entry->ifa_name, InterfaceAddress{*address, length}});
  }
  ::freeifaddrs(list);
  return result;
}

Transport::LinkFacts link_facts_of(const std::vector<LinkAddress>& addresses, const IpAddress& local,
                                   const IpAddress& remote) {
  Transport::LinkFacts facts;
  const LinkAddress* own = nullptr;
  for (const LinkAddress& entry : addresses) {
    if (entry.address.address == local) own = &entry;
  }
  if (own == nullptr) return facts;
  for (const LinkAddress& entry : addresses) {
    if (entry.interface != own->interface) continue;
    const IpAddress& address = entry.address.address;
    if (entry.address.prefix().contains(remote) && !entry.address.prefix().is_host()) {
      facts.is_directly_connected = true;
    }
    auto& place = address.is_v4() ? facts.ipv4 : address.is_link_local() ? facts.ipv6_link_local : facts.ipv6;
    if (!place || address == local) place = address;
  }
  return facts;
}

}  // namespace margay::bgp::session
