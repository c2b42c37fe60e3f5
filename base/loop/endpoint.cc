#include <algorithm>

#include "base/core/text.h"
#include "base/loop/stream.h"

namespace margay::loop {
namespace {

constexpr std::size_t kUnixPathMax = 107;  // sun_path of unix(7), less the NUL
constexpr std::size_t kHostMax = 253;
constexpr std::size_t kZoneMax = 15;  // IFNAMSIZ of netdevice(7), less the NUL

Error bad(std::string_view text, std::string_view why) {
  return invalid(concat("endpoint ", quoted(text), ": ", why, "; expected tcp://HOST:PORT or unix:///PATH"));
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_character(char c) { return is_host_character(c) || c == ':'; }

// "fe80::1%eth0": an address that many links have, on one of them (RFC 4007 section 11). What is wrong, or "".
std::string_view complaint_about_zone(std::string_view zone) {
  if (zone.empty()) return "the zone after '%' is missing: the network interface, as in fe80::1%eth0";
  if (zone.size() > kZoneMax) return "the zone after '%' is longer than a network interface's name can be";
  const auto is_bad = [](char c) { return c <= ' ' || c > '~' || c == '%' || c == '/' || c == ']'; };
  if (std::any_of(zone.begin(), zone.end(), is_bad)) return "the zone after '%' has a character that is not allowed";
  return {};
}

Result<Endpoint> parse_unix(std::string_view text, std::string_view path) {
  if (!path.starts_with('/')) return bad(text, "the path is not absolute");
  if (path.size() > kUnixPathMax) return bad(text, concat("the path is longer than ", kUnixPathMax, " bytes"));
  if (path.find('\0') != std::string_view::npos) return bad(text, "the path contains NUL");
  return Endpoint{.kind = Endpoint::Kind::kUnix, .host = {}, .port = 0, .path = std::string(path)};
}

Result<Endpoint> parse_tcp(std::string_view text, std::string_view rest) {
  const bool is_bracketed = rest.starts_with('[');
  const std::size_t colon = is_bracketed ? rest.find("]:") : rest.find(':');
  if (colon == std::string_view::npos) return bad(text, "the port is missing");
  const std::string_view host = is_bracketed ? rest.substr(1, colon - 1) : rest.substr(0, colon);
  const auto port = parse_number<std::uint16_t>(rest.substr(colon + (is_bracketed ? 2 : 1)));
  if (!port) return bad(text, "the port is not a number from 0 to 65535");
  if (host.empty() || host.size() > kHostMax) return bad(text, "the host is empty or too long");
  const auto is_allowed = is_bracketed ? is_ipv6_character : is_host_character;
  const std::string_view address = is_bracketed ? host.substr(0, host.find('%')) : host;
  if (!std::all_of(address.begin(), address.end(), is_allowed))
    return bad(text, "the host has a character that is not allowed");
  if (is_bracketed && address.find(':') == std::string_view::npos) return bad(text, "brackets are for IPv6 addresses");
  if (address.size() < host.size()) {
    const std::string_view complaint = complaint_about_zone(host.substr(address.size() + 1));
    if (!complaint.empty()) return bad(text, complaint);
  }
  return Endpoint{.kind = Endpoint::Kind::kTcp, .host = std::string(host), .port = *port, .path = {}};
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  constexpr std::string_view kTcpScheme = "tcp://";
  constexpr std::string_view kUnixScheme = "unix://";
  if (text.starts_with(kTcpScheme)) return parse_tcp(text, text.substr(kTcpScheme.size()));
  if (text.starts_with(kUnixScheme)) return parse_unix(text, text.substr(kUnixScheme.size()));
  return bad(text, "the scheme is neither tcp nor unix");
}

std::string Endpoint::to_string() const {
  if (kind == Kind::kUnix) return concat("unix://", path);
  if (host.find(':') != std::string::npos) return concat("tcp://[", host, "]:", port);
  return concat("tcp://", host, ":", port);
}

std::string_view Endpoint::host_without_zone() const { return std::string_view(host).substr(0, host.find('%')); }

}  // namespace margay::loop
