#include "datastore/apiserver/kubeconfig.h"

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "base/json/yaml.h"

namespace margay::apiserver {
namespace {

constexpr const char* kName = "margay";

std::string server_url(const KubeconfigInput& input) {
  loop::Endpoint endpoint = input.endpoint;
  if (endpoint.kind == loop::Endpoint::Kind::kUnix) return endpoint.to_string();
  if (endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  if (endpoint.host == "::") endpoint.host = "::1";
  constexpr std::string_view kTcp = "tcp://";
  std::string authority = endpoint.to_string().substr(kTcp.size());
  // RFC 6874 section 2: the '%' before a zone is escaped in a URL.
  if (const std::size_t zone = authority.find('%'); zone != std::string::npos) authority.insert(zone + 1, "25");
  return concat(input.certificate_pem.empty() ? "http://" : "https://", authority);
}

json::Value named(std::string_view key, json::Value value) {
  json::Object out{{"name", kName}};
  out.append_new(std::string(key), std::move(value));
  return out;
}

}  // namespace

bool is_local_only(const loop::Endpoint& endpoint) {
  return endpoint.kind == loop::Endpoint::Kind::kUnix || endpoint.host.starts_with("127.") || endpoint.host == "::1" ||
         endpoint.host == "localhost";
}

std::string kubeconfig_text(const KubeconfigInput& input) {
  json::Object cluster;
  cluster.append_new("server", server_url(input));
  if (!input.certificate_pem.empty())
    cluster.append_new("certificate-authority-data", base64_encode(input.certificate_pem));
  json::Object user;
  if (!input.token.empty()) user.append_new("token", input.token);
  json::Object out{{"apiVersion", "v1"}, {"kind", "Config"}};
  out.append_new("clusters", json::Array{named("cluster", std::move(cluster))});
  out.append_new("users", json::Array{named("user", std::move(user))});
  out.append_new("contexts", json::Array{named("context", json::Object{{"cluster", kName}, {"user", kName}})});
  out.append_new("current-context", kName);
  return json::dump_yaml(out);
}

}  // namespace margay::apiserver
