// Controller: what ControllerSet starts, stops and configures while the program runs; ControllerEntry: how it is made.
//
//   ControllerEntry ─make(parts, cluster)▶ Controller ─configure▶ … ─lead▶ …  on_turn after each turn of the watches
//                                                                      ▼
//                       not wanted any more: destroyed; what it had under way is abandoned, as by a crash
//
// make() adds what the controller watches to `cluster`, which is not started yet and outlives it; kinds that several
// controllers watch with one scope are watched once. Before it leads a controller writes nothing; it keeps up all the
// same, so that it can take over. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/telemetry/metrics.h"
#include "controllers/runtime/event_gate.h"
#include "controllers/runtime/object_writer.h"
#include "controllers/runtime/settings.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::controllers {

struct ControllerParts {
  WriterParts writer;
  EventGate& events;
  telemetry::Registry& metrics;
};

class Controller {
 public:
  virtual ~Controller() = default;
  // Before the first turn, and whenever they change.
  virtual void configure(const Settings&) {}
  virtual void on_turn(bool is_in_sync) = 0;
  virtual void lead(bool is_leading) = 0;
  // Nothing is left to be done, as far as is known.
  [[nodiscard]] virtual bool is_settled() const = 0;
};

struct ControllerEntry {
  std::string name;  // as in ENABLED_CONTROLLERS and the log
  Section section = Section::kAlways;
  std::function<std::unique_ptr<Controller>(const ControllerParts& parts, watch::ClusterWatch& cluster)> make;
};

}  // namespace margay::controllers
