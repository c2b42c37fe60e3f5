#include "test/support/policy_pair.h"

#include <optional>
#include <utility>

#include "policy/translate/translate.h"

namespace margay::test {
namespace {

using model::ObjectKey;
using policy::Shared;

ObjectKey profile_key(std::string name) {
  return {.kind = model::Kind::kProfile, .name_space = "", .name = std::move(name)};
}

// Puts one object into the naive evaluator, as what it stands for.
class IntoNaive {
 public:
  IntoNaive(NaivePolicy& naive, const ObjectKey& key) : naive_(naive), key_(key) {}

  void operator()(const std::monostate&) {
    naive_.erase(key_);
    if (key_.kind == model::Kind::kNamespace) naive_.erase(profile_key("kns." + key_.name));
    if (key_.kind == model::Kind::kServiceAccount) {
      naive_.erase(profile_key("ksa." + key_.name_space + "." + key_.name));
    }
  }
  template <class T>
  void operator()(const Shared<T>& object) {
    naive_.put(key_, *object);
  }
  // Never enforced.
  void operator()(const Shared<model::StagedNetworkPolicy>&) {}
  void operator()(const Shared<model::StagedGlobalNetworkPolicy>&) {}
  void operator()(const Shared<model::Namespace>& object) { put_profile(policy::profile_of(*object)); }
  void operator()(const Shared<model::ServiceAccount>& object) { put_profile(policy::profile_of(*object)); }
  void operator()(const Shared<model::Pod>& pod) {
    std::optional<model::WorkloadEndpoint> endpoint = policy::endpoint_of(*pod);
    if (endpoint) {
      naive_.put(key_, *std::move(endpoint));
    } else {
      naive_.erase(key_);
    }
  }

 private:
  void put_profile(const model::Profile& profile) { naive_.put(profile_key(profile.metadata.name), profile); }

  NaivePolicy& naive_;
  const ObjectKey& key_;
};

}  // namespace

void PolicyPair::put(const ObjectKey& key, const policy::ObjectValue& value) {
  engine_.apply({.key = key, .value = value});
  std::visit(IntoNaive(naive_, key), value);
}

Status PolicyPair::flush() {
  const policy::Delta delta = engine_.flush();
  if (told_) told_(delta);
  MARGAY_RETURN_IF_ERROR(state_.apply(delta));
  endpoints_.clear();
  for (const auto& [key, endpoint] : state_.endpoints()) {
    if (endpoint->workload == nullptr) continue;
    for (const IpPrefix& net : endpoint->workload->spec.ip_networks) endpoints_[net.first()] = endpoint.get();
  }
  return ok_status();
}

const policy::Endpoint* PolicyPair::endpoint_at(const IpAddress& address) const {
  const auto at = endpoints_.find(address);
  return at == endpoints_.end() ? nullptr : at->second;
}

policy::Verdict PolicyPair::verdict(const policy::Packet& packet) const {
  return policy::evaluate(state_, endpoint_at(packet.source), endpoint_at(packet.destination), packet);
}

bool PolicyPair::naive_allows(const policy::Packet& packet) const {
  return naive_.allows({.source = packet.source,
                        .destination = packet.destination,
                        .protocol = packet.protocol,
                        .source_port = packet.source_port,
                        .destination_port = packet.destination_port,
                        .icmp_type = packet.icmp_type,
                        .icmp_code = packet.icmp_code});
}

}  // namespace margay::test
