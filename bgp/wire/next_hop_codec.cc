#include "bgp/wire/next_hop_codec.h"

#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {
namespace {

constexpr std::size_t kV4Size = 4;
constexpr std::size_t kV6Size = 16;

IpAddress load_v6(const std::uint8_t* at) { return IpAddress::v6(load64(at), load64(at + 8)); }

char* store_address(const IpAddress& address, char* at) {
  if (address.is_v4()) return store32(at, static_cast<std::uint32_t>(address.bits().high >> 32));
  return store64(store64(at, address.bits().high), address.bits().low);
}

// RFC 2545 §3. Some speakers without a global address leave that place empty, or write the link-local one twice.
NextHop pair_of(const IpAddress& global, const IpAddress& link_local) {
  if (!link_local.is_link_local()) return {global, std::nullopt};
  if (global.is_unspecified() || global == link_local) return {link_local, std::nullopt};
  return {global, link_local};
}

}  // namespace

std::optional<NextHop> decode_next_hop(Family family, bytes::View bytes) {
  switch (bytes.size()) {
    case kV4Size:
      if (family != Family::kIpv4Unicast) return std::nullopt;
      return NextHop{IpAddress::v4(load32(bytes.data())), std::nullopt};
    case kV6Size: return NextHop{load_v6(bytes.data()), std::nullopt};
    case 2 * kV6Size: return pair_of(load_v6(bytes.data()), load_v6(bytes.data() + kV6Size));
    default: return std::nullopt;
  }
}

bool is_martian(const NextHop& next_hop) {
  const std::uint64_t high = next_hop.address.bits().high;
  if (next_hop.address.is_v4()) return high >> 56 == 0 || high >> 56 == 127 || high >> 56 >= 224;
  return next_hop.address.is_unspecified() || next_hop.address.is_loopback() || next_hop.address.is_multicast();
}

std::size_t encoded_size(const NextHop& next_hop) {
  if (next_hop.address.is_v4()) return kV4Size;
  return next_hop.link_local ? 2 * kV6Size : kV6Size;
}

char* encode_next_hop(const NextHop& next_hop, char* at) {
  at = store_address(next_hop.address, at);
  return next_hop.link_local && next_hop.address.is_v6() ? store_address(*next_hop.link_local, at) : at;
}

}  // namespace margay::bgp::wire
