// ProblemEvents: objects that cannot be honoured, told on themselves: an Event (Warning) on each, once for what is
// wrong with it.
//
//   set_problems(shared, own) ─▶ who tells? ─▶ what has not been told ─▶ GET its uid ─▶ EventRecorder
//
// What every node sees alike is told by one of them, found by rendezvous hashing over the nodes' names: no election, no
// message, and another one when the first has left the cluster. What this node alone knows it tells itself. An Event
// without its object's uid is not shown by `kubectl describe`; one read a problem finds it.
// Thread: the control loop's.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "base/core/field_error.h"
#include "datastore/events/event_recorder.h"
#include "datastore/kube/client.h"
#include "datastore/model/key.h"

namespace margay::agent {

using Problems = std::map<model::ObjectKey, FieldErrors>;

// Problems by "NetworkPolicy default/a", as renderers name objects. What is no object's (FelixConfiguration as a whole)
// goes to `rest`; profiles have no object of their own either, and are left out.
Problems problems_by_key(const std::map<std::string, FieldErrors>& by_name, const model::ObjectKey& rest);

class ProblemEvents {
 public:
  static constexpr std::size_t kQueueMax = 32;  // what does not fit is looked at with the next set_problems()
  static constexpr std::size_t kMessageMax = 1000;

  struct Parts {
    kube::Client& client;
    events::EventRecorder& recorder;
    std::string node;
  };
  explicit ProblemEvents(Parts parts) : parts_(std::move(parts)) {}

  // Of the cluster; this one counts as one of them.
  void set_node(const std::string& name, bool is_there);
  // All of them, as of now.
  void set_problems(const Problems& shared, const Problems& own);

 private:
  struct Due {
    model::ObjectKey key;
    std::string message;
  };
  [[nodiscard]] bool is_ours(const model::ObjectKey& key) const;
  void tell(const model::ObjectKey& key, const FieldErrors& errors);
  void send();
  void record(const Due& due, const std::string& uid);

  Parts parts_;
  std::set<std::string> nodes_;
  std::map<model::ObjectKey, std::string> told_;
  std::deque<Due> queue_;
  kube::OperationPtr under_way_;
};

}  // namespace margay::agent
