#include "datastore/model/values.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::model {
namespace {

constexpr std::pair<std::string_view, Protocol> kProtocolNames[] = {
    {"TCP", kProtocolTcp},       {"UDP", kProtocolUdp},   {"ICMP", kProtocolIcmp},
    {"ICMPv6", kProtocolIcmpV6}, {"SCTP", kProtocolSctp}, {"UDPLite", kProtocolUdpLite},
};

// RFC 2474, 2597, 3246, 5865, 8622.
constexpr std::pair<std::string_view, std::uint8_t> kDscpNames[] = {
    {"DF", 0},    {"CS0", 0},   {"LE", 1},    {"CS1", 8},  {"AF11", 10}, {"AF12", 12}, {"AF13", 14}, {"CS2", 16},
    {"AF21", 18}, {"AF22", 20}, {"AF23", 22}, {"CS3", 24}, {"AF31", 26}, {"AF32", 28}, {"AF33", 30}, {"CS4", 32},
    {"AF41", 34}, {"AF42", 36}, {"AF43", 38}, {"CS5", 40}, {"VA", 44},   {"EF", 46},   {"CS6", 48},  {"CS7", 56},
};

constexpr std::uint8_t kDscpMax = 63;

bool is_port_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Protocol> Protocol::parse(std::string_view text) {
  for (const auto& [name, protocol] : kProtocolNames) {
    if (name == text) return protocol;
  }
  const std::optional<std::uint8_t> number = parse_number<std::uint8_t>(text);
  if (number && *number != 0) return Protocol(*number);
  return invalid(
      concat(quoted(text), " is not one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255"));
}

std::string_view Protocol::name() const {
  for (const auto& [name, protocol] : kProtocolNames) {
    if (protocol == *this) return name;
  }
  return {};
}

std::string Protocol::to_string() const {
  const std::string_view known = name();
  return known.empty() ? concat(number_) : std::string(known);
}

bool Protocol::has_ports() const { return *this == kProtocolTcp || *this == kProtocolUdp || *this == kProtocolSctp; }

Result<PortOrName> PortOrName::parse(std::string_view text) {
  const bool is_numeric =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == ':'; });
  if (is_numeric) {
    MARGAY_ASSIGN_OR_RETURN(const PortRange range, PortRange::parse(text));
    if (range.first() == Port(0)) return invalid(concat(quoted(text), " begins at port 0, the first port is 1"));
    return PortOrName(range);
  }
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_port_name_byte)) return PortOrName(std::string(text));
  return invalid(
      concat(quoted(text), " is neither a port from 1 to 65535, nor a range such as \"8000:8100\", nor a name"));
}

std::string PortOrName::to_string() const {
  if (const PortRange* ports = range()) return ports->to_string();
  return *name();
}

Result<Community> Community::parse(std::string_view text) {
  Error bad = invalid(concat(quoted(text), " is not a community: aa:nn with numbers up to 65535, or aa:nn:mm with ",
                             "numbers up to 4294967295"));
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() == 2) {
    const auto high = parse_number<std::uint16_t>(parts[0]);
    const auto low = parse_number<std::uint16_t>(parts[1]);
    if (high && low) return standard(*high, *low);
  }
  if (parts.size() == 3) {
    const auto global = parse_number<std::uint32_t>(parts[0]);
    const auto local1 = parse_number<std::uint32_t>(parts[1]);
    const auto local2 = parse_number<std::uint32_t>(parts[2]);
    if (global && local1 && local2) return large(*global, *local1, *local2);
  }
  return bad;
}

std::string Community::to_string() const {
  if (is_large_) return concat(parts_[0], ':', parts_[1], ':', parts_[2]);
  return concat(parts_[0], ':', parts_[1]);
}

Result<PeerAddress> PeerAddress::parse(std::string_view text) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find("]:");
    if (close == std::string_view::npos) return invalid(concat(quoted(text), " has no port after \"]\""));
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
    if (host.find(':') == std::string_view::npos)
      return invalid(concat(quoted(text), ": only IPv6 stands in brackets"));
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    std::tie(host, port) = *split_once(text, ':');
  }
  MARGAY_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::parse(host));
  PeerAddress peer{address, std::nullopt};
  if (!port) return peer;
  const auto number = parse_number<std::uint16_t>(*port);
  if (!number || *number == 0) return invalid(concat("in ", quoted(text), ", the port is not from 1 to 65535"));
  peer.port = Port(*number);
  return peer;
}

std::string PeerAddress::to_string() const {
  if (!port) return address.to_string();
  if (address.is_v4()) return concat(address.to_string(), ':', port->value());
  return concat('[', address.to_string(), "]:", port->value());
}

Result<BlockOwner> BlockOwner::parse(std::string_view text) {
  const auto parts = split_once(text, ':');
  const auto type = parts ? parse_enum<AffinityType>(parts->first) : std::nullopt;
  if (!type || parts->second.empty()) {
    return invalid(concat(quoted(text), " is not \"host:\" or \"virtual:\" and a name"));
  }
  return BlockOwner{*type, std::string(parts->second)};
}

std::string BlockOwner::to_string() const { return concat(model::to_string(type), ':', name); }

Result<Dscp> Dscp::parse(std::string_view text) {
  for (const auto& [name, value] : kDscpNames) {
    if (name == text) return Dscp(value);
  }
  const auto number = parse_number<std::uint8_t>(text);
  if (number && *number <= kDscpMax) return Dscp(*number);
  return invalid(concat(quoted(text), " is neither a code point from 0 to 63 nor a name such as EF, AF11, CS1 or DF"));
}

std::string Dscp::to_string() const { return concat(value_); }

Result<AutoOrDuration> AutoOrDuration::parse(std::string_view text) {
  if (text == "Auto") return AutoOrDuration{};
  MARGAY_ASSIGN_OR_RETURN(const Duration duration, parse_duration(text));
  return AutoOrDuration{duration};
}

std::string AutoOrDuration::to_string() const { return duration ? format_duration(*duration) : "Auto"; }

}  // namespace margay::model
