// DepartedNodes: removes the objects that are of one node alone, some time after it has gone for good.
//
//   BGPPeer, CalicoNodeStatus, HostEndpoint   whose spec.node it is
//   BGPConfiguration, FelixConfiguration      node.<name>
//
// Only of a node that was seen, and only what was made while it was there: who describes a node before it comes, or
// while it is away, means it. Before an object is removed the node is read once more, and the removal names the version
// that was seen. Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"
#include "datastore/model/key.h"
#include "datastore/model/meta.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::controllers {

class DepartedNodes {
 public:
  // Adds what it watches, but nodes, to `cluster`.
  DepartedNodes(const WriterParts& parts, watch::ClusterWatch& cluster);

  void note_node(const std::string& name, bool is_there);
  // How long a node has to be away; nullopt: its objects stay.
  void set_wait(std::optional<Duration> wait);
  void lead(bool is_leading) { is_leading ? queue_.release_all() : queue_.hold(); }
  [[nodiscard]] bool is_settled() const { return queue_.is_idle() && !timer_->is_armed(); }

 private:
  using Done = std::function<void(Verdict)>;
  struct Named {
    std::string node;
    model::ObjectMeta metadata;
  };
  struct Away {
    TimePoint since;
    WallTime wall_since;
  };
  template <class T>
  void watch(watch::ClusterWatch& cluster, std::string (*node_of)(const T& object));
  void look();
  [[nodiscard]] bool is_due(const Named& named) const;
  void work(const model::ObjectKey& key, const Done& done);
  void remove(const model::ObjectKey& key, const Done& done);

  WriterParts parts_;
  std::optional<Duration> wait_;
  std::map<std::string, std::optional<Away>> nodes_;  // that were seen; nullopt: it is there
  std::map<model::ObjectKey, Named> objects_;
  std::map<model::ObjectKey, kube::OperationPtr> operations_;
  KeyQueue<model::ObjectKey> queue_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::controllers
