// Startup: brings the server and its store into the state from which requests make sense: kinds of stored CRDs are
// served, the objects of seeds.h are there. Each step is tried again until the store answers.
#pragma once

#include <memory>
#include <vector>

#include "base/core/random.h"
#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/server/catalog.h"
#include "datastore/server/mutator.h"
#include "datastore/store/store.h"

namespace margay::server {

class Startup {
 public:
  struct Dependencies {
    loop::Loop& loop;
    Random& random;
    store::Store& store;
    Catalog& catalog;
    Mutator& mutator;
    telemetry::Logger log;
  };
  explicit Startup(Dependencies dependencies);
  void run(Task ready);
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  void load_crds();
  void make_next_seed();
  void retry(const Error& error);

  Dependencies on_;
  Task ready_;
  std::unique_ptr<loop::Timer> retry_timer_;
  std::vector<json::Value> seeds_;  // still to be made, last first
  bool has_crds_ = false;
  bool is_done_ = false;
};

}  // namespace margay::server
