// RoutedNodes: a cluster of three nodes on this machine, two on one link and one behind a router that knows nothing of
// pods: margay-apiserver in memory, a margay-node in each of three network namespaces, both families. Real processes,
// real kernel; gone with the object.
//
//   node-a 192.0.2.1 ─┐
//                     ├─ br1 ─ router ─ c ─ 198.51.100.1 node-c
//   node-b 192.0.2.2 ─┘
//   2001:db8:1::1, ::2                      2001:db8:2::1
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

class RoutedNodes {
 public:
  enum Who { kA, kB, kC };
  struct Options {
    std::string vxlan_mode = "Never";
    std::string ipip_mode = "Never";
    std::vector<std::string> arguments{};  // of every agent
    std::map<Who, std::vector<std::string>> arguments_of{};
  };
  // Null when this machine cannot; `why` says what is missing.
  static std::unique_ptr<RoutedNodes> start(const Options& options, std::string* why);

  [[nodiscard]] const NetSpace& node(Who who) const { return nodes_[who].space; }
  [[nodiscard]] const NetSpace& router() const { return router_; }
  [[nodiscard]] SyncClient& api() { return client_; }
  [[nodiscard]] std::string pod_v4(Who who) const { return nodes_[who].pod_v4; }
  [[nodiscard]] std::string pod_v6(Who who) const { return nodes_[who].pod_v6; }
  // A pod of each node, both families; made at the start.
  [[nodiscard]] const NetSpace& pod(Who who) const { return *nodes_[who].pod; }

  // Of both pools, by field ("vxlanMode").
  void set_pools(const std::map<std::string, std::string>& fields);
  // With these variables besides the usual ones, from now on.
  void restart_agents(const std::map<std::string, std::string>& environment);
  [[nodiscard]] json::Value ask(Who who, const std::string& path) const;
  [[nodiscard]] bool is_ready(Who who) const;
  // ip(8): "10.65.0.64/26 via …", of both families.
  [[nodiscard]] std::string routes(Who who) const;
  // iptables-save -c, of the filter table.
  [[nodiscard]] std::string filter_rules(Who who) const;
  // A file of the agent's STATE_DIR; "": not there.
  [[nodiscard]] std::string state_file(Who who, const std::string& name) const;
  [[nodiscard]] std::string annotation(Who who, const std::string& name);
  // Its status; "": the Node has none of that type.
  [[nodiscard]] std::string condition(Who who, const std::string& type);
  [[nodiscard]] std::string logs() const;

 private:
  struct Node {
    std::string name, address_v4, address_v6, gateway_v4, gateway_v6, block_v4, block_v6, pod_v4, pod_v6;
    NetSpace space;
    std::unique_ptr<NetSpace> pod;
    std::unique_ptr<ChildProcess> agent;
  };
  RoutedNodes(std::unique_ptr<ApiServer> server, const Options& options);
  void connect();
  void create_pool(const std::string& name, const std::string& cidr, bool has_ipip);
  void describe(const Node& node);
  void create_block(const std::string& cidr, const std::string& node);
  void run_pod(Node& node);
  void start_agent(Node& node);

  TempDir dir_;
  std::unique_ptr<ApiServer> server_;
  SyncClient client_;
  Options options_;
  std::map<std::string, std::string> environment_;
  NetSpace router_;
  std::array<Node, 3> nodes_;
};

}  // namespace margay::test
