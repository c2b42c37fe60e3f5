// CniNode: the agent's side of the CNI plugin on a loop of its own, against a real API server, for tests and benchmarks
// that run the plugin: watches, address book, socket; and, in place of the dataplane, routes to the pods by netlink.
// Everything is gone with the object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/cni/cni_server.h"
#include "base/loop/loop_thread.h"
#include "test/support/process.h"

namespace margay::test {

struct CniNodeOptions {
  std::string kubeconfig;
  std::string socket;
  std::string spool_folder;
  std::string node = "node-1";
  agent::CniLimits limits{};
  // Nothing is ever ready: what is waited for.
  std::string never_ready{};
};

class CniNode {
 public:
  // The network namespace of the calling thread is the node's. Returns when everything was read.
  explicit CniNode(const CniNodeOptions& options);
  ~CniNode();
  CniNode(const CniNode&) = delete;
  CniNode& operator=(const CniNode&) = delete;

  // Addresses in all blocks of this node, as stored.
  [[nodiscard]] std::size_t addresses_in_use();
  // None is left, once the releases that DEL has been answered before are stored.
  [[nodiscard]] bool releases_all();

 private:
  struct Impl;
  std::unique_ptr<loop::LoopThread> thread_;  // made in the caller's network namespace
  std::unique_ptr<Impl> impl_;
};

// One call of the plugin `name`, as a runtime makes it.
struct PluginCall {
  std::string command = "ADD";
  std::string container;
  std::string netns;
  std::string interface = "eth0";
  std::string pod_namespace = "default";
  std::string pod_name;  // "": without Kubernetes
  std::string config;
  std::string program = "margay";
};
ProgramResult run_plugin(const PluginCall& call);
ProcessOptions plugin_process(const PluginCall& call);

}  // namespace margay::test
