#include <utility>

#include "base/core/text.h"
#include "base/http/message.h"
#include "datastore/kube/config.h"

namespace margay::kube {
namespace {

constexpr std::size_t kServersMax = 32;
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kUnix = "unix://";

Error bad(std::string_view url, std::string_view why) {
  return invalid(
      concat("server ", quoted(url), ": ", why, "; expected https://HOST[:PORT], http://HOST[:PORT] or unix:///PATH"));
}

bool has_port(std::string_view authority) {
  const std::size_t bracket = authority.find(']');
  return authority.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
}

// The zone of an IPv6 address: "[fe80::1%25eth0]" in a URL (RFC 6874 section 2), because '%' begins an escape there.
struct Zone {
  std::string authority;  // without it
  std::string name;       // "" if there is none
};

Result<Zone> take_zone(std::string_view url, std::string_view authority) {
  constexpr std::string_view kMark = "%25";
  const std::size_t at = authority.find('%');
  const std::size_t end = authority.find(']');
  if (at == std::string_view::npos) return Zone{std::string(authority), ""};
  const bool is_inside = end != std::string_view::npos && at < end;
  if (!is_inside) return bad(url, "'%' can only introduce the zone of an IPv6 address, as in [fe80::1%25eth0]");
  if (!authority.substr(at).starts_with(kMark) || at + kMark.size() == end)
    return bad(url, "in a URL the zone of an IPv6 address is written with %25, as in [fe80::1%25eth0]");
  MARGAY_ASSIGN_OR_RETURN(std::string name,
                          http::percent_decode(authority.substr(at + kMark.size(), end - at - kMark.size())));
  return Zone{concat(authority.substr(0, at), authority.substr(end)), std::move(name)};
}

Result<ServerUrl> parse_http(std::string_view url, std::string_view rest, bool uses_tls) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (authority.empty()) return bad(url, "the host is empty");
  if (authority.find('@') != std::string_view::npos) return bad(url, "user names and passwords are not supported");
  if (url.find_first_of("?# ") != std::string_view::npos) return bad(url, "query, fragment and blanks are not allowed");
  MARGAY_ASSIGN_OR_RETURN(Zone zone, take_zone(url, authority));
  const std::string with_port =
      has_port(zone.authority) ? zone.authority : concat(zone.authority, uses_tls ? ":443" : ":80");
  auto endpoint = loop::Endpoint::parse(concat("tcp://", with_port));
  if (!endpoint.ok() || endpoint->port == 0) return bad(url, "host or port cannot be read");
  if (!zone.name.empty()) {
    endpoint->host = concat(endpoint->host, '%', zone.name);
    auto checked = loop::Endpoint::parse(endpoint->to_string());
    if (!checked.ok()) return bad(url, checked.error().message);
  }
  return ServerUrl{.endpoint = std::move(*endpoint),
                   .uses_tls = uses_tls,
                   .host_header = std::move(zone.authority),
                   .path_prefix = std::string(path)};
}

}  // namespace

Result<ServerUrl> ServerUrl::parse(std::string_view url) {
  if (url.starts_with(kHttps)) return parse_http(url, url.substr(kHttps.size()), true);
  if (url.starts_with(kHttp)) return parse_http(url, url.substr(kHttp.size()), false);
  if (!url.starts_with(kUnix)) return bad(url, "the scheme is none we know");
  auto endpoint = loop::Endpoint::parse(url);
  if (!endpoint.ok()) return bad(url, "the path cannot be used for a socket");
  return ServerUrl{.endpoint = std::move(*endpoint), .uses_tls = false, .host_header = "localhost", .path_prefix = {}};
}

std::string ServerUrl::to_string() const {
  if (endpoint.kind == loop::Endpoint::Kind::kUnix) return concat(kUnix, endpoint.path);
  std::string authority = host_header;
  const std::string_view zone = std::string_view(endpoint.host).substr(endpoint.host_without_zone().size());
  if (!zone.empty()) authority.insert(authority.find(']'), concat("%25", http::percent_encode(zone.substr(1))));
  return concat(uses_tls ? kHttps : kHttp, authority, path_prefix);
}

Result<std::vector<ServerUrl>> parse_servers(std::string_view list) {
  std::vector<ServerUrl> servers;
  for (const std::string_view url : split(list, ',')) {
    if (servers.size() == kServersMax) return invalid(concat("more than ", kServersMax, " servers"));
    MARGAY_ASSIGN_OR_RETURN(ServerUrl server, ServerUrl::parse(trim(url)));
    servers.push_back(std::move(server));
  }
  return servers;
}

}  // namespace margay::kube
