// StatusController: tells on each IPPool whether it is nearly full: condition NearlyFull, and Events while it is.
//
//   IPPool, IPAMBlock, IPReservation ─▶ usage of each pool, at most every kPause ─▶ Fullness ─▶ condition, Event
//
// Written is a change of the condition, nothing else; a pool that never was nearly full gets no condition. Other
// conditions of the pool are left as they are. Thread: the loop's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "controllers/runtime/controller.h"
#include "controllers/runtime/key_queue.h"
#include "controllers/status/pool_fullness.h"
#include "datastore/model/ipam.h"

namespace margay::controllers {

class StatusController final : public Controller {
 public:
  static constexpr Duration kPause = std::chrono::seconds(5);

  StatusController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events);

  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override { is_leading ? queue_.release_all() : queue_.hold(); }
  [[nodiscard]] bool is_settled() const override { return queue_.is_idle() && !look_->is_armed(); }

 private:
  void look();
  void write(const std::string& name, const std::function<void(Verdict)>& done);

  WriterParts parts_;
  EventGate& events_;
  std::map<std::string, std::shared_ptr<const model::IpPool>> pools_;
  std::map<std::string, std::shared_ptr<const model::IpamBlock>> blocks_;
  std::map<std::string, std::shared_ptr<const model::IpReservation>> reservations_;
  std::map<std::string, Fullness> fullness_;
  bool has_changed_ = false;
  std::unique_ptr<loop::Timer> look_;
  std::map<std::string, kube::OperationPtr> operations_;
  KeyQueue<std::string> queue_;
};

ControllerEntry status_controller();

}  // namespace margay::controllers
