// What the plugin asks of the agent, and what of pod, namespace and configuration says which addresses it gets.
//
// Precedence, as in Calico: the pod's annotation, then the namespace's, then the plugin's configuration. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/string_map.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "base/json/value.h"
#include "cni/ipam/allocator.h"
#include "datastore/model/ip_pool.h"

namespace margay::agent {

struct CniRequest {
  std::string container;
  std::string network = "k8s-pod-network";  // the configuration's name
  std::string interface = "eth0";           // in the pod
  std::string netns;
  std::string pod_namespace;  // "": no Kubernetes
  std::string pod_name;
  std::string pod_uid;  // "": not said
  bool is_ipam_only = false;
  bool wants_plan_first = false;  // what the interface needs, before there are addresses
  std::vector<std::string> pools_v4, pools_v6;
  std::optional<bool> assign_v4, assign_v6;
  std::vector<IpAddress> addresses;  // CNI_ARGS IP=
  bool allow_no_ipam = false;        // feature_control.ip_addrs_no_ipam
  std::int64_t mtu = 0;
  std::optional<std::int64_t> wait_seconds;

  // The error names the field.
  static Result<CniRequest> parse(std::string_view body);
  [[nodiscard]] std::string handle() const;
  [[nodiscard]] bool has_pod() const { return !pod_name.empty(); }
};

struct AddressPlan {
  std::vector<ipam::Demand> demands;
  std::vector<IpPrefix> unmanaged;  // of the annotation ipAddrsNoIpam
  std::optional<Mac> mac;           // hwAddr
};

struct PlanInput {
  const CniRequest& request;
  const StringMap& pod_annotations;
  const StringMap& namespace_annotations;
  const StringMap& namespace_labels;
  const StringMap& node_labels;
  const std::vector<const model::IpPool*>& pools;
};

// The error names the annotation or setting that cannot be honoured.
Result<AddressPlan> plan_addresses(const PlanInput& input);

}  // namespace margay::agent
