// OneNode: a cluster of one node on this machine: margay-apiserver in memory, a real margay-node in a network
// namespace, pods in namespaces of their own, and everybody else in one more. Real processes, real kernel; gone with
// the object.
//
//   pod ─ cali… ─┐
//   pod ─ cali… ─ node 100.127.255.1 ══ up0 ══ 100.127.255.2 outside (any addresses)
//
// Pods are not made by the CNI plugin's process but by its code: they get whatever address a test wants.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/json/value.h"
#include "test/support/api_servers.h"
#include "test/support/net_space.h"
#include "test/support/object_writer.h"

namespace margay::test {

struct OneNodeOptions {
  MargayServerOptions server{};  // always on a unix socket
  std::map<std::string, std::string> agent_environment{};
  std::vector<std::string> agent_wrapper{};  // words before the agent's own, of a program that becomes it
};

class OneNode {
 public:
  static constexpr const char* kName = "node-1";
  static constexpr const char* kAddress = "100.127.255.1";

  // Null when this machine cannot; `why` says what is missing. The agent does not run yet.
  static std::unique_ptr<OneNode> start(const OneNodeOptions& options, std::string* why);
  ~OneNode();

  [[nodiscard]] const NetSpace& node() const { return node_; }
  [[nodiscard]] const NetSpace& outside() const { return outside_; }
  [[nodiscard]] ApiServer& server() { return *server_; }
  [[nodiscard]] ObjectWriter& objects() { return *writer_; }
  // Objects of the test besides those of the cluster itself.
  std::vector<std::string> bring_to(ObjectMap wanted);

  // The pod's namespace, behind the interface that its name gives; made unless it is there with these addresses. Says
  // nothing to the API server.
  const NetSpace& pod(const std::string& name_space, const std::string& name, const std::vector<IpAddress>& addresses);
  void remove_pod(const std::string& name_space, const std::string& name);
  // The outside has these addresses, too.
  void add_outside(const std::set<IpAddress>& addresses);

  void start_agent();
  void kill_agent();  // SIGKILL
  int stop_agent();   // SIGTERM; its exit status, 128 + signal if that ended it, -1 if it had to be killed
  [[nodiscard]] ChildProcess* agent() { return agent_.get(); }
  [[nodiscard]] std::string file(const std::string& name) const { return dir_.file(name); }
  // Of the API server, for its paths of faults.
  [[nodiscard]] std::string server_socket() const;
  // What the agent answers on its socket; null value when nobody does.
  [[nodiscard]] json::Value ask(const std::string& path) const;
  // Everything that was written to the API server is in the kernel, and nothing has failed; "" or what is missing.
  [[nodiscard]] std::string missing_in_kernel() const;
  // Waits for that; "" or what was still missing at the end.
  [[nodiscard]] std::string wait_for_kernel(std::chrono::seconds limit = std::chrono::seconds(30)) const;
  [[nodiscard]] std::string logs() const;

 private:
  struct Pod {
    std::unique_ptr<NetSpace> space;
    std::vector<IpAddress> addresses;
  };
  OneNode(std::unique_ptr<ApiServer> server, OneNodeOptions options);
  void join_outside();

  OneNodeOptions options_;
  TempDir dir_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<ObjectWriter> writer_;
  NetSpace node_, outside_;
  std::set<IpAddress> outside_addresses_;
  std::map<std::string, Pod> pods_;  // by interface
  std::unique_ptr<ChildProcess> agent_;
};

}  // namespace margay::test
