// The small kinds of Kubernetes that Margay reads or writes, with only the fields it uses: Node, Namespace,
// ServiceAccount, Secret, Lease, Event. Source: Kubernetes API reference.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"

namespace margay::model {

struct NodeSpec {
  std::vector<IpPrefix> pod_cidrs;
  std::string provider_id;
  bool unschedulable = false;

  friend bool operator==(const NodeSpec&, const NodeSpec&) = default;
};

struct NodeAddress {
  std::string type;     // InternalIP, ExternalIP, Hostname, …
  std::string address;  // an address or a name

  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

struct NodeCondition {
  std::string type;  // NetworkUnavailable, Ready, …
  ConditionStatus status = ConditionStatus::kUnknown;
  std::optional<WallTime> last_heartbeat_time;
  std::optional<WallTime> last_transition_time;
  std::string reason;
  std::string message;

  friend bool operator==(const NodeCondition&, const NodeCondition&) = default;
};

struct NodeStatus {
  std::vector<NodeAddress> addresses;
  std::vector<NodeCondition> conditions;

  friend bool operator==(const NodeStatus&, const NodeStatus&) = default;
};

struct Node {
  static constexpr Kind kKind = Kind::kNode;

  ObjectMeta metadata;
  NodeSpec spec;
  NodeStatus status;

  friend bool operator==(const Node&, const Node&) = default;
};

struct Namespace {
  static constexpr Kind kKind = Kind::kNamespace;

  ObjectMeta metadata;

  friend bool operator==(const Namespace&, const Namespace&) = default;
};

struct ServiceAccount {
  static constexpr Kind kKind = Kind::kServiceAccount;

  ObjectMeta metadata;

  friend bool operator==(const ServiceAccount&, const ServiceAccount&) = default;
};

struct Secret {
  static constexpr Kind kKind = Kind::kSecret;

  ObjectMeta metadata;
  std::string type;                                      // Opaque, kubernetes.io/tls, …
  std::map<std::string, std::string, std::less<>> data;  // bytes; in objects base64

  friend bool operator==(const Secret&, const Secret&) = default;
};

// Times of a Lease have microseconds, and readers demand them.
struct MicroTime {
  WallTime at;

  static Result<MicroTime> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const MicroTime&, const MicroTime&) = default;
};

struct LeaseSpec {
  std::string holder_identity;
  std::optional<std::int32_t> lease_duration_seconds;
  std::optional<MicroTime> acquire_time;
  std::optional<MicroTime> renew_time;
  std::optional<std::int32_t> lease_transitions;

  friend bool operator==(const LeaseSpec&, const LeaseSpec&) = default;
};

struct Lease {
  static constexpr Kind kKind = Kind::kLease;

  ObjectMeta metadata;
  LeaseSpec spec;

  friend bool operator==(const Lease&, const Lease&) = default;
};

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string name_space;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string field_path;

  friend bool operator==(const ObjectReference&, const ObjectReference&) = default;
};

struct EventSource {
  std::string component;
  std::string host;

  friend bool operator==(const EventSource&, const EventSource&) = default;
};

// v1 Event.
struct Event {
  static constexpr Kind kKind = Kind::kEvent;

  ObjectMeta metadata;
  ObjectReference involved_object;
  std::string type;    // Normal, Warning
  std::string reason;  // one word for programs
  std::string message;
  std::string action;
  std::int32_t count = 0;
  std::optional<WallTime> first_timestamp;
  std::optional<WallTime> last_timestamp;
  std::optional<MicroTime> event_time;
  EventSource source;
  std::string reporting_component;
  std::string reporting_instance;

  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace margay::model
