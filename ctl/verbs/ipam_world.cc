#include "ctl/verbs/ipam_world.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/text.h"
#include "cni/ipam/users.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

// One bad object must not hide all others.
template <class T>
std::optional<ExitCode> load_kind(Session& session, Api& api, std::vector<T>& out, bool may_be_unknown = false) {
  const schema::ResourceInfo& resource = resource_of(session, T::kKind);
  const auto listed = api.list(resource, "", {});
  if (may_be_unknown && !listed.ok() && listed.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!listed.ok()) return session.fail(resource.plural, listed.error());
  for (const json::Value& item : listed->items) {
    auto object = codec::decoded<T>(item);
    if (!object.ok()) {
      session.io().warning(concat(model::info(T::kKind).name, '/', item.string_at({"metadata", "name"}),
                                  " does not count: it cannot be read"));
      continue;
    }
    out.push_back(std::move(object).value());
  }
  return std::nullopt;
}

void add_pods(const std::vector<model::Pod>& pods, IpamWorld& world) {
  for (const model::Pod& pod : pods) {
    const std::string user = concat(pod.metadata.name_space.view(), '/', pod.metadata.name);
    const std::string name = concat("pod ", user);
    for (const IpAddress& address : ipam::addresses_of(pod)) world.users[address] = {name, "", user};
  }
}

void add_nodes(const std::vector<model::Node>& nodes, IpamWorld& world) {
  for (const model::Node& node : nodes) {
    const std::string name = concat("node ", node.metadata.name, " (tunnel)");
    for (const IpAddress& address : ipam::tunnel_addresses(node)) world.users[address] = {name};
  }
}

// Of workloads that are no pods.
void add_endpoints(const std::vector<model::WorkloadEndpoint>& endpoints, IpamWorld& world) {
  for (const model::WorkloadEndpoint& endpoint : endpoints) {
    for (const IpPrefix& network : endpoint.spec.ip_networks) {
      const std::string name = concat("workload endpoint ", endpoint.metadata.name_space, '/', endpoint.metadata.name);
      if (network.is_host()) world.users.try_emplace(network.first(), ipam::AddressUser{name});
    }
  }
}

// Load balancers of others give addresses that are none of our business.
std::optional<ExitCode> add_services(Session& session, Api& api, IpamWorld& world) {
  const schema::ResourceInfo* resource = session.registry().by_kind("v1", "Service");
  if (resource == nullptr) return std::nullopt;
  const auto listed = api.list(*resource, "", {});
  if (!listed.ok() && listed.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!listed.ok()) return session.fail(resource->plural, listed.error());
  for (const json::Value& item : listed->items) {
    const json::Value* ingress = item.find({"status", "loadBalancer", "ingress"});
    if (ingress == nullptr || ingress->as_array() == nullptr) continue;
    for (const json::Value& each : *ingress->as_array()) {
      const auto address = IpAddress::parse(each.string_at({"ip"}));
      const bool is_ours = address.ok() && std::any_of(world.pools.begin(), world.pools.end(), [&](const auto& pool) {
                             return pool.spec.cidr.contains(*address);
                           });
      if (!is_ours) continue;
      world.users[*address] = {
          concat("service ", item.string_at({"metadata", "namespace"}), '/', item.string_at({"metadata", "name"}))};
    }
  }
  return std::nullopt;
}

}  // namespace

const schema::ResourceInfo& resource_of(Session& session, model::Kind kind) {
  const model::KindInfo& info = model::info(kind);
  const schema::ResourceInfo* resource = session.registry().by_kind(info.api_version, info.name);
  MARGAY_CHECK(resource != nullptr);
  return *resource;
}

ipam::AddressSet IpamWorld::reserved() const {
  std::vector<IpPrefix> out;
  for (const model::IpReservation& each : reservations) {
    out.insert(out.end(), each.spec.reserved_cidrs.begin(), each.spec.reserved_cidrs.end());
  }
  return ipam::AddressSet(out);
}

ipam::AuditInput IpamWorld::audit_input() const {
  ipam::AuditInput out;
  for (const auto& each : pools) out.pools.push_back(&each);
  for (const auto& each : blocks) out.blocks.push_back(&each.spec);
  for (const auto& each : affinities) out.affinities.push_back(&each.spec);
  for (const auto& each : handles) out.handles.push_back(&each.spec);
  out.users = users;
  return out;
}

std::optional<ExitCode> load_ipam(Session& session, bool has_users, IpamWorld& world) {
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  if (auto code = load_kind(session, **api, world.pools)) return code;
  if (auto code = load_kind(session, **api, world.reservations)) return code;
  if (auto code = load_kind(session, **api, world.blocks)) return code;
  if (!has_users) return std::nullopt;
  if (auto code = load_kind(session, **api, world.affinities)) return code;
  if (auto code = load_kind(session, **api, world.handles)) return code;
  std::vector<model::Pod> pods;
  std::vector<model::Node> nodes;
  if (auto code = load_kind(session, **api, pods)) return code;
  if (auto code = load_kind(session, **api, nodes)) return code;
  std::vector<model::WorkloadEndpoint> endpoints;
  if (auto code = load_kind(session, **api, endpoints, /*may_be_unknown=*/true)) return code;
  add_pods(pods, world);
  add_nodes(nodes, world);
  add_endpoints(endpoints, world);
  return add_services(session, **api, world);
}

}  // namespace margay::verbs
