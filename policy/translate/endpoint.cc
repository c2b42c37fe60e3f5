// Pods as workload endpoints.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/digest/digest.h"
#include "base/json/value.h"
#include "datastore/selector/label_selector.h"
#include "policy/translate/names.h"
#include "policy/translate/qos.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

constexpr std::string_view kInterface = "eth0";  // within the pod
constexpr std::size_t kInterfaceDigits = 11;     // with "cali" the 15 characters that Linux allows
constexpr std::string_view kPodIp = "cni.projectcalico.org/podIP";
constexpr std::string_view kPodIps = "cni.projectcalico.org/podIPs";
constexpr std::string_view kAwsPodIps = "vpc.amazonaws.com/pod-ips";
constexpr std::string_view kContainerId = "cni.projectcalico.org/containerID";
constexpr std::string_view kFloatingIps = "cni.projectcalico.org/floatingIPs";
constexpr std::string_view kAllowedSources = "cni.projectcalico.org/allowedSourcePrefixes";
constexpr std::string_view kNetworkStatus = "k8s.v1.cni.cncf.io/network-status";

bool has_ended(const model::Pod& pod) {
  return pod.status.phase == model::PodPhase::kSucceeded || pod.status.phase == model::PodPhase::kFailed;
}

bool is_finished(const model::Pod& pod) {
  if (has_ended(pod)) return true;
  // The CNI plugin empties the annotation when it gives the address back: the pod's containers are gone, although the
  // kubelet has not said so yet.
  return pod.metadata.deletion_timestamp && pod.metadata.annotations.find(kPodIp) == "";
}

std::vector<IpPrefix> networks_of_status(const model::PodStatus& status) {
  std::vector<IpPrefix> out;
  for (const model::PodIp& each : status.pod_ips) {
    if (each.ip) out.push_back(IpPrefix::host(*each.ip));
  }
  if (out.empty() && status.pod_ip) out.push_back(IpPrefix::host(*status.pod_ip));
  return out;
}

// "10.0.0.1,fd00::1/128"; nullopt when one of them is no address.
std::optional<std::vector<IpPrefix>> parse_hosts(std::string_view text) {
  std::vector<IpPrefix> out;
  for (const std::string_view piece : split(text, ',')) {
    const auto prefix = IpPrefix::parse_cidr_or_address(trim(piece));
    if (!prefix.ok() || !prefix->is_host()) return std::nullopt;
    out.push_back(prefix.value());
  }
  return out;
}

// What the kubelet reports, else what the CNI plugin noted when it gave them, which is known earlier.
std::optional<std::vector<IpPrefix>> networks_of(const model::Pod& pod) {
  std::vector<IpPrefix> reported = networks_of_status(pod.status);
  if (!reported.empty()) return reported;
  for (const std::string_view annotation : {kPodIps, kPodIp, kAwsPodIps}) {
    const std::string_view text = pod.metadata.annotations.get(annotation);
    if (!text.empty()) return parse_hosts(text);
  }
  return std::nullopt;
}

// The texts of an annotation that holds a list; nullopt when it does not. Without the annotation the list is empty.
std::optional<std::vector<std::string>> texts_of(const StringMap& annotations, std::string_view key) {
  std::vector<std::string> out;
  const auto text = annotations.find(key);
  if (!text) return out;
  const auto parsed = json::parse(*text);
  if (!parsed.ok() || parsed->as_array() == nullptr) return std::nullopt;
  for (const json::Value& element : *parsed->as_array()) {
    if (element.as_string() == nullptr) return std::nullopt;
    out.push_back(*element.as_string());
  }
  return out;
}

// Each goes to the pod's first address of its family.
bool add_floating_ips(const StringMap& annotations, model::WorkloadEndpointSpec& spec) {
  const auto texts = texts_of(annotations, kFloatingIps);
  if (!texts) return false;
  for (const std::string& text : *texts) {
    const auto external = IpAddress::parse(text);
    if (!external.ok()) return false;
    const auto internal =
        std::find_if(spec.ip_networks.begin(), spec.ip_networks.end(),
                     [&external](const IpPrefix& network) { return network.family() == external->family(); });
    if (internal == spec.ip_networks.end()) continue;
    spec.ip_nats.push_back({.internal_ip = internal->first(), .external_ip = external.value()});
  }
  return true;
}

bool add_allowed_sources(const StringMap& annotations, model::WorkloadEndpointSpec& spec) {
  const auto texts = texts_of(annotations, kAllowedSources);
  if (!texts) return false;
  for (const std::string& text : *texts) {
    const auto prefix = IpPrefix::parse_containing(text);
    if (!prefix.ok()) return false;
    spec.allow_spoofed_source_prefixes.push_back(prefix.value());
  }
  return true;
}

// Those that rules can name and those that the host forwards.
void add_container_ports(const std::vector<model::ContainerPort>& ports,
                         std::vector<model::WorkloadEndpointPort>& out) {
  for (const model::ContainerPort& port : ports) {
    if (port.name.empty() && port.host_port == Port(0)) continue;
    out.push_back({.name = std::string(port.name.view()),
                   .protocol = port.protocol.value_or(model::kProtocolTcp),
                   .port = port.container_port,
                   .host_port = port.host_port,
                   .host_ip = port.host_ip});
  }
}

StringMap labels_of(const model::Pod& pod) {
  std::vector<StringMap::Entry> entries;
  for (const auto& entry : pod.metadata.labels) entries.push_back(entry);
  entries.emplace_back(kNamespaceLabel, pod.metadata.name_space.view());
  entries.emplace_back(kOrchestratorLabel, kKubernetesOrchestrator);
  const std::string_view account = pod.spec.service_account_name.view();
  // A name may be longer than a value of a label; such accounts can be named in rules, but not in selectors.
  if (!account.empty() && selector::label_value_problem(account).empty()) {
    entries.emplace_back(kServiceAccountLabel, account);
  }
  return StringMap::of(std::move(entries));
}

std::string doubled_dashes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out.push_back(c);
    if (c == '-') out.push_back(c);
  }
  return out;
}

model::ObjectMeta metadata_of(const model::Pod& pod) {
  model::ObjectMeta out;
  out.name = concat(doubled_dashes(pod.spec.node_name.view()), '-', kKubernetesOrchestrator, '-',
                    doubled_dashes(pod.metadata.name), '-', kInterface);
  out.name_space = pod.metadata.name_space.view();
  out.resource_version = pod.metadata.resource_version;
  out.labels = labels_of(pod);
  if (const auto status = pod.metadata.annotations.find(kNetworkStatus)) {
    out.annotations = StringMap{{kNetworkStatus, *status}};
  }
  return out;
}

model::WorkloadEndpointSpec endpoint_spec(const model::Pod& pod) {
  const std::string_view name_space = pod.metadata.name_space.view();
  model::WorkloadEndpointSpec out;
  out.orchestrator = kKubernetesOrchestrator;
  out.node = pod.spec.node_name.view();
  out.container_id = pod.metadata.annotations.get(kContainerId);
  out.pod = pod.metadata.name;
  out.endpoint = kInterface;
  out.service_account_name = pod.spec.service_account_name.view();
  out.profiles = {concat(kNamespaceProfilePrefix, name_space)};
  if (!out.service_account_name.empty()) {
    out.profiles.push_back(concat(kServiceAccountProfilePrefix, name_space, '.', out.service_account_name));
  }
  out.interface_name = interface_name_of(name_space, pod.metadata.name);
  for (const model::Container& container : pod.spec.containers) add_container_ports(container.ports, out.ports);
  for (const model::InitContainer& container : pod.spec.init_containers)
    add_container_ports(container.ports, out.ports);
  out.qos_controls = qos_of(pod.metadata.annotations);
  return out;
}

bool can_be_endpoint(const model::Pod& pod) { return !pod.spec.host_network && !pod.spec.node_name.empty(); }

std::optional<model::WorkloadEndpoint> endpoint_with(const model::Pod& pod, std::vector<IpPrefix> networks) {
  model::WorkloadEndpoint out;
  out.metadata = metadata_of(pod);
  out.spec = endpoint_spec(pod);
  out.spec.ip_networks = std::move(networks);
  if (!add_floating_ips(pod.metadata.annotations, out.spec)) return std::nullopt;
  if (!add_allowed_sources(pod.metadata.annotations, out.spec)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<model::WorkloadEndpoint> endpoint_of(const model::Pod& pod) {
  if (!can_be_endpoint(pod) || is_finished(pod)) return std::nullopt;
  std::optional<std::vector<IpPrefix>> networks = networks_of(pod);
  if (!networks) return std::nullopt;
  return endpoint_with(pod, std::move(*networks));
}

std::optional<model::WorkloadEndpoint> endpoint_of(const model::Pod& pod, std::string_view container,
                                                   const std::vector<IpPrefix>& addresses) {
  if (!can_be_endpoint(pod) || has_ended(pod)) return std::nullopt;
  auto out = endpoint_with(pod, addresses);
  if (out) out->spec.container_id = container;
  return out;
}

std::string interface_name_of(std::string_view name_space, std::string_view pod, std::string_view prefix) {
  const auto digest = digest::sha1(concat(name_space, '.', pod));
  return concat(prefix, std::string_view(digest::to_hex(digest)).substr(0, kInterfaceDigits));
}

}  // namespace margay::policy
