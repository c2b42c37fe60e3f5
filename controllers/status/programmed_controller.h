// ProgrammedController: tells on each NetworkPolicy and GlobalNetworkPolicy whether the nodes have it: condition
// Programmed, with the generation it speaks of.
//
//   Lease of each node, Node, policies ─▶ PolicyTally, at most every kPause ─▶ PATCH …/status where the verdict changed
//
// A policy that changes once is written once. Other conditions stay as they are; each patch names the version it was
// made for. Without agents that report nothing is written. Thread: the loop's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "controllers/runtime/controller.h"
#include "controllers/runtime/key_queue.h"
#include "controllers/status/policy_tally.h"

namespace margay::controllers {

class ProgrammedController final : public Controller {
 public:
  static constexpr Duration kPause = std::chrono::seconds(1);

  ProgrammedController(const WriterParts& parts, watch::ClusterWatch& cluster);

  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override { is_leading ? queue_.release_all() : queue_.hold(); }
  [[nodiscard]] bool is_settled() const override { return queue_.is_idle() && !has_changed_; }
  void set_gauge(telemetry::Gauge nodes) { gauge_ = std::move(nodes); }

 private:
  template <class T>
  void watch_policies(watch::ClusterWatch& cluster);
  void look();
  void look_within(Duration wait);
  void write(const model::ObjectKey& key, const std::function<void(Verdict)>& done);

  WriterParts parts_;
  telemetry::Gauge gauge_;
  PolicyTally tally_;
  std::map<std::string, std::string> node_of_report_;
  std::map<model::ObjectKey, std::shared_ptr<const PolicySummary>> policies_;
  std::map<model::ObjectKey, PolicyVerdict> verdicts_;
  bool has_changed_ = false;
  std::unique_ptr<loop::Timer> look_;
  TimePoint look_at_{};  // while it is armed
  std::map<model::ObjectKey, kube::OperationPtr> operations_;
  KeyQueue<model::ObjectKey> queue_;
};

ControllerEntry programmed_controller();

}  // namespace margay::controllers
