#include "datastore/kube/config.h"

#include <cstdlib>
#include <utility>

#include "base/core/text.h"
#include "datastore/kube/kubeconfig.h"

namespace margay::kube {
namespace {

constexpr std::string_view kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::string text_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? std::string() : std::string(value);
}

std::string default_path(const Environment& environment) {
  return environment.home.empty() ? std::string() : concat(environment.home, "/.kube/config");
}

ConnectionConfig explicit_config(const ConnectionFlags& flags, std::vector<ServerUrl> servers) {
  ConnectionConfig config;
  config.servers = std::move(servers);
  config.origin = "--server";
  config.token_file = flags.token_file;
  return config;
}

Result<std::string> read_pem(const std::string& path, const FileReader& files) {
  MARGAY_ASSIGN_OR_RETURN(std::string text, files(path));
  if (text.find("-----BEGIN ") == std::string::npos) return invalid(concat(path, ": is not PEM"));
  return text;
}

// What flags say goes before what files say.
Status apply_tls_flags(const ConnectionFlags& flags, const FileReader& files, ConnectionConfig& config) {
  if (flags.client_certificate_file.empty() != flags.client_key_file.empty())
    return invalid("a client certificate needs its key, and the key its certificate");
  if (!flags.ca_file.empty()) {
    config.tls_files.ca = flags.ca_file;
    MARGAY_ASSIGN_OR_RETURN(config.tls.ca_pem, read_pem(flags.ca_file, files));
  }
  if (!flags.client_key_file.empty()) {
    config.tls_files.certificate = flags.client_certificate_file;
    config.tls_files.key = flags.client_key_file;
    MARGAY_ASSIGN_OR_RETURN(config.tls.certificate_pem, read_pem(flags.client_certificate_file, files));
    MARGAY_ASSIGN_OR_RETURN(config.tls.key_pem, read_pem(flags.client_key_file, files));
  }
  return ok_status();
}

// nullopt: there is no kubeconfig at all.
Result<std::optional<Kubeconfig>> find_kubeconfig(const ConnectionFlags& flags, const Environment& environment,
                                                  const FileReader& files) {
  if (!flags.kubeconfig.empty()) {
    MARGAY_ASSIGN_OR_RETURN(const std::string text, files(flags.kubeconfig));
    MARGAY_ASSIGN_OR_RETURN(Kubeconfig config, Kubeconfig::parse(text, flags.kubeconfig));
    return std::optional(std::move(config));
  }
  const std::string paths = environment.kubeconfig.empty() ? default_path(environment) : environment.kubeconfig;
  MARGAY_ASSIGN_OR_RETURN(Kubeconfig config, load_kubeconfig(paths, files));
  if (config.paths.empty()) return std::optional<Kubeconfig>();
  return std::optional(std::move(config));
}

Error nothing_found(const ConnectionFlags& flags, const Environment& environment) {
  std::string looked =
      environment.kubeconfig.empty() ? default_path(environment) : concat("KUBECONFIG=", environment.kubeconfig);
  if (looked.empty()) looked = "no KUBECONFIG and no HOME";
  if (!flags.context.empty()) {
    return invalid(
        concat("context ", quoted(flags.context), " is asked for, but there is no kubeconfig (", looked, ")"));
  }
  return Error{ErrorCode::kNotFound, concat("do not know which API server to use: no --server, no kubeconfig (", looked,
                                            "), and this is not a pod (KUBERNETES_SERVICE_HOST is not set)")};
}

Result<ConnectionConfig> from_kubeconfig_or_pod(const ConnectionFlags& flags, const Environment& environment,
                                                const FileReader& files) {
  MARGAY_ASSIGN_OR_RETURN(const std::optional<Kubeconfig> kubeconfig, find_kubeconfig(flags, environment, files));
  if (kubeconfig) return kubeconfig->resolve(flags.context, files);
  if (!flags.context.empty() || environment.service_host.empty()) return nothing_found(flags, environment);
  return in_cluster_config(environment, files);
}

}  // namespace

Environment Environment::of_process() {
  return {.kubeconfig = text_of("KUBECONFIG"),
          .home = text_of("HOME"),
          .service_host = text_of("KUBERNETES_SERVICE_HOST"),
          .service_port = text_of("KUBERNETES_SERVICE_PORT")};
}

Result<ConnectionConfig> choose_connection(const ConnectionFlags& flags, const Environment& environment,
                                           const FileReader& files) {
  std::vector<ServerUrl> servers;
  if (!flags.servers.empty()) {
    MARGAY_ASSIGN_OR_RETURN(servers, parse_servers(flags.servers));
  }
  ConnectionConfig config;
  // Credentials go to another server than theirs only when the user names both.
  if (!servers.empty() && flags.kubeconfig.empty() && flags.context.empty()) {
    config = explicit_config(flags, std::move(servers));
  } else {
    MARGAY_ASSIGN_OR_RETURN(config, from_kubeconfig_or_pod(flags, environment, files));
    if (!servers.empty()) {
      config.servers = std::move(servers);
      config.origin = concat("--server with ", config.origin);
    }
  }
  MARGAY_RETURN_IF_ERROR(apply_tls_flags(flags, files, config));
  return config;
}

Result<ConnectionConfig> in_cluster_config(const Environment& environment, const FileReader& files) {
  if (environment.service_host.empty()) return invalid("not in a pod: KUBERNETES_SERVICE_HOST is not set");
  const std::string folder(kServiceAccountFolder);
  const bool is_ipv6 = environment.service_host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? concat("[", environment.service_host, "]") : environment.service_host;
  ConnectionConfig config;
  config.origin = "the pod's service account";
  const std::string port = environment.service_port.empty() ? "443" : environment.service_port;
  MARGAY_ASSIGN_OR_RETURN(config.servers, parse_servers(concat("https://", host, ":", port)));
  config.tls_files.ca = folder + "ca.crt";
  MARGAY_ASSIGN_OR_RETURN(config.tls.ca_pem, files(config.tls_files.ca));
  config.token_file = folder + "token";
  MARGAY_ASSIGN_OR_RETURN(const std::string token, files(config.token_file));
  config.token = trim(token);
  // Not every distribution mounts the namespace.
  if (auto name_space = files(folder + "namespace"); name_space.ok() && !trim(*name_space).empty()) {
    config.default_namespace = trim(*name_space);
  }
  return config;
}

}  // namespace margay::kube
