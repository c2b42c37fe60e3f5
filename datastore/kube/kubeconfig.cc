#include "datastore/kube/kubeconfig.h"

#include <algorithm>
#include <utility>

#include "base/core/base64.h"
#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr std::size_t kFilesMax = 64;

std::string list_names(const auto& map) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : map) names.push_back(name);
  return names.empty() ? std::string("none") : join(names, ", ");
}

// People fold the text in their editors.
std::string without_blanks(std::string_view text) {
  std::string out(text);
  out.erase(
      std::remove_if(out.begin(), out.end(), [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }),
      out.end());
  return out;
}

// Fails with the place in the message: "clusters: prod: certificate-authority: /x/ca.crt: No such file or directory".
Result<std::string> load_pem(const PemSource& source, std::string_view what, const FileReader& files) {
  if (source.data.empty() && source.file.empty()) return std::string();
  auto pem = source.data.empty() ? files(source.file) : base64_decode(without_blanks(source.data));
  if (!pem.ok()) return std::move(pem).error().within(source.data.empty() ? what : concat(what, "-data"));
  if (pem->find("-----BEGIN ") == std::string::npos) return invalid(concat(what, ": is not PEM text"));
  return pem;
}

// As kubectl: an address alone is HTTPS when the entry says how to verify it, and else HTTP.
std::string with_scheme(const KubeconfigCluster& cluster) {
  if (cluster.server.find("://") != std::string::npos) return cluster.server;
  const bool uses_tls = cluster.ca.is_given() || cluster.insecure_skip_tls_verify;
  return concat(uses_tls ? "https://" : "http://", cluster.server);
}

Status apply_cluster(const KubeconfigCluster& cluster, ConnectionConfig& config, const FileReader& files) {
  if (!cluster.refusal.empty()) return invalid(cluster.refusal);
  if (cluster.server.empty()) return invalid("has no server");
  MARGAY_ASSIGN_OR_RETURN(config.servers, parse_servers(with_scheme(cluster)));
  if (cluster.insecure_skip_tls_verify && cluster.ca.is_given()) {
    return invalid("certificate-authority and insecure-skip-tls-verify exclude each other");
  }
  MARGAY_ASSIGN_OR_RETURN(config.tls.ca_pem, load_pem(cluster.ca, "certificate-authority", files));
  config.tls_files.ca = cluster.ca.used_file();
  config.tls.server_name = cluster.tls_server_name;
  config.tls.insecure_skip_verify = cluster.insecure_skip_tls_verify;
  return ok_status();
}

Status apply_user(const KubeconfigUser& user, ConnectionConfig& config, const FileReader& files) {
  if (!user.refusal.empty()) return invalid(user.refusal);
  if (user.certificate.is_given() != user.key.is_given()) {
    return invalid("a client certificate needs its key, and the key its certificate");
  }
  MARGAY_ASSIGN_OR_RETURN(config.tls.certificate_pem, load_pem(user.certificate, "client-certificate", files));
  MARGAY_ASSIGN_OR_RETURN(config.tls.key_pem, load_pem(user.key, "client-key", files));
  config.tls_files.certificate = user.certificate.used_file();
  config.tls_files.key = user.key.used_file();
  config.token = user.token;
  config.token_file = user.token_file;
  return ok_status();
}

}  // namespace

void Kubeconfig::merge(Kubeconfig later) {
  if (current_context.empty()) current_context = std::move(later.current_context);
  clusters.merge(later.clusters);
  users.merge(later.users);
  contexts.merge(later.contexts);
  paths.insert(paths.end(), later.paths.begin(), later.paths.end());
}

Result<ConnectionConfig> Kubeconfig::resolve(std::string_view context, const FileReader& files) const {
  const std::string_view name = context.empty() ? std::string_view(current_context) : context;
  const std::string place = join(paths, ":");
  if (name.empty()) {
    return invalid(
        concat(place, ": has no current-context; choose one with --context (there are: ", list_names(contexts), ")"));
  }
  const auto found = contexts.find(name);
  if (found == contexts.end()) {
    return invalid(
        concat(place, ": context ", quoted(name), " does not exist (there are: ", list_names(contexts), ")"));
  }
  const KubeconfigContext& chosen = found->second;
  const auto cluster = clusters.find(chosen.cluster);
  if (cluster == clusters.end()) {
    return invalid(concat(place, ": context ", quoted(name), " names the cluster ", quoted(chosen.cluster),
                          ", which does not exist (there are: ", list_names(clusters), ")"));
  }
  ConnectionConfig config;
  config.origin = concat("context ", name, " of ", place);
  if (!chosen.name_space.empty()) config.default_namespace = chosen.name_space;
  if (auto status = apply_cluster(cluster->second, config, files); !status.ok()) {
    return std::move(status).error().within(concat(place, ": cluster ", quoted(chosen.cluster)));
  }
  if (chosen.user.empty()) return config;  // no credentials
  const auto user = users.find(chosen.user);
  if (user == users.end()) {
    return invalid(concat(place, ": context ", quoted(name), " names the user ", quoted(chosen.user),
                          ", which does not exist (there are: ", list_names(users), ")"));
  }
  if (auto status = apply_user(user->second, config, files); !status.ok()) {
    return std::move(status).error().within(concat(place, ": user ", quoted(chosen.user)));
  }
  return config;
}

Result<Kubeconfig> load_kubeconfig(std::string_view path_list, const FileReader& files) {
  Kubeconfig merged;
  const std::vector<std::string_view> paths = split(path_list, ':');
  if (paths.size() > kFilesMax) return invalid(concat("KUBECONFIG names more than ", kFilesMax, " files"));
  for (const std::string_view path : paths) {
    if (path.empty()) continue;
    auto text = files(std::string(path));
    if (!text.ok() && text.error().code == ErrorCode::kNotFound) continue;
    if (!text.ok()) return std::move(text).error();
    MARGAY_ASSIGN_OR_RETURN(Kubeconfig one, Kubeconfig::parse(*text, path));
    merged.merge(std::move(one));
  }
  return merged;
}

}  // namespace margay::kube
