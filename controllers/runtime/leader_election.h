// LeaderElection: runs a LeaseMachine with a client of the API server.
//
// on_lost runs once for each on_elected, from stop() too. Neither may end this. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "controllers/runtime/lease_machine.h"
#include "datastore/kube/client.h"

namespace margay::controllers {

class LeaderElection {
 public:
  struct Parts {
    loop::Loop& loop;
    kube::Client& client;
    telemetry::Logger log{};
  };
  struct Events {
    std::function<void()> on_elected;
    std::function<void()> on_lost;
  };

  LeaderElection(Parts parts, kube::ObjectName lease, LeaseConfig config, Events events);
  ~LeaderElection();

  void start() { step(LeaseTick{}); }
  // Gives the Lease back; `done` runs when that is written or has failed.
  void stop(std::function<void()> done);

  [[nodiscard]] bool is_leading() const { return machine_.is_leading(parts_.loop.now()); }
  [[nodiscard]] const std::string& holder() const { return machine_.holder(); }

 private:
  void step(const LeaseInput& input);
  void perform(const ReadLease&);
  void perform(const WriteLease& write);
  void perform(const WaitForLease& wait) { timer_->arm(wait.delay); }
  void perform(const BecomeLeader&);
  void perform(const LoseLeadership&);
  void on_answer(kube::ApiResult<json::Value> answer, bool was_write);

  Parts parts_;
  kube::ObjectName name_;
  Events events_;
  LeaseMachine machine_;
  std::unique_ptr<loop::Timer> timer_;
  std::unique_ptr<loop::Timer> deadline_;  // a leader that hears nothing at all finds out
  kube::OperationPtr operation_;
  std::function<void()> stopped_;
};

}  // namespace margay::controllers
