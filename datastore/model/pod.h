// Pod, with only what policy, routing and the CNI plugin use: a cluster may have 100,000 of them. Of the annotations
// only those are kept that is_kept_annotation names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/shared_text.h"
#include "base/core/string_map.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/key.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class PodPhase { kUnknown, kPending, kRunning, kSucceeded, kFailed };
template <>
struct EnumText<PodPhase> {
  static constexpr std::string_view kWords[] = {"Unknown", "Pending", "Running", "Succeeded", "Failed"};
};

// Of the metadata, what is read somewhere. Margay changes pods by patches only, never by writing one back whole.
struct PodMeta {
  std::string name;
  SharedText name_space;
  std::string uid;
  std::string resource_version;  // opaque; equal means unchanged
  StringMap labels;
  StringMap annotations;
  std::optional<WallTime> deletion_timestamp;  // set: is to go

  friend bool operator==(const PodMeta&, const PodMeta&) = default;
};

struct ContainerPort {
  SharedText name;
  std::optional<Protocol> protocol;  // TCP
  Port container_port;
  Port host_port;                    // 0: none
  std::optional<IpAddress> host_ip;  // all of the host's

  friend bool operator==(const ContainerPort&, const ContainerPort&) = default;
};

struct Container {
  std::vector<ContainerPort> ports;

  friend bool operator==(const Container&, const Container&) = default;
};

struct InitContainer {
  SharedText restart_policy;  // Always: a sidecar
  std::vector<ContainerPort> ports;

  friend bool operator==(const InitContainer&, const InitContainer&) = default;
};

struct PodSpec {
  SharedText node_name;  // "": not scheduled
  SharedText service_account_name;
  bool host_network = false;
  std::vector<Container> containers;
  std::vector<InitContainer> init_containers;

  friend bool operator==(const PodSpec&, const PodSpec&) = default;
};

struct PodIp {
  std::optional<IpAddress> ip;

  friend bool operator==(const PodIp&, const PodIp&) = default;
};

struct PodStatus {
  PodPhase phase = PodPhase::kUnknown;
  std::optional<IpAddress> pod_ip;
  std::vector<PodIp> pod_ips;

  friend bool operator==(const PodStatus&, const PodStatus&) = default;
};

struct Pod {
  static constexpr Kind kKind = Kind::kPod;

  PodMeta metadata;
  PodSpec spec;
  PodStatus status;

  friend bool operator==(const Pod&, const Pod&) = default;
};

// Those of Calico, Margay, KubeVirt and CNI, and of Amazon's CNI plugin.
bool is_kept_annotation(std::string_view key);

}  // namespace margay::model
