// Collector: garbage collection along ownerReferences.
//
// An object whose owners are all gone is deleted; if some are left, the references to the others are removed. An owner
// deleted in the foreground goes after its dependents, one deleted as orphaning after they have forgotten it.
//
// An owner is looked for in the namespace of its dependent, or among cluster-scoped objects: a reference cannot name
// anything else. A cluster-scoped object that names a namespaced kind is left alone. Several servers on one store may
// do this at the same time: every step is safe against a stale view and done once.
//
// Source: Kubernetes documentation, "Garbage Collection", "Owners and Dependents".
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "datastore/server/purge.h"
#include "datastore/server/store_follower.h"
#include "datastore/server/work_queue.h"

namespace margay::server {

class Collector {
 public:
  explicit Collector(const ControllerContext& context);
  void start() { follower_.start(); }

 private:
  using Done = std::function<void(WorkQueue::Verdict)>;

  void restart();
  void on_object(const std::string& key, const store::Bytes& now, const store::Bytes& before);
  void index(const std::string& key, const store::Bytes& now);
  void look_at(const std::string& key, Done done);
  void look_at_object(const std::string& key, const store::Entry& entry, Done done);
  void check_owners(const std::string& key, const json::Value& object, const Done& done);
  void judge(const std::string& key, const json::Value& object, const std::set<std::string>& missing, Done done);
  void finish_foreground(const std::string& key, const json::Value& object, Done done);
  void finish_orphaning(const std::string& key, const json::Value& object, Done done);
  void change(const std::string& key, const std::function<Planner(const PlanContext&)>& make, Done done);

  ControllerContext on_;
  std::map<std::string, std::set<std::string>> dependents_;  // owner's uid → keys
  std::map<std::string, std::vector<std::string>> owners_;   // key of a dependent → uids of its owners
  std::map<std::string, std::string> waiting_owners_;  // uid → key of owners whose deletion waits for dependents
  WorkQueue queue_;
  StoreFollower follower_;
};

}  // namespace margay::server
