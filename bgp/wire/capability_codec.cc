#include "bgp/wire/capability_codec.h"

#include <algorithm>

#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {
namespace {

constexpr std::size_t kCapabilitySizeMax = 255;
constexpr std::size_t kSoftwareVersionSizeMax = 64;
constexpr std::uint16_t kRestartTimeMax = 0x0fff;
constexpr std::uint32_t kStaleTimeMax = 0xffffff;
constexpr std::uint16_t kAfiIpv6 = 2;

enum CapabilityCode : std::uint8_t {
  kMultiprotocol = 1,
  kRouteRefresh = 2,
  kExtendedNextHop = 5,
  kExtendedMessage = 6,
  kGracefulRestart = 64,
  kFourOctetAs = 65,
  kAddPath = 69,
  kEnhancedRouteRefresh = 70,
  kLongLived = 71,
  kHostname = 73,
  kSoftwareVersion = 75,
};

AfiSafi family_at(const std::uint8_t* at) { return {load16(at), at[2]}; }

// --- decoding: each returns false when malformed ---

bool decode_flag(bytes::View value, bool& flag) {
  flag = true;
  return value.empty();
}

bool decode_multiprotocol(bytes::View value, Capabilities& out) {
  if (value.size() != 4) return false;
  out.multiprotocol.insert({load16(value.data()), value[3]});
  return true;
}

bool decode_extended_next_hop(bytes::View value, Capabilities& out) {
  if (value.size() % 6 != 0) return false;
  for (std::size_t at = 0; at < value.size(); at += 6) {
    const std::uint16_t safi = load16(value.data() + at + 2);
    if (load16(value.data() + at + 4) != kAfiIpv6 || safi > 255) continue;
    out.extended_next_hop.insert({load16(value.data() + at), static_cast<std::uint8_t>(safi)});
  }
  return true;
}

// RFC 4724 §3: of several the last counts.
bool decode_graceful_restart(bytes::View value, Capabilities& out) {
  if (value.size() < 2 || (value.size() - 2) % 4 != 0) return false;
  const std::uint16_t head = load16(value.data());
  GracefulRestart found{
      (head & 0x8000) != 0, (head & 0x4000) != 0, static_cast<std::uint16_t>(head & kRestartTimeMax), {}};
  for (std::size_t at = 2; at < value.size(); at += 4) {
    found.forwarding[family_at(value.data() + at)] = (value[at + 3] & 0x80) != 0;
  }
  out.graceful_restart = std::move(found);
  return true;
}

bool decode_four_octet_as(bytes::View value, Capabilities& out) {
  if (value.size() != 4) return false;
  out.four_octet_asn = Asn(load32(value.data()));
  return true;
}

bool decode_add_path(bytes::View value, Capabilities& out) {
  if (value.size() % 4 != 0) return false;
  for (std::size_t at = 0; at < value.size(); at += 4) {
    const std::uint8_t direction = value[at + 3];
    if (direction == 0 || direction > 3) continue;  // RFC 7911 §4: not understood
    out.add_path[family_at(value.data() + at)] = {(direction & 1) != 0, (direction & 2) != 0};
  }
  return true;
}

bool decode_long_lived(bytes::View value, Capabilities& out) {
  if (value.size() % 7 != 0) return false;
  for (std::size_t at = 0; at < value.size(); at += 7) {
    const std::uint8_t* const tuple = value.data() + at;
    out.long_lived[family_at(tuple)] = {(tuple[3] & 0x80) != 0, load32(tuple + 3) & kStaleTimeMax};
  }
  return true;
}

// A length, then so many bytes (draft-walton-bgp-hostname-capability, draft-ietf-idr-software-version).
std::string_view counted_text(bytes::View value) {
  if (value.empty() || value[0] > value.size() - 1) return {};
  return bytes::text_of(value.subspan(1, value[0]));
}

bool decode_one(std::uint8_t code, bytes::View value, Capabilities& out) {
  switch (code) {
    case kMultiprotocol: return decode_multiprotocol(value, out);
    case kRouteRefresh: return decode_flag(value, out.route_refresh);
    case kExtendedNextHop: return decode_extended_next_hop(value, out);
    case kExtendedMessage: return decode_flag(value, out.extended_message);
    case kGracefulRestart: return decode_graceful_restart(value, out);
    case kFourOctetAs: return decode_four_octet_as(value, out);
    case kAddPath: return decode_add_path(value, out);
    case kEnhancedRouteRefresh: return decode_flag(value, out.enhanced_route_refresh);
    case kLongLived: return decode_long_lived(value, out);
    case kHostname: out.hostname = counted_text(value); return true;
    case kSoftwareVersion: out.software_version = counted_text(value); return true;
    default: out.unknown.insert(code); return true;
  }
}

// --- encoding ---

void append8(std::string& out, std::uint8_t value) { out.push_back(static_cast<char>(value)); }
void append16(std::string& out, std::uint16_t value) {
  char bytes[2];
  store16(bytes, value);
  out.append(bytes, sizeof bytes);
}
void append32(std::string& out, std::uint32_t value) {
  char bytes[4];
  store32(bytes, value);
  out.append(bytes, sizeof bytes);
}
void append_family(std::string& out, AfiSafi family) {
  append16(out, family.afi);
  append8(out, family.safi);
}

void append_capability(std::string& out, CapabilityCode code, std::string_view value) {
  append8(out, code);
  append8(out, static_cast<std::uint8_t>(value.size()));
  out.append(value);
}

// One capability with a tuple of `size` bytes for each family; as many as its length can say.
template <class Families, class Append>
void append_tuples(std::string& out, CapabilityCode code, const Families& families, std::size_t size, Append append) {
  std::string value;
  for (const auto& family : families) {
    if (value.size() + size <= kCapabilitySizeMax) append(value, family);
  }
  append_capability(out, code, value);
}

void encode_graceful_restart(const GracefulRestart& restart, std::string& out) {
  std::string value;
  const std::uint16_t flags =
      static_cast<std::uint16_t>((restart.restarting ? 0x8000 : 0) | (restart.notification ? 0x4000 : 0));
  append16(value, static_cast<std::uint16_t>(flags | std::min(restart.restart_time_s, kRestartTimeMax)));
  for (const auto& [family, forwarding] : restart.forwarding) {
    if (value.size() + 4 > kCapabilitySizeMax) break;
    append_family(value, family);
    append8(value, forwarding ? 0x80 : 0);
  }
  append_capability(out, kGracefulRestart, value);
}

void encode_text(CapabilityCode code, std::string_view text, std::size_t trailing, std::size_t size_max,
                 std::string& out) {
  text = text.substr(0, size_max);
  std::string value(1, static_cast<char>(text.size()));
  value.append(text);
  value.append(trailing, '\0');
  append_capability(out, code, value);
}

void encode_families(const Capabilities& from, std::string& out) {
  for (const AfiSafi family : from.multiprotocol) {
    const char value[] = {static_cast<char>(family.afi >> 8), static_cast<char>(family.afi), 0,
                          static_cast<char>(family.safi)};
    append_capability(out, kMultiprotocol, {value, sizeof value});
  }
  if (!from.extended_next_hop.empty()) {
    append_tuples(out, kExtendedNextHop, from.extended_next_hop, 6, [](std::string& value, AfiSafi family) {
      append16(value, family.afi);
      append16(value, family.safi);
      append16(value, kAfiIpv6);
    });
  }
  if (!from.add_path.empty()) {
    append_tuples(out, kAddPath, from.add_path, 4, [](std::string& value, const auto& entry) {
      if (!entry.second.receive && !entry.second.send) return;
      append_family(value, entry.first);
      append8(value, static_cast<std::uint8_t>((entry.second.receive ? 1 : 0) | (entry.second.send ? 2 : 0)));
    });
  }
}

void encode_long_lived(const Capabilities& from, std::string& out) {
  append_tuples(out, kLongLived, from.long_lived, 7, [](std::string& value, const auto& entry) {
    append_family(value, entry.first);
    append32(value, (entry.second.forwarding ? 0x80000000U : 0U) | std::min(entry.second.stale_time_s, kStaleTimeMax));
  });
}

}  // namespace

std::optional<std::string_view> decode_capabilities(bytes::View parameter, Capabilities& out) {
  while (!parameter.empty()) {
    if (parameter.size() < 2) return "capability cut short";
    const std::size_t size = parameter[1];
    if (parameter.size() - 2 < size) return "capability runs past its parameter";
    if (!decode_one(parameter[0], parameter.subspan(2, size), out)) return "capability with a wrong length";
    parameter = parameter.subspan(2 + size);
  }
  return std::nullopt;
}

void encode_capabilities(const Capabilities& from, std::string& out) {
  encode_families(from, out);
  if (from.route_refresh) append_capability(out, kRouteRefresh, {});
  if (from.extended_message) append_capability(out, kExtendedMessage, {});
  if (from.graceful_restart) encode_graceful_restart(*from.graceful_restart, out);
  if (from.four_octet_asn) {
    char value[4];
    store32(value, from.four_octet_asn->value());
    append_capability(out, kFourOctetAs, {value, sizeof value});
  }
  if (from.enhanced_route_refresh) append_capability(out, kEnhancedRouteRefresh, {});
  if (!from.long_lived.empty()) encode_long_lived(from, out);
  if (!from.hostname.empty()) encode_text(kHostname, from.hostname, 1, kCapabilitySizeMax - 2, out);
  if (!from.software_version.empty())
    encode_text(kSoftwareVersion, from.software_version, 0, kSoftwareVersionSizeMax, out);
}

}  // namespace margay::bgp::wire
