// DefaultObjects: what every cluster has, made by whoever leads where it is missing, also when it is removed: the tiers
// kube-admin, default and kube-baseline, and ClusterInformation with a GUID. What is there stays as it is; a user may
// have changed it.
// (IPPools are made by the nodes, which know their environment.) Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"
#include "datastore/kube/client.h"

namespace margay::controllers {

struct DefaultObject {
  kube::ResourceType type;
  json::Value object;
};
// `guid`: 32 hexadecimal digits.
std::vector<DefaultObject> default_objects(const std::string& guid);

class DefaultObjects final : public Controller {
 public:
  // Adds what it watches to `cluster`.
  DefaultObjects(const WriterParts& parts, watch::ClusterWatch& cluster);
  void on_turn(bool) override {}
  void lead(bool is_leading) override;
  [[nodiscard]] bool is_settled() const override { return queue_.is_idle(); }

 private:
  template <class T>
  void watch_for_removal(watch::ClusterWatch& cluster);
  void make(std::size_t index, const std::function<void(Verdict)>& done);

  WriterParts parts_;
  std::vector<DefaultObject> objects_;
  std::map<std::size_t, kube::OperationPtr> operations_;
  KeyQueue<std::size_t> queue_;
};

ControllerEntry default_objects_controller();

}  // namespace margay::controllers
