#include "cni/ipam/names.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/digest/digest.h"

namespace margay::ipam {
namespace {

constexpr std::size_t kNameSizeMax = 253;  // of a Kubernetes object
constexpr std::size_t kDigestDigits = 11;

std::string_view prefix_of(TunnelKind kind) {
  switch (kind) {
    case TunnelKind::kIpip: return "ipip-tunnel-addr-";
    case TunnelKind::kVxlan: return "vxlan-tunnel-addr-";
    case TunnelKind::kVxlanV6: return "vxlan-v6-tunnel-addr-";
    case TunnelKind::kWireguard: return "wireguard-tunnel-addr-";
    case TunnelKind::kWireguardV6: return "wireguard-v6-tunnel-addr-";
  }
  MARGAY_CHECK(!"TunnelKind out of range");
}

}  // namespace

std::string block_name(const IpPrefix& cidr) {
  std::string out = cidr.to_string();
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '.' || c == ':' || c == '/'; }, '-');
  return out;
}

std::string affinity_name(const model::BlockOwner& owner, const IpPrefix& cidr) {
  const std::string block = block_name(cidr);
  const std::string host = owner.type == model::AffinityType::kVirtual ? concat("virtual-", owner.name) : owner.name;
  std::string out = concat(host, '-', block);
  if (out.size() < kNameSizeMax) return out;
  const std::string digest = digest::to_hex(digest::sha256(concat(host, '+', block)));
  const std::size_t left = kNameSizeMax - 1 - block.size() - kDigestDigits - 2;
  return concat(std::string_view(host).substr(0, left), '-', block, '-',
                std::string_view(digest).substr(0, kDigestDigits));
}

std::string handle_name(std::string_view handle) { return to_lower(handle); }

std::string container_handle(std::string_view network, std::string_view container) {
  return concat(network, '.', container);
}

std::string old_pod_handle(std::string_view name_space, std::string_view pod) { return concat(name_space, '.', pod); }

std::string tunnel_handle(TunnelKind kind, std::string_view node) { return concat(prefix_of(kind), node); }

std::string_view tunnel_type(TunnelKind kind) {
  switch (kind) {
    case TunnelKind::kIpip: return "ipipTunnelAddress";
    case TunnelKind::kVxlan: return "vxlanTunnelAddress";
    case TunnelKind::kVxlanV6: return "vxlanV6TunnelAddress";
    case TunnelKind::kWireguard: return "wireguardTunnelAddress";
    case TunnelKind::kWireguardV6: return "wireguardV6TunnelAddress";
  }
  MARGAY_CHECK(!"TunnelKind out of range");
}

}  // namespace margay::ipam
