// KubeCluster: a real Kubernetes cluster on this machine: etcd, kube-apiserver, kube-controller-manager and
// kube-scheduler in the network of the calling thread; two nodes with containerd, runc, kubelet and kube-proxy, each
// with a network, a root, processes and cgroups of its own (kube_node.sh). No network of pods: that is what a test
// installs.
//
// The containers' images are margay/node and margay/controllers as manifests/image/Dockerfile has them, out of this
// machine's packages (images.py), and kBusybox. Nothing of the machine is changed, and all ends with the object or the
// test; cgroups of a run that was killed are removed by the next.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/support/api_servers.h"
#include "test/support/net_space.h"
#include "test/support/process.h"

namespace margay::test {

constexpr const char* kBusybox = "docker.io/margay/busybox:test";

class KubeCluster {
 public:
  // In the calling thread's network namespace, which is the test's own. Null when this machine cannot; `why` says why.
  static std::unique_ptr<KubeCluster> start(std::string* why);
  ~KubeCluster();
  KubeCluster(const KubeCluster&) = delete;
  KubeCluster& operator=(const KubeCluster&) = delete;

  [[nodiscard]] std::string kubeconfig() const { return dir_.file("kubeconfig-admin"); }
  [[nodiscard]] ProgramResult kubectl(std::vector<std::string> words, const std::string& input = {},
                                      std::chrono::seconds deadline = std::chrono::seconds(90)) const;
  static std::vector<std::string> nodes() { return {"node-1", "node-2"}; }
  // The node's network.
  [[nodiscard]] const NetSpace& space(const std::string& node) const;
  // The ends of all logs.
  [[nodiscard]] std::string logs() const;

 private:
  struct Node;
  KubeCluster();
  bool make_images(std::string* why) const;
  bool start_servers(std::string* why);
  void start_node(Node& node);
  void write_kubeconfig(const std::string& path, const std::string& user, const std::string& ca) const;
  [[nodiscard]] std::string program(const std::string& name) const { return kubernetes_ + "/" + name; }
  void run_server(const std::string& name, std::vector<std::string> flags);

  std::string kubernetes_;  // folder of the programs
  TempDir dir_;
  std::unique_ptr<Etcd> etcd_;
  std::vector<std::unique_ptr<ChildProcess>> servers_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace margay::test
