// From names to ends.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/core/text.h"
#include "policy/question/question.h"

namespace margay::policy {
namespace {

constexpr std::size_t kNamesShownMax = 5;

void add_address(std::vector<IpAddress>& addresses, const IpAddress& address) {
  const bool has_family = std::any_of(addresses.begin(), addresses.end(),
                                      [&address](const IpAddress& each) { return each.family() == address.family(); });
  if (!has_family) addresses.push_back(address);
}

void take_endpoint(End& end, std::shared_ptr<const Endpoint> endpoint) {
  end.endpoint = std::move(endpoint);
  if (end.endpoint->workload == nullptr) {
    end.node = end.endpoint->host->spec.node;
    for (const IpAddress& address : end.endpoint->host->spec.expected_ips) add_address(end.addresses, address);
    return;
  }
  end.node = end.endpoint->workload->spec.node;
  for (const IpPrefix& network : end.endpoint->workload->spec.ip_networks) {
    add_address(end.addresses, network.first());
  }
}

std::string why_not(const model::Pod& pod) {
  if (pod.status.phase == model::PodPhase::kSucceeded || pod.status.phase == model::PodPhase::kFailed) {
    return concat("has finished (status.phase is ", to_string(pod.status.phase), ")");
  }
  if (!pod.status.pod_ip && pod.status.pod_ips.empty()) return "has no address: status.podIP is missing";
  return "has no endpoint: its annotations cannot be read";
}

Result<End> end_of_pod(const Cluster& cluster, const model::Pod& pod) {
  End out;
  out.name = concat(pod.metadata.name_space.view(), '/', pod.metadata.name);
  if (auto endpoint = cluster.endpoint_of(key_of(pod)); endpoint != nullptr) {
    take_endpoint(out, std::move(endpoint));
    return out;
  }
  out.node = pod.spec.node_name.view();
  if (pod.spec.host_network) {
    if (pod.status.pod_ip) add_address(out.addresses, *pod.status.pod_ip);
    for (const model::PodIp& each : pod.status.pod_ips) {
      if (each.ip) add_address(out.addresses, *each.ip);
    }
    if (!out.addresses.empty()) return out;
  }
  return invalid(concat("pod ", out.name, " ", why_not(pod)));
}

End end_at(const Cluster& cluster, const IpAddress& address) {
  End out;
  out.name = address.to_string();
  out.addresses = {address};
  out.endpoint = cluster.endpoint_at(address);
  out.node = out.endpoint == nullptr ? cluster.node_at(address) : std::string();
  if (out.endpoint != nullptr) {
    out.node = out.endpoint->workload != nullptr ? out.endpoint->workload->spec.node : out.endpoint->host->spec.node;
  }
  return out;
}

// What there is instead: pods of the namespace, or of that name.
std::string instead_of(const World& world, std::string_view name_space, std::string_view name) {
  std::vector<std::string> same_name;
  std::vector<std::string> same_namespace;
  for (const auto& [key, pod] : world.all<model::Pod>()) {
    const std::string text = concat(key.name_space, '/', key.name);
    if (key.name == name) same_name.push_back(text);
    if (key.name_space == name_space) same_namespace.push_back(text);
  }
  std::vector<std::string>& found = same_name.empty() ? same_namespace : same_name;
  if (found.empty()) return concat("there are no pods in namespace ", name_space);
  const bool is_cut = found.size() > kNamesShownMax;
  if (is_cut) found.resize(kNamesShownMax);
  return concat("there is ", join(found, ", "), is_cut ? ", …" : "");
}

}  // namespace

Result<End> find_end(const Cluster& cluster, std::string_view text, std::string_view name_space) {
  if (const auto address = IpAddress::parse(text); address.ok()) return end_at(cluster, *address);
  if (IpPrefix::parse_containing(text).ok()) {
    return invalid(concat(quoted(text), " is a network; a question is about one address of it"));
  }
  std::string_view name = text;
  if (const auto parts = split_once(text, '/')) std::tie(name_space, name) = *parts;
  if (name_space.empty() || name.empty() || name.find('/') != std::string_view::npos) {
    return invalid(concat(quoted(text), " is neither NAMESPACE/POD nor an address"));
  }
  if (const auto* pod = cluster.world().find<model::Pod>(name_space, name)) return end_of_pod(cluster, *pod);
  if (const auto* endpoint = cluster.world().find<model::WorkloadEndpoint>(name_space, name)) {
    if (auto found = cluster.endpoint_of(key_of(*endpoint)); found != nullptr) {
      End out;
      out.name = concat(name_space, '/', name);
      take_endpoint(out, std::move(found));
      return out;
    }
  }
  return Error{ErrorCode::kNotFound,
               concat("no pod ", name_space, '/', name, "; ", instead_of(cluster.world(), name_space, name))};
}

}  // namespace margay::policy
