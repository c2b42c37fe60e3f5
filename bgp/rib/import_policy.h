// Import: whether a received route may be used, and with which attributes. Loops (RFC 4271 §9.1.2, RFC 4456 §8), next
// hops, RFC 8212, the import filter, RFC 8326. Depends on the peer's configuration and session alone, so it can be done
// again whenever those change.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bgp/filter/filter.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

struct ImportResult {
  AttributeId attributes = kNoId;  // a reference for the caller
  Rejection rejection = Rejection::kNone;
  bool is_priority_ours = false;
  std::string_view filter;  // that decided, for people
};

class ImportPolicy {
 public:
  ImportPolicy() = default;
  ImportPolicy(const PeerPolicy& policy, const PeerSession& session, const RibConfig& config);

  // If not, all destinations of one UPDATE have one result.
  [[nodiscard]] bool looks_at_prefix(Family family) const { return looks_at_prefix_[family]; }
  ImportResult evaluate(AttributeStore& store, const IpPrefix& prefix, AttributeId received,
                        const NextHop& next_hop) const;

 private:
  [[nodiscard]] Rejection sanity(Family family, const AttributeRecord& record, const NextHop& next_hop) const;
  [[nodiscard]] bool is_next_hop_usable(const NextHop& next_hop) const;
  ImportResult filtered(AttributeStore& store, const IpPrefix& prefix, AttributeId received) const;

  PerFamily<FilterChain> chain_;
  PerFamily<bool> looks_at_prefix_;
  PerFamily<std::optional<NextHop>> self_;
  IpAddress local_address_;
  Asn local_asn_;       // as this peer knows us
  Asn speaker_asn_;     // as all others do
  RouterId router_id_;  // RFC 4456 §8: of us as originator
  RouterId cluster_id_;
  std::size_t own_asn_allowed_ = 0;
  bool is_internal_ = false;
  bool requires_policy_ = false;
  bool calico_local_pref_ = true;
  bool accepts_graceful_shutdown_ = true;
};

}  // namespace margay::bgp::rib
