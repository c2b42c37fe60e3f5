#include "agent/startup/pool_creation.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/codec/codec.h"

namespace margay::startup {
namespace {

constexpr Duration kCreationRetryMin = std::chrono::seconds(1);
constexpr Duration kCreationRetryMax = std::chrono::seconds(60);

kube::ResourceType pools() { return {"projectcalico.org", "v3", "ippools", "IPPool", false}; }
kube::ResourceType config_maps() { return {"", "v1", "configmaps", "ConfigMap", true}; }

}  // namespace

std::vector<IpPrefix> kubeadm_pod_networks(std::string_view cluster_configuration_yaml) {
  std::vector<IpPrefix> networks;
  const auto documents = json::parse_yaml(cluster_configuration_yaml);
  if (!documents.ok()) return networks;
  for (const json::YamlDocument& document : *documents) {
    const std::string_view subnets = document.value.string_at({"networking", "podSubnet"});
    for (const std::string_view part : split(subnets, ',')) {
      if (const auto network = IpPrefix::parse_containing(trim(part)); network.ok()) networks.push_back(*network);
    }
  }
  return networks;
}

PoolCreation::PoolCreation(Parts parts, Environment environment)
    : parts_(std::move(parts)),
      environment_(std::move(environment)),
      backoff_(kCreationRetryMin),
      retry_(parts_.loop.make_timer([this] { wanted_ ? create_next() : read_kubeadm(); })) {}

PoolCreation::~PoolCreation() = default;

void PoolCreation::set_pools(std::vector<IpPrefix> present) {
  present_ = std::move(present);
  advance();
}

void PoolCreation::set_host(std::vector<IpPrefix> networks, bool has_ipv6) {
  host_ = Host{std::move(networks), has_ipv6};
  advance();
}

void PoolCreation::advance() {
  if (is_done_ || !present_ || !host_ || under_way_ != nullptr || retry_->is_armed()) return;
  // Pools that came in the meantime count.
  wanted_.reset();
  PoolSurroundings surroundings{.present = *present_, .host_networks = host_->networks, .has_ipv6 = host_->has_ipv6};
  is_done_ = default_pools(environment_, surroundings, parts_.random).empty();
  if (!is_done_) read_kubeadm();
}

void PoolCreation::read_kubeadm() {
  under_way_ = parts_.client.get(config_maps(), {"kube-system", "kubeadm-config"},
                                 [this](const kube::ApiResult<json::Value>& answer) { on_kubeadm(answer); });
}

void PoolCreation::on_kubeadm(const kube::ApiResult<json::Value>& answer) {
  const kube::OperationPtr ended = std::move(under_way_);
  std::vector<IpPrefix> networks;
  if (answer.ok()) {
    networks = kubeadm_pod_networks(answer->string_at({"data", "ClusterConfiguration"}));
  } else {
    const ErrorCode code = answer.error().code;
    const bool has_none = code == ErrorCode::kNotFound || code == ErrorCode::kPermissionDenied;
    if (!has_none) return retry(answer.error());
  }
  wanted_ = default_pools(environment_,
                          {.present = *present_,
                           .pod_networks = std::move(networks),
                           .host_networks = host_->networks,
                           .has_ipv6 = host_->has_ipv6},
                          parts_.random);
  std::reverse(wanted_->begin(), wanted_->end());
  create_next();
}

void PoolCreation::create_next() {
  if (wanted_->empty()) {
    is_done_ = true;
    return;
  }
  json::Value object;
  codec::encode(wanted_->back(), object);
  under_way_ = parts_.client.create(pools(), "", object, {.field_manager = "margay-node"},
                                    [this](const kube::ApiResult<json::Value>& answer) { on_created(answer); });
}

void PoolCreation::on_created(const kube::ApiResult<json::Value>& answer) {
  const kube::OperationPtr ended = std::move(under_way_);
  const model::IpPool& pool = wanted_->back();
  if (!answer.ok() && answer.error().code != ErrorCode::kAlreadyExists) return retry(answer.error());
  if (answer.ok()) {
    parts_.log.info("made an IPPool, as there was none of its family",
                    {{"pool", pool.metadata.name}, {"cidr", pool.spec.cidr.to_string()}});
  }
  wanted_->pop_back();
  backoff_ = kCreationRetryMin;
  last_error_.clear();
  create_next();
}

void PoolCreation::retry(const kube::ApiError& error) {
  if (last_error_ != error.message) {
    parts_.log.warn("the default IPPools could not be made; it is tried again", {{"error", error.message}});
  }
  last_error_ = error.message;
  retry_->arm(backoff_);
  backoff_ = std::min(backoff_ * 2, kCreationRetryMax);
}

}  // namespace margay::startup
