// Tier, NetworkPolicy, GlobalNetworkPolicy, StagedNetworkPolicy, StagedGlobalNetworkPolicy.
#include "datastore/codec/kind_codec.h"
#include "datastore/codec/rule_fields.h"
#include "datastore/codec/with_list.h"
#include "datastore/model/policy.h"

namespace margay::codec {
namespace {

template <class Archive, class S>
void policy_fields(Archive& a, S& s) {
  a.field("tier", s.tier);
  a.field("order", s.order);
  a.field("ingress", s.ingress);
  a.field("egress", s.egress);
  if constexpr (Archive::kReads) {
    s.ingress.shrink_to_fit();  // spare room would stay as long as the object, and rules are large
    s.egress.shrink_to_fit();
  }
  a.field("selector", s.selector);
  a.field("types", s.types);
  a.field("serviceAccountSelector", s.service_account_selector);
  a.field("performanceHints", s.performance_hints);
}

template <class Archive, class S>
void global_policy_fields(Archive& a, S& s) {
  policy_fields(a, s);
  a.field("namespaceSelector", s.namespace_selector);
  a.field("doNotTrack", s.do_not_track);
  a.field("preDNAT", s.pre_dnat);
  a.field("applyOnForward", s.apply_on_forward);
}

constexpr auto kPolicyList = [](auto& a, auto& s) { policy_fields(a, s); };
constexpr auto kGlobalPolicyList = [](auto& a, auto& s) { global_policy_fields(a, s); };
constexpr auto kStagedPolicyList = [](auto& a, auto& s) {
  a.field("stagedAction", s.staged_action);
  policy_fields(a, s.policy);
};
constexpr auto kStagedGlobalPolicyList = [](auto& a, auto& s) {
  a.field("stagedAction", s.staged_action);
  global_policy_fields(a, s.policy);
};

}  // namespace

template <class Archive, Is<model::TierSpec> S>
void fields(Archive& a, S& s) {
  a.field("order", s.order);
  a.field("defaultAction", s.default_action);
}

template <class Archive, Is<model::Tier> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, class S>
requires(Is<S, model::NetworkPolicy> || Is<S, model::GlobalNetworkPolicy> || Is<S, model::StagedNetworkPolicy> ||
         Is<S, model::StagedGlobalNetworkPolicy>) void fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  if constexpr (Is<S, model::NetworkPolicy>) a.field("spec", with_list(s.spec, kPolicyList));
  if constexpr (Is<S, model::GlobalNetworkPolicy>) a.field("spec", with_list(s.spec, kGlobalPolicyList));
  if constexpr (Is<S, model::StagedNetworkPolicy>) a.field("spec", with_list(s.spec, kStagedPolicyList));
  if constexpr (Is<S, model::StagedGlobalNetworkPolicy>) a.field("spec", with_list(s.spec, kStagedGlobalPolicyList));
  a.field("status", s.status);
}

template FieldErrors decode(json::View object, model::Tier& out);
template void encode(const model::Tier& object, json::Value& into);
template FieldErrors decode(json::View object, model::NetworkPolicy& out);
template void encode(const model::NetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::GlobalNetworkPolicy& out);
template void encode(const model::GlobalNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::StagedNetworkPolicy& out);
template void encode(const model::StagedNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::StagedGlobalNetworkPolicy& out);
template void encode(const model::StagedGlobalNetworkPolicy& object, json::Value& into);

}  // namespace margay::codec
