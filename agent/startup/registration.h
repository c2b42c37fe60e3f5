// Registration: keeps our Node object saying what this node is: annotations with addresses and AS number, and all
// conditions that this agent sets (nobody else in it writes any); and, when ready and not more often than every few
// seconds, which interfaces it has.
//
//   Node object, interfaces, readiness ─▶ decide ─▶ PATCH nodes/NAME, nodes/NAME/status ─▶ (seen again by the watch)
//
// Level-based: it patches what differs from what the watch shows, at most one request at a time, and tries again with
// backoff. It never creates or removes a Node. NetworkUnavailable becomes False when the agent is ready for the first
// time and stays so: an agent that restarts, or is away, takes no network from pods that have it.
// Thread: the control loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/startup/environment.h"
#include "agent/startup/identity.h"
#include "agent/startup/node_patch.h"
#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"
#include "datastore/model/kubernetes.h"

namespace margay::startup {

class Registration {
 public:
  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    telemetry::Logger log{};
    // The source address towards a destination, for can-reach; kernel_source_towards does.
    std::function<Result<IpAddress>(const std::string& destination, IpFamily family)> source_towards{};
  };
  struct Events {
    // The identity changed, or is known for the first time (Node and interfaces were seen).
    std::function<void(const Identity& identity)> on_identity{};
    // Something that should become an Event on the Node: reason, message, whether it is a warning. Once each.
    std::function<void(std::string_view reason, const std::string& message, bool is_warning)> on_note{};
  };

  Registration(Parts parts, Environment environment, Events events);
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // All Nodes as they are watched, our own among them; null: gone.
  void set_node(const std::string& name, std::shared_ptr<const model::Node> node);
  void set_interfaces(HostInterfaces interfaces);
  // The dataplane is in sync and routes can be carried.
  void set_ready();
  // Said as long as it is not said so on our Node; of each type the last counts.
  void set_condition(const Condition& condition);

  // nullopt until our Node and the interfaces have been seen.
  [[nodiscard]] const std::optional<Identity>& identity() const;
  [[nodiscard]] std::vector<AddressConflict> conflicts() const;
  // The Node object says what it should.
  [[nodiscard]] bool is_registered() const;
  // Of the last request, until one succeeds; "" for none.
  [[nodiscard]] const std::string& last_error() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::startup
