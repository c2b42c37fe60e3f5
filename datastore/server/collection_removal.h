// CollectionRemoval: deletes what a selection of a collection names, one after the other, and answers with the list of
// it. Also: the body of a deletion and the Status that answers one.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "datastore/server/call.h"
#include "datastore/server/long_answer.h"
#include "datastore/server/mutator.h"
#include "datastore/server/options.h"
#include "datastore/server/planner.h"
#include "datastore/server/selection.h"
#include "datastore/store/store.h"

namespace margay::server {

ApiResult<DeleteOptions> parse_deletion(const Call& call);
std::string deleted_status(const Subject& subject, std::string_view uid);

class CollectionRemoval final : public LongAnswer {
 public:
  CollectionRemoval(store::Store& store, Mutator& mutator, CallPtr call, PlanContext context, DeleteOptions options,
                    Selection selection, std::function<void()> done);
  void start() override;

 private:
  void read_page();
  void on_page(Result<store::ListReply> reply);
  void remove_next();
  void on_removed(const ApiResult<Outcome>& outcome);
  void finish_list();
  void fail(const Failure& failure);

  store::Store& store_;
  Mutator& mutator_;
  CallPtr call_;
  PlanContext context_;
  DeleteOptions options_;
  Selection selection_;
  std::function<void()> done_;
  Renderer renderer_;
  ParsedObjects parsed_;
  std::string prefix_;
  std::string start_after_;
  bool has_more_ = true;
  store::Revision revision_ = 0;
  std::deque<store::Entry> pending_;
  std::string items_;
};

}  // namespace margay::server
