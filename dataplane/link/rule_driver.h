// RuleDriver: policy rules of routing (ip rule): which table answers for which packets. Ours have our protocol number
// (FRA_PROTOCOL, linux 4.17); others are not touched.
// Thread: the dataplane's. Source: linux/fib_rules.h.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/delta/delta_tracker.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

// All of it tells rules apart.
struct PolicyRule {
  IpFamily family = IpFamily::kV4;
  std::uint32_t priority = 0;
  RouteTableId table;
  std::uint32_t mark = 0;  // of the packet, under the mask; mask 0: any
  std::uint32_t mask = 0;
  bool is_inverted = false;
  std::optional<IpPrefix> source{};
  std::optional<IpPrefix> destination{};
  friend constexpr auto operator<=>(const PolicyRule&, const PolicyRule&) = default;
  [[nodiscard]] std::string to_string() const;  // "rule 99: not mark 0x1/0x1 table 1"
};

struct RuleDriverConfig {
  std::uint8_t protocol = 80;  // FRA_PROTOCOL: our mark
  bool ipv6 = true;            // false: the kernel has none, it is not even asked
};

class RuleDriver final : public dataplane::Driver {
 public:
  // `kernel`: of NETLINK_ROUTE.
  RuleDriver(netlink::Netlink& kernel, const RuleDriverConfig& config) : kernel_(kernel), config_(config) {}

  void set_rule(const PolicyRule& rule) { rules_.set_desired(rule, {}); }
  void remove_rule(const PolicyRule& rule) { rules_.remove_desired(rule); }
  void allow_removal() { may_remove_ = true; }

  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

 private:
  struct Present {
    friend bool operator==(const Present&, const Present&) = default;
  };
  using Found = std::map<PolicyRule, Present>;

  Status resync();
  Status read(IpFamily family, Found& found);
  bool send(dataplane::ApplyReport& report);

  netlink::Netlink& kernel_;
  RuleDriverConfig config_;
  DeltaTracker<PolicyRule, Present> rules_;
  bool needs_resync_ = true;
  bool may_remove_ = false;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::link
