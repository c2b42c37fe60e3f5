// Where the API server is and how to prove who we are: from flags, kubeconfig files, or the pod we run in.
//
// choose_connection() holds the order every program follows:
//   1. explicit servers (--server URL[,URL…]); with --kubeconfig or --context these replace the servers of that context
//   2. the file of --kubeconfig
//   3. the files of KUBECONFIG, merged (kubeconfig.h)
//   4. ~/.kube/config
//   5. the service account of the pod we run in
// With --context only 2-4 are looked at. Files are read through `FileReader`, so that all of it can be tested as text.
//
// Source: Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files", "Accessing the API from a Pod".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/file/file.h"
#include "base/loop/stream.h"

namespace margay::kube {

// The whole content of a file; kNotFound when there is none.
using FileReader = std::function<Result<std::string>(const std::string& path)>;
// The files of this machine; kubeconfigs, certificates and tokens are small.
inline Result<std::string> read_file(const std::string& path) { return file::read_file(path, 4 * 1024 * 1024); }

// One API server.
//   https://10.0.0.1:6443   http://[::1]:8001   https://host/k8s/clusters/c-1   unix:///run/margay/api.sock
//   https://[fe80::1%25eth0]:6443, where %25 is how a URL writes the '%' of a zone (RFC 6874)
// Ports default to 443 and 80.
struct ServerUrl {
  loop::Endpoint endpoint{};
  bool uses_tls = false;
  std::string host_header{};  // "10.0.0.1:6443"; "localhost" for a unix socket
  std::string path_prefix{};  // "" or "/k8s/clusters/c-1", put before every path

  static Result<ServerUrl> parse(std::string_view url);
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};
// Separated by commas; at least one, at most 32.
Result<std::vector<ServerUrl>> parse_servers(std::string_view list);

// Where TLS settings came from; "": not from a file.
struct TlsFiles {
  std::string ca{};
  std::string certificate{};
  std::string key{};
};

struct ConnectionConfig {
  std::vector<ServerUrl> servers{};  // in order of preference
  loop::TlsClientConfig tls{};       // for those that use it
  TlsFiles tls_files{};              // re-read as they change
  std::string token{};               // "": none
  std::string token_file{};          // re-read as it changes; what is read last goes before `token`
  std::string default_namespace = "default";
  std::string origin{};  // for people: "context kind-a of /root/.kube/config", "--server"
};

// What the user asked for on the command line; all optional.
struct ConnectionFlags {
  std::string servers{};
  std::string kubeconfig{};
  std::string context{};
  std::string token_file{};  // for explicit servers
  // In place of the kubeconfig's or the pod's.
  std::string ca_file{};
  std::string client_certificate_file{};
  std::string client_key_file{};
};

// What the process was given.
struct Environment {
  std::string kubeconfig{};    // KUBECONFIG
  std::string home{};          // HOME
  std::string service_host{};  // KUBERNETES_SERVICE_HOST
  std::string service_port{};  // KUBERNETES_SERVICE_PORT

  static Environment of_process();
};

// The error says what was looked for, and where; kNotFound: nothing at all is configured.
Result<ConnectionConfig> choose_connection(const ConnectionFlags& flags, const Environment& environment,
                                           const FileReader& files = read_file);

// The service account of this pod: token (re-read), CA and namespace under
// /var/run/secrets/kubernetes.io/serviceaccount.
Result<ConnectionConfig> in_cluster_config(const Environment& environment, const FileReader& files = read_file);

}  // namespace margay::kube
