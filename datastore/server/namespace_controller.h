// NamespaceController: empties namespaces that are being deleted, and then lets them go.
#pragma once

#include <string>

#include "datastore/server/purge.h"
#include "datastore/server/store_follower.h"
#include "datastore/server/work_queue.h"

namespace margay::server {

class NamespaceController {
 public:
  explicit NamespaceController(const ControllerContext& context);
  void start() { follower_.start(); }

 private:
  void on_object(const std::string& key, const store::Bytes& now);
  void empty(const std::string& key, std::function<void(WorkQueue::Verdict)> done);

  ControllerContext on_;
  WorkQueue queue_;
  StoreFollower follower_;
};

}  // namespace margay::server
