// IpamController: gives back what nobody uses any more, and says on pools how they are: a Collector and a PoolKeeper
// with the API server behind them.
//
// It looks while it does not lead, too, so that who takes over has waited already; it changes nothing then.
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/telemetry/metrics.h"
#include "controllers/ipam/ask_runner.h"
#include "controllers/ipam/collector.h"
#include "controllers/ipam/ipam_metrics.h"
#include "controllers/ipam/pool_keeper.h"
#include "controllers/runtime/controller.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::controllers {

class IpamController final : public Controller {
 public:
  // Adds what it watches to `cluster`, which is not started yet and outlives this.
  IpamController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events,
                 telemetry::Registry* metrics);

  // controllers.node.leakGracePeriod of KubeControllersConfiguration; 0: leaks are told of only.
  void set_leak_grace(Duration grace);
  void configure(const Settings& settings) override;
  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override;
  [[nodiscard]] bool is_settled() const override { return collector_.is_clean() && pools_.is_settled(); }
  [[nodiscard]] const Collector& collector() const { return collector_; }
  [[nodiscard]] std::uint64_t writes() const { return asks_.writes(); }

 private:
  template <class T>
  void feed(std::function<void(const std::string& name, const std::shared_ptr<const T>& value)> also = nullptr);
  void look();
  void ask(const std::vector<Question>& questions);
  void tell();
  [[nodiscard]] ipam::Moment now() const { return {parts_.loop.now(), parts_.loop.wall_now()}; }

  WriterParts parts_;
  watch::ClusterWatch& cluster_;
  CollectRules rules_;
  Collector collector_;
  AskRunner asks_;
  PoolKeeper pools_;
  IpamMetrics metrics_;
  bool is_in_sync_ = false;
  bool is_leading_ = false;
  bool is_changed_ = true;        // since the last look
  bool is_looking_soon_ = false;  // the timer is armed for it
  std::unique_ptr<loop::Timer> timer_;
};

ControllerEntry ipam_controller();

}  // namespace margay::controllers
