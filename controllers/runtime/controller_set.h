// ControllerSet: the controllers that run, with the watches they share.
//
//   Settings ─apply▶ the same controllers as before: configure() each
//                    others: all are stopped, and those wanted are started on watches of their own making
//
// A change of which controllers run reads the cluster anew, in this process and without giving up the Lease; it is
// rare, and so no two controllers ever watch one kind twice. Thread: the loop's; apply() not from a controller.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controllers/runtime/controller.h"

namespace margay::controllers {

class ControllerSet {
 public:
  ControllerSet(ControllerParts parts, const watch::WatchEnvironment& environment,
                std::vector<ControllerEntry> entries);

  void apply(const Settings& settings);
  void lead(bool is_leading);

  [[nodiscard]] bool is_in_sync() const { return cluster_ && cluster_->is_in_sync(); }
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] std::vector<std::string> running() const;

 private:
  struct Running {
    const ControllerEntry* entry;
    std::unique_ptr<Controller> controller;
    telemetry::Gauge gauge;
  };
  void rebuild(const std::vector<const ControllerEntry*>& wanted);

  ControllerParts parts_;
  watch::WatchEnvironment environment_;
  std::vector<ControllerEntry> entries_;
  bool is_leading_ = false;
  std::optional<watch::ClusterWatch> cluster_;
  std::vector<Running> running_;  // first to end
};

}  // namespace margay::controllers
