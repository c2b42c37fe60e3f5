#include "bgp/rib/import_policy.h"

namespace margay::bgp::rib {

ImportPolicy::ImportPolicy(const PeerPolicy& policy, const PeerSession& session, const RibConfig& config)
    : chain_(policy.import_chain),
      self_(session.self),
      local_address_(session.local_address),
      local_asn_(session.negotiated.local_asn),
      speaker_asn_(config.local_asn),
      router_id_(config.router_id),
      cluster_id_(policy.cluster_id.value_or(config.router_id)),
      own_asn_allowed_(static_cast<std::size_t>(policy.own_asn_allowed > 0 ? policy.own_asn_allowed : 0)),
      is_internal_(session.negotiated.is_internal),
      requires_policy_(policy.requires_policy),
      calico_local_pref_(policy.calico_local_pref),
      accepts_graceful_shutdown_(policy.accepts_graceful_shutdown) {
  for (const Family family : kFamilies) looks_at_prefix_[family] = bgp::looks_at_prefix(chain_[family]);
}

bool ImportPolicy::is_next_hop_usable(const NextHop& next_hop) const {
  const IpAddress& address = next_hop.address;
  if (address.is_unspecified() || address.is_multicast() || address.is_loopback() || address == local_address_) {
    return false;
  }
  for (const Family family : kFamilies) {
    const auto& self = self_[family];
    if (self && (self->address == address || (self->link_local && *self->link_local == address))) return false;
  }
  return true;
}

Rejection ImportPolicy::sanity(Family family, const AttributeRecord& record, const NextHop& next_hop) const {
  if (requires_policy_ && !is_internal_ && chain_[family] == nullptr) return Rejection::kNoPolicy;
  const AsPathView path = record.view().as_path();
  if (!path.empty()) {
    if (path.count(local_asn_) > own_asn_allowed_) return Rejection::kAsLoop;
    if (speaker_asn_ != local_asn_ && path.count(speaker_asn_) > own_asn_allowed_) return Rejection::kAsLoop;
  }
  if (record.has(AttributeRecord::kHasOriginator) && record.originator_id == router_id_.value()) {
    return Rejection::kOriginatorLoop;
  }
  if (record.has(AttributeRecord::kHasClusterList) && record.view().cluster_list_contains(cluster_id_)) {
    return Rejection::kClusterLoop;
  }
  return is_next_hop_usable(next_hop) ? Rejection::kNone : Rejection::kNextHop;
}

ImportResult ImportPolicy::filtered(AttributeStore& store, const IpPrefix& prefix, AttributeId received) const {
  const AttributeRecord& record = store[received];
  const bool is_carried = calico_local_pref_ && record.has(AttributeRecord::kHasLocalPref);
  const std::uint32_t carried =
      record.local_pref > kLocalPrefOfPriorityZero ? 0 : kLocalPrefOfPriorityZero - record.local_pref;
  RouteFacts facts;
  facts.prefix = prefix;
  facts.attributes = record.view();
  facts.from_peer = true;
  facts.peer_type = is_internal_ ? PeerType::kInternal : PeerType::kExternal;
  facts.priority = is_carried ? carried : kNormalPriority;

  const Verdict verdict = bgp::evaluate(chain_[family_of(prefix.family())], facts);
  ImportResult result;
  result.filter = verdict.filter;
  if (!verdict.accept) result.rejection = Rejection::kFilter;
  if (!verdict.changes()) {
    store.retain(received);
    result.attributes = received;
    return result;
  }
  AttributeEditor editor(record.view());
  std::uint32_t priority = facts.priority;
  apply(*verdict.rule, editor, priority);
  if (priority != facts.priority) {
    editor.set_local_pref(priority > kLocalPrefOfPriorityZero ? 0 : kLocalPrefOfPriorityZero - priority);
    result.is_priority_ours = true;
  }
  result.attributes = store.intern(bytes::view_of(editor.finish()));
  return result;
}

ImportResult ImportPolicy::evaluate(AttributeStore& store, const IpPrefix& prefix, AttributeId received,
                                    const NextHop& next_hop) const {
  const Family family = family_of(prefix.family());
  const Rejection rejection = sanity(family, store[received], next_hop);
  if (rejection != Rejection::kNone) {
    store.retain(received);
    return {.attributes = received, .rejection = rejection, .is_priority_ours = false, .filter = {}};
  }
  ImportResult result;
  if (chain_[family] == nullptr) {
    store.retain(received);
    result.attributes = received;
  } else {
    result = filtered(store, prefix, received);
  }
  // RFC 8326 §4.1: what an external peer is about to withdraw is the last resort.
  const AttributeRecord& record = store[result.attributes];
  if (!is_internal_ && accepts_graceful_shutdown_ && record.has(AttributeRecord::kGracefulShutdown)) {
    AttributeEditor editor(record.view());
    editor.set_local_pref(0);
    const AttributeId last = store.intern(bytes::view_of(editor.finish()));
    store.release(result.attributes);
    result.attributes = last;
  }
  return result;
}

}  // namespace margay::bgp::rib
