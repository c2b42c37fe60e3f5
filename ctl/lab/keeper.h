// Keeper: the stand-in for scheduler and kubelets of a lab: gives pods without a node one, makes each a namespace,
// calls the CNI plugin as a container runtime does, starts its server, writes its status; and takes all that back when
// the pod goes. A pass compares what is wanted with what there is, so that it can be ended and begun again at any time.
//
// One thread; calls block.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ctl/lab/paths.h"
#include "ctl/lab/pod.h"
#include "ctl/lab/pod_server.h"
#include "ctl/lab/topology.h"
#include "ctl/verbs/api.h"

namespace margay::lab {

struct KeeperKinds {
  const schema::ResourceInfo* pods = nullptr;
  const schema::ResourceInfo* nodes = nullptr;
};

struct KeeperOptions {
  Paths paths;
  Topology topology;
  std::string plugin;  // path of the program "margay"
};

class Keeper {
 public:
  // The kinds and `api` outlive it.
  Keeper(verbs::Api& api, KeeperKinds kinds, KeeperOptions options);
  void set_topology(Topology topology) { options_.topology = std::move(topology); }

  // Makes what runs equal to these. False when something failed and is worth another try soon; `say` gets a line for
  // whatever was done or failed.
  bool pass(const std::vector<json::Value>& objects, const std::string& now);

 private:
  struct Run {
    LabPod pod;
    std::string space;
  };
  struct Plugged {
    bool is_new = false;  // an earlier keeper did not make it
    Result<std::vector<IpAddress>> addresses;
  };
  // Pods that are being deleted and run no more: a real API server waits for a kubelet to say so.
  bool finish_deletions(const std::vector<LabPod>& all);
  // Nodes of the lab that take pods.
  [[nodiscard]] std::vector<std::string> open_nodes();
  bool schedule(LabPod& pod, const std::vector<LabPod>& all);
  bool start(const std::vector<const LabPod*>& pods, const std::string& now);
  // Its namespace with an interface. Any thread; different pods may be plugged at a time.
  [[nodiscard]] Plugged plug(const LabPod& pod) const;
  [[nodiscard]] Result<std::vector<IpAddress>> add(const LabPod& pod, const std::string& space) const;
  // Its server and its status.
  bool run(const LabPod& pod, const Plugged& plugged, const std::string& now);
  bool stop(const Run& run);
  [[nodiscard]] Result<std::string> plugin(std::string_view command, const LabPod& pod, const std::string& space) const;
  [[nodiscard]] std::string host_address(const std::string& node) const;
  // What an earlier keeper has left: namespaces of pods that are gone.
  void remove_strays(const std::vector<LabPod>& wanted);

  verbs::Api& api_;
  KeeperKinds kinds_;
  KeeperOptions options_;
  PodServer server_;
  std::map<std::string, Run> runs_;  // by "namespace/name"
  bool has_looked_ = false;
};

}  // namespace margay::lab
