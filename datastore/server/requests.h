// Requests: get, list, watch, create, update, patch, delete and deletecollection of objects, each turned into reads and
// changes of the store and answered.
#pragma once

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "datastore/server/call.h"
#include "datastore/server/catalog.h"
#include "datastore/server/long_answer.h"
#include "datastore/server/mutator.h"
#include "datastore/server/planner.h"
#include "datastore/server/watch_stream.h"
#include "datastore/store/store.h"

namespace margay::server {

class Requests {
 public:
  struct Dependencies {
    loop::Loop& loop;
    Random& random;
    store::Store& store;
    Catalog& catalog;
  };
  explicit Requests(const Dependencies& dependencies);

  // By call->verb. The call is answered now or later.
  void serve(CallPtr call);
  // Ends the watches in order.
  void finish_watches();
  // Cuts them off.
  void drop_watches();
  [[nodiscard]] std::size_t long_answers() const { return long_answers_.size(); }
  [[nodiscard]] Mutator& mutator() { return mutator_; }

 private:
  void get(CallPtr call);
  void list_or_watch(CallPtr call);
  void create(CallPtr call);
  void update(CallPtr call);
  void patch(CallPtr call);
  void remove(CallPtr call);
  void remove_collection(CallPtr call);
  // Goes on when the namespace exists and is not being deleted.
  void in_namespace(CallPtr call, std::string name, std::function<void(CallPtr)> next);
  void mutate(CallPtr call, Mutator::Request request);
  void answer(CallPtr call, const ApiResult<Outcome>& outcome);
  void crd_changed(const Call& call, const Outcome& outcome);
  [[nodiscard]] PlanContext plan_context(const Call& call) const;

  Dependencies on_;
  Mutator mutator_;
  LongAnswers long_answers_;
  WatchSharing sharing_;
};

}  // namespace margay::server
