// ClusterFacts: what the CNI server knows of the cluster without asking: pools, reservations, settings of address
// management, namespaces, this node's labels and pods. Fed by the agent's watches (ClusterWatch's consumers fit set()).
// Thread: the control loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cni/ipam/allocator.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::agent {

class ClusterFacts {
 public:
  explicit ClusterFacts(std::string node) : node_(std::move(node)) {}

  // Null: gone. Of pods and nodes only this node's are kept.
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::IpPool>& pool);
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::IpReservation>& reservation);
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::IpamConfiguration>& configuration);
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::Namespace>& name_space);
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node);
  void set(const model::ObjectKey& key, const std::shared_ptr<const model::Pod>& pod);
  // Everything that was there at the start has been set.
  void mark_in_sync() { is_in_sync_ = true; }

  [[nodiscard]] bool is_in_sync() const { return is_in_sync_; }
  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] std::vector<const model::IpPool*> pools() const;
  [[nodiscard]] const StringMap& node_labels() const { return node_labels_; }
  [[nodiscard]] const model::Namespace* find_namespace(const std::string& name) const;
  [[nodiscard]] const model::Pod* find_pod(const std::string& name_space, const std::string& name) const;
  // For the allocator: what IPAMConfiguration and IPReservations say.
  [[nodiscard]] ipam::AllocatorConfig allocator_config() const;
  // Runs when allocator_config() has changed.
  std::function<void()> on_config;

 private:
  void changed() {
    if (on_config) on_config();
  }

  std::string node_;
  bool is_in_sync_ = false;
  StringMap node_labels_;
  std::map<model::ObjectKey, std::shared_ptr<const model::IpPool>> pools_;
  std::map<model::ObjectKey, std::shared_ptr<const model::IpReservation>> reservations_;
  std::shared_ptr<const model::IpamConfiguration> configuration_;
  std::map<std::string, std::shared_ptr<const model::Namespace>> namespaces_;
  std::map<model::ObjectKey, std::shared_ptr<const model::Pod>> pods_;
};

}  // namespace margay::agent
