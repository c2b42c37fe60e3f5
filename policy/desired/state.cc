#include "policy/desired/state.h"

#include <utility>

#include "base/core/text.h"

namespace margay::policy {
namespace {

template <class Visit>
Status for_each_set(const RuleEnd& end, Visit visit) {
  for (const auto* list : {&end.sets, &end.not_sets, &end.port_sets, &end.not_port_sets, &end.service_sets}) {
    for (const IpSetId& id : *list) MARGAY_RETURN_IF_ERROR(visit(id));
  }
  return ok_status();
}

template <class Visit>
Status for_each_set(const RuleSet& rules, Visit visit) {
  for (const auto* list : {&rules.ingress, &rules.egress}) {
    for (const Rule& rule : *list) {
      MARGAY_RETURN_IF_ERROR(for_each_set(rule.source, visit));
      MARGAY_RETURN_IF_ERROR(for_each_set(rule.destination, visit));
    }
  }
  return ok_status();
}

template <class Visit>
Status for_each_policy(const EndpointPolicy& policy, Visit visit) {
  for (const auto* tiers : {&policy.normal, &policy.untracked, &policy.pre_dnat, &policy.forward}) {
    for (const TierPolicies& tier : *tiers) {
      for (const auto* list : {&tier.ingress, &tier.egress}) {
        for (const PolicyRef& ref : *list) MARGAY_RETURN_IF_ERROR(visit(ref));
      }
    }
  }
  return ok_status();
}

// Sets the values, and erases the keys of nulls.
template <class Key, class Value>
void take_over(std::map<Key, std::shared_ptr<const Value>>& into,
               const std::map<Key, std::shared_ptr<const Value>>& from) {
  for (const auto& [key, value] : from) {
    if (value == nullptr) {
      into.erase(key);
    } else {
      into[key] = value;
    }
  }
}

}  // namespace

void IpSet::apply(const IpSetDelta& delta) {
  for (const IpSetMember& member : delta.removed) {
    if (kind_ == IpSetKind::kNets) {
      nets_.erase(member.net);
    } else {
      ports_.erase(member);
    }
  }
  for (const IpSetMember& member : delta.added) {
    if (kind_ == IpSetKind::kNets) {
      nets_.insert(member.net, true);
    } else {
      ports_.insert(member);
    }
  }
}

bool IpSet::contains(const IpAddress& address) const { return nets_.longest_match(address).has_value(); }

bool IpSet::contains(const IpAddress& address, model::Protocol protocol, Port port) const {
  return ports_.contains({.net = IpPrefix::host(address), .protocol = protocol, .port = port});
}

std::vector<IpSetMember> IpSet::members() const {
  if (kind_ == IpSetKind::kPorts) return {ports_.begin(), ports_.end()};
  std::vector<IpSetMember> out;
  out.reserve(nets_.size());
  nets_.for_each(
      [&out](const IpPrefix& prefix, bool /*value*/) { out.push_back({.net = prefix, .protocol = {}, .port = {}}); });
  return out;
}

Status State::apply(const Delta& delta) {
  MARGAY_RETURN_IF_ERROR(apply_ip_sets(delta));
  take_over(policies_, delta.policies);
  take_over(profiles_, delta.profiles);
  take_over(endpoints_, delta.endpoints);
  return check_references();
}

Status State::apply_ip_sets(const Delta& delta) {
  for (const auto& [id, change] : delta.ip_sets) {
    if (change.what == IpSetDelta::What::kRemove) {
      ip_sets_.erase(id);
      continue;
    }
    if (change.what == IpSetDelta::What::kCreate) ip_sets_.insert_or_assign(id, IpSet(change.kind));
    const auto at = ip_sets_.find(id);
    if (at == ip_sets_.end()) return invalid(concat("IP set ", id.view(), " is changed before it is created"));
    at->second.apply(change);
  }
  return ok_status();
}

Status State::check_references() const {
  const auto needs_sets_of = [this](std::string_view name, const RuleSet& rules) {
    return for_each_set(rules, [&](const IpSetId& id) -> Status {
      if (ip_sets_.contains(id)) return ok_status();
      return invalid(concat(name, " refers to IP set ", id.view(), ", which is not there"));
    });
  };
  for (const auto& [id, policy] : policies_) MARGAY_RETURN_IF_ERROR(needs_sets_of(id.to_string(), policy->rules));
  for (const auto& [name, profile] : profiles_) MARGAY_RETURN_IF_ERROR(needs_sets_of(name, profile->rules));
  for (const auto& [key, endpoint] : endpoints_) {
    MARGAY_RETURN_IF_ERROR(for_each_policy(endpoint->policy, [&, &k = key](const PolicyRef& ref) -> Status {
      if (policies_.contains(ref.id)) return ok_status();
      return invalid(concat(k.to_string(), " refers to ", ref.id.to_string(), ", which is not there"));
    }));
    for (const std::string& name : endpoint->policy.profiles) {
      if (!profiles_.contains(name)) {
        return invalid(concat(key.to_string(), " refers to profile ", name, ", which is not there"));
      }
    }
  }
  return ok_status();
}

}  // namespace margay::policy
