// NaivePolicy: what policy means, written down a second time as plainly as
// possible: from the objects of projectcalico.org/v3, everything anew for each
// question, nothing shared with policy/. Randomised tests hold the engine
// against it. Slow by design; only workload endpoints are subjects.
//
// Source: the reference of NetworkPolicy, GlobalNetworkPolicy, Tier and Profile
// of projectcalico.org/v3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "datastore/model/endpoints.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/policy.h"
#include "datastore/model/service.h"
#include "datastore/selector/selector.h"

namespace margay::test {

// A new connection.
struct Flow {
  IpAddress source;
  IpAddress destination;
  model::Protocol protocol;
  Port source_port;
  Port destination_port;
  std::optional<std::uint8_t> icmp_type;
  std::optional<std::uint8_t> icmp_code;
};

class NaivePolicy {
 public:
  using Object = std::variant<model::Tier, model::NetworkPolicy, model::GlobalNetworkPolicy, model::NetworkSet,
                              model::GlobalNetworkSet, model::Profile, model::HostEndpoint, model::WorkloadEndpoint,
                              model::EndpointSlice, model::Node>;

  // A profile that the rules for objects refuse counts as absent, a policy fails closed; only errors within rules and
  // in selectors are thought of.
  void put(const model::ObjectKey& key, Object object);
  void erase(const model::ObjectKey& key) { objects_.erase(key); }

  [[nodiscard]] bool allows(const Flow& flow) const;

 private:
  std::map<model::ObjectKey, Object> objects_;
  mutable std::map<std::string, selector::Selector, std::less<>> parsed_;
};

}  // namespace margay::test
