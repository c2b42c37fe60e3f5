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

// An empty name is no file.
Status read_into(std::string& out, const std::string& path, const FileReader& files) {
  if (path.empty()) return ok_status();
  MARGAY_ASSIGN_OR_RETURN(out, files(path));
  return ok_status();
}

Result<ConnectionConfig> explicit_config(const ConnectionFlags& flags, std::vector<ServerUrl> servers,
                                         const FileReader& files) {
  ConnectionConfig config;
  config.servers = std::move(servers);
  config.origin = "--server";
  config.token_file = flags.token_file;
  config.tls_files = {flags.ca_file, flags.client_certificate_file, flags.client_key_file};
  MARGAY_RETURN_IF_ERROR(read_into(config.tls.ca_pem, flags.ca_file, files));
  MARGAY_RETURN_IF_ERROR(read_into(config.tls.certificate_pem, flags.client_certificate_file, files));
  MARGAY_RETURN_IF_ERROR(read_into(config.tls.key_pem, flags.client_key_file, files));
  if (config.tls.certificate_pem.empty() != config.tls.key_pem.empty()) {
    return invalid("a client certificate needs its key, and the key its certificate");
  }
  return config;
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
  if (flags.servers.empty()) return from_kubeconfig_or_pod(flags, environment, files);
  MARGAY_ASSIGN_OR_RETURN(std::vector<ServerUrl> servers, parse_servers(flags.servers));
  // Credentials go to another server than theirs only when the user names both.
  if (flags.kubeconfig.empty() && flags.context.empty()) return explicit_config(flags, std::move(servers), files);
  MARGAY_ASSIGN_OR_RETURN(ConnectionConfig config, from_kubeconfig_or_pod(flags, environment, files));
  config.servers = std::move(servers);
  config.origin = concat("--server with ", config.origin);
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
