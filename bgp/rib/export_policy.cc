#include "bgp/rib/export_policy.h"

#include <utility>

#include "bgp/rib/attribute_rewrite.h"

namespace margay::bgp::rib {
namespace {

constexpr std::uint32_t local_pref_of(std::uint32_t priority) {
  return priority > kLocalPrefOfPriorityZero ? 0 : kLocalPrefOfPriorityZero - priority;
}

// Of a message beside its attributes: header, lengths, MP_REACH_NLRI with the longest next hop and destination.
constexpr std::size_t kRoomForTheRest = 128;
constexpr std::string_view kByFilter = "rejected by a filter";

}  // namespace

ExportKey make_export_key(const PeerPolicy& policy, const PeerSession& session, const RibConfig& config) {
  const fsm::Negotiated& negotiated = session.negotiated;
  ExportKey key;
  key.encode = negotiated.encode_context();
  key.families = negotiated.families;
  key.chain = policy.export_chain;
  key.self = session.self;
  for (const Family family : kFamilies) key.long_lived[family] = negotiated.long_lived[family].has_value();
  key.local_asn = negotiated.local_asn;
  key.router_id = config.router_id;
  key.next_hop_mode = policy.next_hop_mode;
  key.is_internal = negotiated.is_internal;
  key.calico_local_pref = policy.calico_local_pref;
  key.graceful_shutdown = policy.graceful_shutdown;
  for (const Family family : kFamilies) {
    if (key.encode.add_path[family]) key.send_paths_max = policy.send_paths_max;
  }
  if (negotiated.is_internal) {
    key.cluster_id = policy.cluster_id;
    key.is_client = policy.is_client;
  } else {
    key.requires_policy = policy.requires_policy;
    if (session.is_directly_connected) key.link_address = session.local_address;
  }
  return key;
}

std::size_t ExportMemo::place_of(const Question& question) {
  return spread(std::uint64_t{question.attributes} << 32 ^ question.next_hop ^ std::uint64_t{question.peer} << 24 ^
                std::uint64_t{question.interface} << 40) %
         256;
}

const ExportResult* ExportMemo::find(const Question& question) const {
  const Answer& answer = answers_[place_of(question)];
  return answer.is_set && answer.question == question ? &answer.result : nullptr;
}

void ExportMemo::put(const Question& question, const ExportResult& result) {
  const std::size_t place = place_of(question);
  Answer& answer = answers_[place];
  if (answer.is_set) {
    release(answer);
  } else {
    used_.push_back(place);
  }
  tables_.attributes.retain(question.attributes);
  if (question.next_hop != kNoId) tables_.next_hops.retain(question.next_hop);
  answer = {question, result, true};
}

void ExportMemo::release(Answer& answer) {
  tables_.attributes.release(answer.question.attributes);
  if (answer.question.next_hop != kNoId) tables_.next_hops.release(answer.question.next_hop);
  if (answer.result.attributes != kNoId) tables_.attributes.release(answer.result.attributes);
  if (answer.result.next_hop != kNoId) tables_.next_hops.release(answer.result.next_hop);
  answer.is_set = false;
}

void ExportMemo::forget() {
  for (const std::size_t place : used_) release(answers_[place]);
  used_.clear();
}

ExportPolicy::ExportPolicy(Tables& tables, ExportMemo& memo, ExportKey key)
    : tables_(tables), memo_(memo), key_(std::move(key)) {
  for (const Family family : kFamilies) looks_at_prefix_[family] = looks_at_prefix(key_.chain[family]);
}

ExportResult ExportPolicy::evaluate(Family family, PrefixId prefix, const Path& path) {
  ExportMemo::Question question;
  question.attributes = path.attributes;
  question.next_hop = path.next_hop;
  question.interface = path.is_local() ? path.path_id : 0;
  question.peer = path.peer;
  question.family = family;
  question.is_long_lived = path.is_long_lived;
  if (looks_at_prefix_[family]) {
    const Verdict verdict = verdict_of(family, prefix, path);
    if (!verdict.accept) return {.attributes = kNoId, .next_hop = kNoId, .reason = kByFilter, .filter = verdict.filter};
    question.rule = verdict.rule;
  }
  if (const ExportResult* known = memo_.find(question)) return *known;
  const ExportResult result = compute(family, prefix, path);
  memo_.put(question, result);
  return result;
}

// What needs no filter to be refused; empty: nothing does.
std::string_view ExportPolicy::refusal(Family family, const Path& path) const {
  if (!key_.families[family]) return "the session does not carry this family";
  if (!key_.is_internal && key_.requires_policy && key_.chain[family] == nullptr) return "no export policy (RFC 8212)";
  if (path.is_local()) return {};
  const PeerFacts& source = tables_.facts[path.peer];
  const AttributeRecord& record = tables_.record(path);
  // RFC 4271 §9.2: what an internal peer said is no news to another, but for a reflector (RFC 4456 §6).
  if (key_.is_internal && source.is_internal && !(key_.cluster_id && (source.is_client || key_.is_client))) {
    return "learnt from an internal peer";
  }
  if (record.has(AttributeRecord::kNoAdvertise)) return "community no-advertise";
  if (!key_.is_internal && record.has(AttributeRecord::kNoExport)) return "community no-export";
  // RFC 9494 §4.3.
  if ((path.is_long_lived || record.has(AttributeRecord::kLlgrStale)) && !key_.long_lived[family]) {
    return "long-lived stale, which the peer does not know of";
  }
  return {};
}

// RFC 4271 §5.1.3: a next hop on the link that the peer shares with us is nearer than we are. Known to be there is the
// address of a directly connected peer that we reach from the same address.
bool ExportPolicy::is_on_link(const Path& path) const {
  const PeerFacts& source = tables_.facts[path.peer];
  return key_.link_address && source.is_directly_connected && source.local_address == *key_.link_address &&
         tables_.next_hops[path.next_hop].address == source.address;
}

std::optional<NextHop> ExportPolicy::next_hop_for(Family family, const Path& path) const {
  const auto& self = key_.self[family];
  if (path.is_local() || key_.next_hop_mode == NextHopMode::kSelf) return self;
  NextHop kept = tables_.next_hops[path.next_hop];
  const bool is_on_link = this->is_on_link(path);
  const bool is_kept = key_.next_hop_mode == NextHopMode::kKeep || key_.is_internal || is_on_link;
  if (!is_kept) return self;
  // RFC 2545 §3: a link-local address is of use only on its link.
  if (!is_on_link) kept.link_local.reset();
  if (kept.address.is_v6() && kept.address.is_link_local() && !is_on_link) return self;
  // RFC 8950: not everybody can take an IPv6 next hop for IPv4.
  if (kept.address.is_v6() && family == Family::kIpv4Unicast && !key_.encode.extended_next_hop[family]) return self;
  return kept;
}

Verdict ExportPolicy::verdict_of(Family family, PrefixId prefix, const Path& path) const {
  RouteFacts facts;
  facts.prefix = tables_.prefixes[family].prefix(prefix);
  facts.attributes = tables_.record(path).view();
  facts.from_peer = !path.is_local();
  if (path.is_local()) facts.interface = tables_.interfaces[path.path_id];
  facts.peer_type = key_.is_internal ? PeerType::kInternal : PeerType::kExternal;
  facts.priority = tables_.priority(path);
  return bgp::evaluate(key_.chain[family], facts);
}

void ExportPolicy::finish_internal(AttributeEditor& editor, const Path& path) const {
  if (path.is_local() || !tables_.facts[path.peer].is_internal) return;
  // RFC 4456 §8.
  const AttributeRecord& record = tables_.record(path);
  if (!record.has(AttributeRecord::kHasOriginator)) editor.set_originator_id(tables_.facts[path.peer].router_id);
  if (key_.cluster_id) editor.prepend_cluster(*key_.cluster_id);
}

// What needs no editor; kNoId: an editor.
AttributeId ExportPolicy::attributes_at_once(const Path& path) {
  const AttributeRecord& record = tables_.record(path);
  AttributeStore& store = tables_.attributes;
  if (!key_.is_internal) {
    const std::uint32_t by = key_.local_asn.value();
    const AttributeId known = store.rewritten(path.attributes, by);
    if (known != kNoId) {
      store.retain(known);
      return known;
    }
    if (!rewrite_for_external(record.bytes(), key_.local_asn, scratch_)) return kNoId;
    const AttributeId made = store.intern(bytes::view_of(scratch_));
    store.set_rewritten(path.attributes, by, made);  // the path is longer: no way back
    return made;
  }
  const bool is_reflected = !path.is_local() && tables_.facts[path.peer].is_internal;
  if (is_reflected || (path.is_local() && !key_.calico_local_pref)) return kNoId;
  if (record.has(AttributeRecord::kHasLocalPref)) {
    store.retain(path.attributes);
    return path.attributes;
  }
  rewrite_local_pref(record.bytes(), record.local_pref, scratch_);
  return store.intern(bytes::view_of(scratch_));
}

AttributeId ExportPolicy::attributes_for(const Path& path, const Verdict& verdict) {
  if (!verdict.changes() && !key_.graceful_shutdown) {
    const AttributeId attributes = attributes_at_once(path);
    if (attributes != kNoId) return attributes;
  }
  const AttributeRecord& record = tables_.record(path);
  AttributeEditor editor(record.view());
  std::uint32_t local_pref = record.local_pref;
  if (path.is_local() && !key_.calico_local_pref) local_pref = kDefaultLocalPref;
  if (verdict.changes()) {
    const std::uint32_t before = tables_.priority(path);
    std::uint32_t priority = before;
    apply(*verdict.rule, editor, priority);
    if (priority != before) local_pref = local_pref_of(priority);
  }
  if (key_.graceful_shutdown) {  // RFC 8326 §4.2
    editor.add_community(kGracefulShutdown);
    local_pref = 0;
  }
  if (key_.is_internal) {
    editor.set_local_pref(local_pref);
    finish_internal(editor, path);
  } else {
    editor.remove_for_ebgp();
    editor.set_local_pref(std::nullopt);
    editor.set_med(std::nullopt);
    editor.prepend(std::span(&key_.local_asn, 1));
  }
  return tables_.attributes.intern(bytes::view_of(editor.finish()));
}

// An UPDATE that cannot be sent is no use. Towards a speaker of two octets AS4_PATH says the path a second time.
bool ExportPolicy::fits(AttributeId attributes) const {
  const std::size_t size_max = key_.encode.extended_message ? kExtendedMessageSizeMax : kMessageSizeMax;
  const std::size_t size = tables_.attributes[attributes].size;
  return (key_.encode.four_octet_as ? size : size * 2) + kRoomForTheRest <= size_max;
}

ExportResult ExportPolicy::compute(Family family, PrefixId prefix, const Path& path) {
  ExportResult result;
  result.reason = refusal(family, path);
  if (!result.reason.empty()) return result;
  const std::optional<NextHop> next_hop = next_hop_for(family, path);
  if (!next_hop) {
    result.reason = "we have no address that could be its next hop";
    return result;
  }
  const Verdict verdict = key_.chain[family] == nullptr ? Verdict{} : verdict_of(family, prefix, path);
  result.filter = verdict.filter;
  if (!verdict.accept) {
    result.reason = kByFilter;
    return result;
  }
  const AttributeId attributes = attributes_for(path, verdict);
  if (!fits(attributes)) {
    tables_.attributes.release(attributes);
    result.reason = "its attributes do not fit a message";
    return result;
  }
  result.attributes = attributes;
  result.next_hop = tables_.next_hops.intern(*next_hop);
  return result;
}

}  // namespace margay::bgp::rib
