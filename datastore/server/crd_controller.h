// CrdController: serves the kinds of the CustomResourceDefinitions in the store, whichever server they were sent to,
// and removes what is left of a kind before its definition goes.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/telemetry/log.h"
#include "datastore/server/purge.h"
#include "datastore/server/store_follower.h"
#include "datastore/server/work_queue.h"

namespace margay::server {

class CrdController {
 public:
  CrdController(const ControllerContext& context, telemetry::Logger log);
  void start() { follower_.start(); }

 private:
  void on_object(const std::string& key, const store::Bytes& now);
  void clean_up(const std::string& key, std::function<void(WorkQueue::Verdict)> done);
  void forget_unseen();

  struct Served {
    std::string group;
    std::string plural;
    bool is_seen = true;
  };
  ControllerContext on_;
  telemetry::Logger log_;
  std::map<std::string, Served> served_;  // by key
  WorkQueue queue_;
  StoreFollower follower_;
};

}  // namespace margay::server
