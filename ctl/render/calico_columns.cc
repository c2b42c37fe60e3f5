#include "ctl/render/calico_columns.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>

#include "base/core/text.h"
#include "ctl/render/cells.h"
#include "ctl/render/width.h"

namespace margay::render {
namespace {

using json::Value;

constexpr std::size_t kNetsWidth = 80;

// A cell that is more than the value of a field.
using CellFunction = std::string (*)(const Value& object, const ColumnOptions& options);

struct CellSpec {
  std::string_view header;
  std::string_view path = {};  // "spec.cidr"; unused with a function
  std::string_view absent = "-";
  CellFunction function = nullptr;
  bool wide_only = false;
};

struct KindSpec {
  std::string_view group;
  std::string_view kind;
  std::span<const CellSpec> cells;
};

const Value* at_path(const Value& object, std::string_view path) {
  const Value* value = &object;
  for (const std::string_view step : split(path, '.')) {
    value = value->find(step);
    if (value == nullptr) return nullptr;
  }
  return value;
}

// Cells --------------------------------------------------------------------------------------------------------------

std::string peer_nodes(const Value& object, const ColumnOptions&) {
  const std::string_view node = object.string_at({"spec", "node"});
  const std::string_view selector = object.string_at({"spec", "nodeSelector"});
  if (!node.empty()) return std::string(node);
  return selector.empty() ? "(global)" : std::string(selector);
}

std::string count(const Value& object, std::string_view list) {
  const Value* value = object.find({"spec", list});
  const json::Array* elements = value == nullptr ? nullptr : value->as_array();
  return std::to_string(elements == nullptr ? 0 : elements->size());
}

std::string count_export_v4(const Value& object, const ColumnOptions&) { return count(object, "exportV4"); }
std::string count_import_v4(const Value& object, const ColumnOptions&) { return count(object, "importV4"); }
std::string count_export_v6(const Value& object, const ColumnOptions&) { return count(object, "exportV6"); }
std::string count_import_v6(const Value& object, const ColumnOptions&) { return count(object, "importV6"); }

std::string list_at(const Value& object, std::initializer_list<std::string_view> path) {
  return joined(object.find(path), "-");
}

std::string nets(const Value& object, const ColumnOptions&) {
  return cut_to_width(list_at(object, {"spec", "nets"}), kNetsWidth);
}
std::string reserved(const Value& object, const ColumnOptions&) {
  return cut_to_width(list_at(object, {"spec", "reservedCIDRs"}), kNetsWidth);
}
std::string classes(const Value& object, const ColumnOptions&) { return list_at(object, {"spec", "classes"}); }
std::string expected_ips(const Value& object, const ColumnOptions&) { return list_at(object, {"spec", "expectedIPs"}); }
std::string profiles(const Value& object, const ColumnOptions&) { return list_at(object, {"spec", "profiles"}); }
std::string networks(const Value& object, const ColumnOptions&) { return list_at(object, {"spec", "ipNetworks"}); }

std::string profile_labels(const Value& object, const ColumnOptions&) {
  return labels_text(object.find({"spec", "labelsToApply"}), "-");
}

std::string pod_selector(const Value& object, const ColumnOptions&) {
  return label_selector_text(object.find({"spec", "podSelector"}), "<none>");
}

std::string workload(const Value& object, const ColumnOptions&) {
  const std::string_view pod = object.string_at({"spec", "pod"});
  return pod.empty() ? cell_at(object, {"spec", "workload"}, "-") : std::string(pod);
}

std::string nats(const Value& object, const ColumnOptions&) {
  const Value* list = object.find({"spec", "ipNATs"});
  const json::Array* elements = list == nullptr ? nullptr : list->as_array();
  if (elements == nullptr || elements->empty()) return "-";
  std::vector<std::string> texts;
  for (const Value& nat : *elements) {
    texts.push_back(concat(nat.string_at({"internalIP"}), "->", nat.string_at({"externalIP"})));
  }
  return join(texts, ",");
}

// In brackets when it is not the node's own but the cluster's.
std::string node_as_number(const Value& object, const ColumnOptions& options) {
  const std::string_view own = object.string_at({"metadata", "annotations", "projectcalico.org/ASNumber"});
  return own.empty() ? concat('(', options.global_as_number, ')') : std::string(own);
}
std::string node_ipv4(const Value& object, const ColumnOptions&) {
  return cell_at(object, {"metadata", "annotations", "projectcalico.org/IPv4Address"}, "-");
}
std::string node_ipv6(const Value& object, const ColumnOptions&) {
  return cell_at(object, {"metadata", "annotations", "projectcalico.org/IPv6Address"}, "-");
}

// Tables -------------------------------------------------------------------------------------------------------------

constexpr CellSpec kName = {.header = "NAME", .path = "metadata.name"};

constexpr CellSpec kBgpConfiguration[] = {
    kName,
    {.header = "LOGSEVERITY", .path = "spec.logSeverityScreen"},
    {.header = "MESHENABLED", .path = "spec.nodeToNodeMeshEnabled"},
    {.header = "ASNUMBER", .path = "spec.asNumber"},
};
constexpr CellSpec kBgpFilter[] = {
    kName,
    {.header = "NUMEXPORTV4", .function = count_export_v4},
    {.header = "NUMIMPORTV4", .function = count_import_v4},
    {.header = "NUMEXPORTV6", .function = count_export_v6},
    {.header = "NUMIMPORTV6", .function = count_import_v6},
};
constexpr CellSpec kBgpPeer[] = {
    kName,
    {.header = "PEERIP", .path = "spec.peerIP"},
    {.header = "NODE", .function = peer_nodes},
    {.header = "ASN", .path = "spec.asNumber"},
};
constexpr CellSpec kNodeStatus[] = {
    kName,
    {.header = "NODE", .path = "spec.node"},
    {.header = "CLASSES", .function = classes, .wide_only = true},
};
constexpr CellSpec kClusterInformation[] = {
    kName,
    {.header = "CLUSTERGUID", .path = "spec.clusterGUID"},
    {.header = "CLUSTERTYPE", .path = "spec.clusterType"},
    {.header = "CALICOVERSION", .path = "spec.calicoVersion"},
    {.header = "DATASTOREREADY", .path = "spec.datastoreReady"},
};
constexpr CellSpec kOnlyName[] = {kName};
constexpr CellSpec kPolicy[] = {
    kName,
    {.header = "TIER", .path = "spec.tier", .absent = "default"},
    {.header = "ORDER", .path = "spec.order", .wide_only = true},
    {.header = "SELECTOR", .path = "spec.selector", .absent = "all()", .wide_only = true},
};
constexpr CellSpec kNetworkSet[] = {kName, {.header = "NETS", .function = nets, .wide_only = true}};
constexpr CellSpec kHostEndpoint[] = {
    kName,
    {.header = "NODE", .path = "spec.node"},
    {.header = "INTERFACE", .path = "spec.interfaceName", .wide_only = true},
    {.header = "IPS", .function = expected_ips, .wide_only = true},
    {.header = "PROFILES", .function = profiles, .wide_only = true},
};
constexpr CellSpec kIpamConfiguration[] = {
    kName,
    {.header = "STRICTAFFINITY", .path = "spec.strictAffinity", .absent = "false"},
    {.header = "AUTOALLOCATEBLOCKS", .path = "spec.autoAllocateBlocks", .absent = "true"},
    {.header = "MAXBLOCKSPERHOST", .path = "spec.maxBlocksPerHost", .absent = "0", .wide_only = true},
};
constexpr CellSpec kIpPool[] = {
    kName,
    {.header = "CIDR", .path = "spec.cidr"},
    {.header = "NAT", .path = "spec.natOutgoing", .absent = "false", .wide_only = true},
    {.header = "IPIPMODE", .path = "spec.ipipMode", .absent = "Never", .wide_only = true},
    {.header = "VXLANMODE", .path = "spec.vxlanMode", .absent = "Never", .wide_only = true},
    {.header = "DISABLED", .path = "spec.disabled", .absent = "false", .wide_only = true},
    {.header = "DISABLEBGPEXPORT", .path = "spec.disableBGPExport", .absent = "false", .wide_only = true},
    {.header = "SELECTOR", .path = "spec.nodeSelector", .absent = "all()"},
    {.header = "ASSIGNMENTMODE", .path = "spec.assignmentMode", .absent = "Automatic", .wide_only = true},
};
constexpr CellSpec kIpReservation[] = {kName, {.header = "CIDRS", .function = reserved, .wide_only = true}};
constexpr CellSpec kNode[] = {
    kName,
    {.header = "ASN", .function = node_as_number, .wide_only = true},
    {.header = "IPV4", .function = node_ipv4, .wide_only = true},
    {.header = "IPV6", .function = node_ipv6, .wide_only = true},
};
constexpr CellSpec kProfile[] = {kName, {.header = "LABELS", .function = profile_labels, .wide_only = true}};
constexpr CellSpec kStagedKubernetesPolicy[] = {kName,
                                                {.header = "PODSELECTOR", .function = pod_selector, .wide_only = true}};
constexpr CellSpec kTier[] = {kName, {.header = "ORDER", .path = "spec.order"}};
constexpr CellSpec kWorkloadEndpoint[] = {
    {.header = "NAME", .path = "metadata.name", .wide_only = true},
    {.header = "WORKLOAD", .function = workload},
    {.header = "NODE", .path = "spec.node"},
    {.header = "NETWORKS", .function = networks},
    {.header = "INTERFACE", .path = "spec.interfaceName"},
    {.header = "PROFILES", .function = profiles, .wide_only = true},
    {.header = "NATS", .function = nats, .wide_only = true},
};

constexpr std::string_view kCalico = "projectcalico.org";
constexpr KindSpec kKinds[] = {
    {kCalico, "BGPConfiguration", kBgpConfiguration},
    {kCalico, "BGPFilter", kBgpFilter},
    {kCalico, "BGPPeer", kBgpPeer},
    {kCalico, "CalicoNodeStatus", kNodeStatus},
    {kCalico, "ClusterInformation", kClusterInformation},
    {kCalico, "FelixConfiguration", kOnlyName},
    {kCalico, "GlobalNetworkPolicy", kPolicy},
    {kCalico, "GlobalNetworkSet", kNetworkSet},
    {kCalico, "HostEndpoint", kHostEndpoint},
    {kCalico, "IPAMConfiguration", kIpamConfiguration},
    {kCalico, "IPPool", kIpPool},
    {kCalico, "IPReservation", kIpReservation},
    {kCalico, "KubeControllersConfiguration", kOnlyName},
    {kCalico, "NetworkPolicy", kPolicy},
    {kCalico, "NetworkSet", kNetworkSet},
    {kCalico, "Profile", kProfile},
    {kCalico, "StagedGlobalNetworkPolicy", kPolicy},
    {kCalico, "StagedKubernetesNetworkPolicy", kStagedKubernetesPolicy},
    {kCalico, "StagedNetworkPolicy", kPolicy},
    {kCalico, "Tier", kTier},
    {kCalico, "WorkloadEndpoint", kWorkloadEndpoint},
    {"", "Node", kNode},
};

Column column(const CellSpec& spec, const ColumnOptions& options) {
  return {std::string(spec.header), [&spec, options](const Value& object) {
            if (spec.function != nullptr) return spec.function(object, options);
            const std::string text = cell_text(at_path(object, spec.path), spec.absent);
            return text.empty() ? std::string(spec.absent) : text;
          }};
}

}  // namespace

std::vector<Column> calico_columns(const schema::ResourceInfo& resource, const ColumnOptions& options) {
  const auto is_it = [&](const KindSpec& spec) { return spec.group == resource.group && spec.kind == resource.kind; };
  const auto* const found = std::find_if(std::begin(kKinds), std::end(kKinds), is_it);
  if (found == std::end(kKinds)) return {};
  std::vector<Column> columns;
  for (const CellSpec& spec : found->cells) {
    if (options.wide || !spec.wide_only) columns.push_back(column(spec, options));
  }
  return columns;
}

}  // namespace margay::render
