// IpamMetrics: blocks and addresses by node and pool, under calico-kube-controllers' names. Thread: any one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/telemetry/metrics.h"
#include "controllers/ipam/suspects.h"

namespace margay::controllers {

class IpamMetrics {
 public:
  // nullptr: counts nowhere.
  explicit IpamMetrics(telemetry::Registry* registry) : registry_(registry) {}

  void set(const Tally& tally);
  void count_reclaimed(std::string_view node, std::string_view pool);

 private:
  struct Family {
    std::string name;
    std::string help;
    std::map<telemetry::Labels, telemetry::Gauge> series{};
  };
  using Values = std::map<telemetry::Labels, double>;
  void update(Family& family, const Values& values);

  telemetry::Registry* registry_;
  Family in_use_{"ipam_allocations_in_use", "Addresses given to somebody"};
  Family borrowed_{"ipam_allocations_borrowed", "Addresses given out of blocks of another node"};
  Family blocks_{"ipam_blocks", "Blocks of addresses, by owner"};
  Family candidates_{"ipam_allocations_gc_candidates", "Addresses that nobody seems to use"};
  Family reclaimed_{"ipam_allocations_gc_reclamations", "Addresses taken back since the start"};
  Family in_use_per_node_{"ipam_allocations_per_node", "Addresses given to somebody, of all pools"};
  Family borrowed_per_node_{"ipam_allocations_borrowed_per_node", "Addresses of blocks of others, of all pools"};
  Family blocks_per_node_{"ipam_blocks_per_node", "Blocks of addresses, of all pools"};
};

}  // namespace margay::controllers
