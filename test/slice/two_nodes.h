// TwoNodes: a cluster of two nodes on this machine: margay-apiserver in memory, a margay-node in each of two network
// namespaces joined by a cable, and pods in namespaces of their own. Real processes, real kernel; gone with the object.
//
//   pod ─ cali… ─ node-a (192.0.2.1) ══ eth0 ══ eth0 (192.0.2.2) node-b ─ cali… ─ pod
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "test/support/api_servers.h"
#include "test/support/net_space.h"
#include "test/support/sync_client.h"

namespace margay::test {

class TwoNodes {
 public:
  enum class Who { kA, kB };
  // Null when this machine cannot; `why` says what is missing.
  static std::unique_ptr<TwoNodes> start(std::string* why);
  ~TwoNodes();

  [[nodiscard]] const NetSpace& node(Who who) const { return at(who).space; }
  [[nodiscard]] SyncClient& api() { return client_; }

  // A namespace behind an interface of that name, with the address as a pod has it. Nobody is told of it.
  std::unique_ptr<NetSpace> plug(Who who, const std::string& interface, const std::string& address);
  // The same with a Pod object in namespace "default"; returns once it is created.
  std::unique_ptr<NetSpace> run_pod(Who who, const std::string& name, const std::string& address);
  // The CNI plugin, as a container runtime calls it for a pod of namespace "default".
  ProgramResult plugin(Who who, const std::string& command, const std::string& pod, const NetSpace& space) const;
  void create(const kube::ResourceType& type, const json::Value& object);
  void remove(const kube::ResourceType& type, const kube::ObjectName& name);

  void start_agent(Who who);
  void kill_agent(Who who);  // SIGKILL
  int stop_agent(Who who);   // SIGTERM; its exit status
  bool is_running(Who who);
  // GET of the agent's socket; null value when nobody answers.
  [[nodiscard]] json::Value ask(Who who, const std::string& path) const;
  // Of the same socket; "" when nobody answers.
  [[nodiscard]] std::string metrics(Who who) const;
  // Every stage was reached and nothing has failed.
  [[nodiscard]] bool is_ready(Who who) const;
  // For failure messages.
  [[nodiscard]] std::string logs() const;

 private:
  struct Node {
    std::string name;
    std::string address;
    std::string block;
    NetSpace space;
    std::unique_ptr<ChildProcess> agent;
  };
  explicit TwoNodes(std::unique_ptr<ApiServer> server);
  void describe(const Node& node);
  [[nodiscard]] const Node& at(Who who) const { return nodes_[who == Who::kA ? 0 : 1]; }
  Node& at(Who who) { return nodes_[who == Who::kA ? 0 : 1]; }

  TempDir dir_;
  std::unique_ptr<ApiServer> server_;
  SyncClient client_;
  std::unique_ptr<ChildProcess> controllers_;
  std::array<Node, 2> nodes_;
};

// Objects.
json::Value pod_object(const std::string& name, const std::string& node, const std::string& address);
extern const kube::ResourceType kPods, kNodes, kPools, kAffinities, kPolicies, kWorkloads;

}  // namespace margay::test
