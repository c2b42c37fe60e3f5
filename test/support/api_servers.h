// The three API servers that the client's suite and netctl's tests run against: margay-apiserver in memory,
// margay-apiserver on a real etcd, and a real kube-apiserver on a real etcd with Margay's CRDs installed.
//
// Real processes on loopback, in a temporary folder, gone with the object. A server whose programs are not on this
// machine is not started: start_* then returns null and `why` says what is missing, for GTEST_SKIP.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/support/process.h"

namespace margay::test {

class ApiServer {
 public:
  virtual ~ApiServer() = default;
  [[nodiscard]] virtual std::string name() const = 0;  // "memory", "etcd", "kubernetes"
  // For netctl, kubectl and kube::Client; administrator.
  [[nodiscard]] virtual std::string kubeconfig() const = 0;
  // With the rights of that ServiceAccount of kube-system, as manifests/ gives them; a server without rights: as above.
  [[nodiscard]] virtual std::string kubeconfig_of(const std::string& service_account) {
    (void)service_account;
    return kubeconfig();
  }
  // What the processes logged so far, for failure messages.
  [[nodiscard]] virtual std::string logs() const = 0;
  // For tests of outages; null where a test cannot have it.
  [[nodiscard]] virtual ChildProcess* process() { return nullptr; }
  // Ends in order and is there again, at the same place and with the same objects.
  virtual void restart() {}
};

struct MargayServerOptions {
  std::vector<std::string> flags;  // further flags
  bool unix_socket = false;        // listen on a unix socket instead of 127.0.0.1
  bool has_snapshot = false;       // in memory: what it holds is there again after restart()
};

// A real etcd on loopback.
class Etcd {
 public:
  static std::unique_ptr<Etcd> start(std::string* why);
  [[nodiscard]] std::string client_url() const;  // http://127.0.0.1:PORT
  ~Etcd();
  // For tests of outages: SIGKILL and the same data again.
  void kill_now();
  void start_again();

 private:
  Etcd();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::unique_ptr<ApiServer> start_memory_server(const MargayServerOptions& options, std::string* why);
std::unique_ptr<ApiServer> start_etcd_server(const MargayServerOptions& options, std::string* why);
std::unique_ptr<ApiServer> start_kube_apiserver(std::string* why);

// Path of Debian's kubectl 1.20 that belongs to the kube-apiserver, or of the one in PATH; "" when there is none.
std::string old_kubectl();
// Path of the one that scripts/kube-clients fetched, or of the one in PATH; "" when there is none.
std::string new_kubectl();

}  // namespace margay::test
