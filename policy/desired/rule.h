// Rule: a rule as dataplanes render it and the verdict evaluates it: what selectors, named ports and services mean has
// become IP sets; everything else is as the user wrote it.
//
// A packet matches when everything given holds. Plain values; equal rules compare equal, whatever object they came
// from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/shared_text.h"
#include "base/core/string_map.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/rule.h"

namespace margay::policy {

// The name of an IP set: "s:…" (addresses that a selector picks), "n:…" (named ports), "svc:…" and "svcnoport:…"
// (services); made of what the set contains, so equal content by construction has one name in the whole cluster.
using IpSetId = SharedText;

// One end of the packet's way. Lists are alternatives unless said otherwise; empty says nothing.
struct RuleEnd {
  std::vector<IpPrefix> nets;
  std::vector<IpPrefix> not_nets;  // none of them
  std::vector<IpSetId> sets;       // the address is in every one
  std::vector<IpSetId> not_sets;   // in none
  // The port is in `ports`, or (address, protocol, port) is in one of `port_sets`; the same for not_, which must not
  // be.
  std::vector<PortRange> ports;
  std::vector<IpSetId> port_sets;
  std::vector<PortRange> not_ports;
  std::vector<IpSetId> not_port_sets;
  // (address, protocol, port) is in every one: services.
  std::vector<IpSetId> service_sets;

  [[nodiscard]] bool empty() const {
    return nets.empty() && not_nets.empty() && sets.empty() && not_sets.empty() && ports.empty() && port_sets.empty() &&
           not_ports.empty() && not_port_sets.empty() && service_sets.empty();
  }
  friend bool operator==(const RuleEnd&, const RuleEnd&) = default;
};

struct Rule {
  model::RuleAction action = model::RuleAction::kDeny;
  std::optional<IpFamily> ip_version;
  std::optional<model::Protocol> protocol;
  std::optional<model::Protocol> not_protocol;
  std::optional<model::IcmpMatch> icmp;
  std::optional<model::IcmpMatch> not_icmp;
  RuleEnd source;
  RuleEnd destination;
  // Its place among the rules of the object, from 0: for counters, traces and messages. Rules that cannot be rendered
  // are left out (an Allow) or kept without what cannot be checked (a Deny), so places may have gaps.
  std::uint32_t index = 0;
  StringMap annotations;

  friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace margay::policy
