#include <utility>

#include "base/core/text.h"
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

Result<ServerUrl> parse_http(std::string_view url, std::string_view rest, bool uses_tls) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (authority.empty()) return bad(url, "the host is empty");
  if (authority.find('@') != std::string_view::npos) return bad(url, "user names and passwords are not supported");
  if (url.find_first_of("?# ") != std::string_view::npos) return bad(url, "query, fragment and blanks are not allowed");
  const std::string with_port =
      has_port(authority) ? std::string(authority) : concat(authority, uses_tls ? ":443" : ":80");
  auto endpoint = loop::Endpoint::parse(concat("tcp://", with_port));
  if (!endpoint.ok() || endpoint->port == 0) return bad(url, "host or port cannot be read");
  return ServerUrl{.endpoint = std::move(*endpoint),
                   .uses_tls = uses_tls,
                   .host_header = std::string(authority),
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
  return concat(uses_tls ? kHttps : kHttp, host_header, path_prefix);
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
