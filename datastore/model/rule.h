// Rule: one rule of a NetworkPolicy, GlobalNetworkPolicy, staged policy or Profile (projectcalico.org/v3). A packet
// matches when everything given in the rule holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "base/ip/prefix.h"
#include "datastore/model/enum.h"
#include "datastore/model/values.h"

namespace margay::model {

// Log goes on to the next rule; Pass to the next tier.
enum class RuleAction { kAllow, kDeny, kLog, kPass };
template <>
struct EnumText<RuleAction> {
  static constexpr std::string_view kWords[] = {"Allow", "Deny", "Log", "Pass"};
};

struct IcmpMatch {
  std::optional<std::int32_t> type;  // 0 to 254
  std::optional<std::int32_t> code;  // 0 to 255; only with type

  friend bool operator==(const IcmpMatch&, const IcmpMatch&) = default;
};

struct ServiceAccountMatch {
  std::vector<std::string> names;  // empty: all that the selector picks
  std::string selector;            // over the labels of the service account

  friend bool operator==(const ServiceAccountMatch&, const ServiceAccountMatch&) = default;
};

struct ServiceMatch {
  std::string name;
  std::string name_space;  // of a namespaced policy: its own when empty

  friend bool operator==(const ServiceMatch&, const ServiceMatch&) = default;
};

// One end of the packet's way.
struct EntityRule {
  std::vector<IpPrefix> nets;
  std::vector<IpPrefix> not_nets;
  std::string selector;  // of endpoints and network sets; "": says nothing
  std::string not_selector;
  std::string namespace_selector;  // where selector looks; global(): what has no namespace
  std::vector<PortOrName> ports;
  std::vector<PortOrName> not_ports;
  std::optional<ServiceAccountMatch> service_accounts;
  std::optional<ServiceMatch> services;

  friend bool operator==(const EntityRule&, const EntityRule&) = default;
};

// Exactly one is given.
struct HttpPath {
  std::string exact;
  std::string prefix;

  friend bool operator==(const HttpPath&, const HttpPath&) = default;
};

struct HttpMatch {
  std::vector<std::string> methods;  // empty: all
  std::vector<HttpPath> paths;       // empty: all

  friend bool operator==(const HttpMatch&, const HttpMatch&) = default;
};

struct RuleMetadata {
  StringMap annotations;

  friend bool operator==(const RuleMetadata&, const RuleMetadata&) = default;
};

struct Rule {
  RuleAction action = RuleAction::kDeny;
  std::optional<IpFamily> ip_version;
  std::optional<Protocol> protocol;
  std::optional<Protocol> not_protocol;
  std::optional<IcmpMatch> icmp;
  std::optional<IcmpMatch> not_icmp;
  EntityRule source;
  EntityRule destination;
  std::optional<HttpMatch> http;
  std::optional<RuleMetadata> metadata;

  friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace margay::model
