// Mutator: changes one object as a function of its present state: read, plan, write if it is still as it was, else
// again. The one way anything is written: requests, garbage collection, removal of namespaces, objects made at start.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/task.h"
#include "base/json/value.h"
#include "datastore/server/failure.h"
#include "datastore/store/store.h"

namespace margay::server {

// An object as the store has it.
struct Current {
  store::Bytes stored;
  json::Value object;  // with resourceVersion
  store::Revision revision = 0;
};

struct Plan {
  enum class Kind { kKeep, kPut, kRemove };
  Kind kind = Kind::kKeep;
  json::Value object;  // what it is to be; kRemove: what it was last
  std::vector<std::string> warnings;
};

struct Outcome {
  Plan::Kind kind = Plan::Kind::kKeep;  // what happened
  bool is_new = false;
  std::string stored;
  store::Revision revision = 0;  // of the object; 0 when a dry run would have written it
  std::vector<std::string> warnings;
};

// Called again with the newer state when somebody else was first.
using Planner = std::function<ApiResult<Plan>(const std::optional<Current>& current)>;

class Mutator {
 public:
  explicit Mutator(store::Store& store) : store_(store) {}

  struct Request {
    std::string key;
    Subject subject;  // for messages
    Planner plan;
    bool is_dry_run = false;
    // False: the object is expected to be new, and is not read first.
    bool reads_first = true;
  };
  void run(Request request, Callback<void(ApiResult<Outcome>)> done);

 private:
  struct Run;
  void read(std::unique_ptr<Run> run);
  void plan(std::unique_ptr<Run> run, const std::optional<Current>& current);
  void write(std::unique_ptr<Run> run, Plan plan, const std::optional<Current>& current);
  void written(std::unique_ptr<Run> run, Outcome outcome, const Result<store::Revision>& result);

  store::Store& store_;
};

}  // namespace margay::server
