// ClusterInformation (projectcalico.org/v3), name "default": what the cluster is. Written by Margay.
#pragma once

#include <optional>
#include <string>

#include "datastore/model/meta.h"

namespace margay::model {

struct ClusterInformationSpec {
  std::string cluster_guid;
  std::string cluster_type;  // words between commas: k8s,bgp
  std::string calico_version;
  std::optional<bool> datastore_ready;  // true; false: agents make no changes, CNI refuses
  std::string variant;

  friend bool operator==(const ClusterInformationSpec&, const ClusterInformationSpec&) = default;
};

struct ClusterInformation {
  static constexpr Kind kKind = Kind::kClusterInformation;

  ObjectMeta metadata;
  ClusterInformationSpec spec;

  friend bool operator==(const ClusterInformation&, const ClusterInformation&) = default;
};

}  // namespace margay::model
