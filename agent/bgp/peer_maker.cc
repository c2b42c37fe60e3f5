#include "agent/bgp/peer_maker.h"

#include <utility>

#include "base/core/text.h"
#include "bgp/objects/object_values.h"

namespace margay::agent {
namespace {

using bgp::Family;
using bgp::kFamilies;
using Level = PeerRank::Level;

// Calico's nodes tell and take all paths of a prefix: services with endpoints on many nodes keep all their next hops
// behind a reflector.
constexpr std::uint32_t kPathsMax = 16;

const model::ObjectKey kMeshObject{model::Kind::kBgpConfiguration, "", std::string(kDefaultConfiguration)};

// The place of a rule of the speaker in the object of the user.
std::string field_of(const PeerRank& rank, std::string_view field) {
  if (rank.level == Level::kMesh) {
    if (field == "password") return "spec.nodeMeshPassword";
    return field == "restart_time" ? "spec.nodeMeshMaxRestartTime" : concat("spec (", field, ")");
  }
  if (field == "restart_time") return "spec.maxRestartTime";
  const std::string_view known = bgp::peer_field_of(field);
  return known.empty() ? concat("spec (", field, ")") : std::string(known);
}

std::string name_of(const PeerRank& rank, const std::string& node) {
  if (rank.level == Level::kMesh) return concat("node-to-node mesh: ", node);
  return node.empty() ? concat("BGPPeer ", rank.object) : concat("BGPPeer ", rank.object, ": ", node);
}

// Where the other node said it itself; "" where it did not.
std::string_view annotation_of(const PeerCandidate& candidate, std::string_view field) {
  if (candidate.origin.node.empty() || candidate.rank.level <= Level::kGlobal) return {};
  if (field == "remote_asn") return "ASNumber";
  if (field == "address") return candidate.key.address.is_v4() ? "IPv4Address" : "IPv6Address";
  return {};
}

PeerSource source_of(const model::BgpPeerSpec& spec) {
  if (!spec.local_workload_selector.empty()) return PeerSource::kLocalWorkload;
  return spec.node.empty() && spec.node_selector.empty() ? PeerSource::kGlobal : PeerSource::kNode;
}

}  // namespace

Asn PeerMaker::asn_of(const std::string& node, const NodeFacts& facts) const {
  return facts.asn ? *facts.asn : cluster_.configurations.asn_of(node);
}

std::optional<PeerMaker::End> PeerMaker::end_of(const std::string& node, const NodeFacts& facts, Family family) const {
  // Without an address of the family there is no next hop of ours either.
  if (!facts.address[family] || !cluster_.own.address[family]) return std::nullopt;
  if (*facts.address[family] == *cluster_.own.address[family]) return std::nullopt;
  return End{
      {*facts.address[family], cluster_.configurations.port_of(node)}, node, asn_of(node, facts), facts.cluster_id};
}

// Between nodes one side opens the connection: as in Calico the one whose address is the smaller text. Two connections
// at once, of which one is closed, would look to Graceful Restart like a restart.
bool PeerMaker::is_passive(const End& end) const {
  const auto& own = cluster_.own.address[bgp::family_of(end.key.address.family())];
  return !end.node.empty() && own && end.key.address.to_string() > own->to_string();
}

PeerCandidate PeerMaker::base(const End& end, std::optional<Asn> local_asn) const {
  PeerCandidate out;
  out.key = end.key;
  out.origin.node = end.node;
  bgp::PeerSettings& settings = out.settings;
  const Family family = bgp::family_of(end.key.address.family());
  settings.remote_asn = end.asn;
  settings.local_asn = local_asn;
  settings.source_address = cluster_.own.address[family];
  settings.passive = is_passive(end);
  settings.families = bgp::PerFamily<bool>(family == Family::kIpv4Unicast, family == Family::kIpv6Unicast);
  settings.add_path_receive = settings.families;
  settings.add_path_send = settings.families;
  settings.policy.send_paths_max = kPathsMax;
  settings.policy.cluster_id = cluster_.own.cluster_id;
  const bool is_internal = end.asn == local_asn.value_or(cluster_.asn);
  settings.policy.is_client = cluster_.own.cluster_id && is_internal && end.cluster_id != cluster_.own.cluster_id;
  return out;
}

void PeerMaker::take_password(const std::optional<model::SecretReference>& reference, const model::ObjectKey& object,
                              const std::string& path, PeerCandidate& candidate, Out& out) const {
  if (!reference || !reference->secret_key_ref) return;
  const model::SecretKeySelector& wanted = *reference->secret_key_ref;
  const auto secret = cluster_.secrets.find(wanted.name);
  if (secret != cluster_.secrets.end()) {
    const auto value = secret->second->data.find(wanted.key);
    if (value != secret->second->data.end()) {
      candidate.settings.password = value->second;
      return;
    }
  }
  if (wanted.optional) return;
  const std::string why = secret == cluster_.secrets.end()
                              ? concat("there is no Secret ", quoted(wanted.name))
                              : concat("Secret ", quoted(wanted.name), " has no key ", quoted(wanted.key));
  candidate.settings.is_shut_down = true;
  candidate.settings.shutdown_text = "no password";
  add_problem(out.problems, object, {FieldError::Kind::kInvalid, path, concat(why, ": the peer is shut down")});
}

void PeerMaker::take_filters(const PeerObject& peer, PeerCandidate& candidate, Out& out) const {
  const FilterChains::Chains& chains = cluster_.chains.of(peer.spec.filters);
  candidate.settings.policy.import_chain = chains.import_chain;
  candidate.settings.policy.export_chain = chains.export_chain;
  for (const std::size_t place : chains.missing) {
    add_problem(out.problems, peer.key(),
                {FieldError::Kind::kInvalid, concat("spec.filters[", place, "]"),
                 concat("there is no BGPFilter ", quoted(peer.spec.filters[place]), ": it is passed over")});
  }
}

void PeerMaker::take_spec(const PeerObject& peer, PeerCandidate& candidate, Out& out) const {
  const model::BgpPeerSpec& spec = peer.spec;
  bgp::PeerSettings& settings = candidate.settings;
  if (spec.source_address == model::BgpSourceAddress::kNone) settings.source_address.reset();
  if (spec.max_restart_time) settings.restart_time = spec.max_restart_time;
  settings.keepalive_time = spec.keepalive_time;
  settings.policy.own_asn_allowed = spec.num_allowed_local_as_numbers.value_or(0);
  if (spec.ttl_security.value_or(0) > 0) settings.ttl_security = spec.ttl_security;
  const bool is_internal = settings.remote_asn == settings.local_asn.value_or(cluster_.asn);
  settings.policy.next_hop_mode = bgp::next_hop_mode_of(spec, is_internal);
  candidate.reachable_by = spec.reachable_by;
  candidate.origin.source = source_of(spec);
  candidate.origin.object = peer.name;
  candidate.rank.object = peer.name;
  candidate.rank.node = candidate.origin.node;
  take_filters(peer, candidate, out);
  take_password(spec.password, peer.key(), "spec.password.secretKeyRef", candidate, out);
}

// The speaker's own rules, said of the object they are broken in; what it would refuse is left out, alone.
void PeerMaker::add(PeerCandidate candidate, const model::ObjectKey& object, Out& out) const {
  candidate.settings.name = name_of(candidate.rank, candidate.origin.node);
  bgp::SpeakerConfig alone;
  alone.asn = cluster_.asn;
  alone.router_id = RouterId(1);
  alone.peers.emplace(candidate.key, candidate.settings);
  bool is_usable = true;
  for (const FieldError& error : bgp::validate(alone)) {
    const std::size_t dot = error.path.find("].");
    if (dot == std::string::npos) continue;
    is_usable = false;
    const std::string_view field = std::string_view(error.path).substr(dot + 2);
    const std::string_view annotation = annotation_of(candidate, field);
    if (!annotation.empty()) {
      add_problem(out.problems, {model::Kind::kNode, "", candidate.origin.node},
                  {error.kind, concat("metadata.annotations[projectcalico.org/", annotation, "]"), error.message});
      continue;
    }
    add_problem(out.problems, object, {error.kind, field_of(candidate.rank, field), error.message});
  }
  if (is_usable) out.candidates.push_back(std::move(candidate));
}

void PeerMaker::add_mesh(const std::string& node, const NodeFacts& facts, Out& out) const {
  if (!cluster_.settings.has_mesh || cluster_.own.cluster_id || facts.cluster_id) return;
  for (const Family family : kFamilies) {
    const auto end = end_of(node, facts, family);
    if (!end) continue;
    PeerCandidate candidate = base(*end, std::nullopt);
    candidate.rank = {Level::kMesh, "", node};
    candidate.origin.source = PeerSource::kNodeMesh;
    if (cluster_.settings.mesh_restart_time) candidate.settings.restart_time = cluster_.settings.mesh_restart_time;
    const FilterChains::Chains& chains = cluster_.chains.of({});
    candidate.settings.policy.export_chain = chains.export_chain;
    take_password(cluster_.settings.mesh_password, kMeshObject, "spec.nodeMeshPassword.secretKeyRef", candidate, out);
    add(std::move(candidate), kMeshObject, out);
  }
}

void PeerMaker::add_selected(const PeerObject& peer, const std::string& node, const NodeFacts& facts, Out& out) const {
  if (!peer.peer_selector) return;
  const bool is_forward = peer.is_for(cluster_.node, cluster_.own.labels) && peer.selects_peer(facts.labels);
  const bool is_reverse = peer.spec.reverse_peering != model::ReversePeering::kManual &&
                          peer.selects_peer(cluster_.own.labels) && peer.is_for(node, facts.labels);
  if (!is_forward && !is_reverse) return;
  for (const Family family : kFamilies) {
    auto end = end_of(node, facts, family);
    if (!end) continue;
    // Who is peered with sees the number that the object presents.
    if (!is_forward && peer.spec.local_as_number) end->asn = *peer.spec.local_as_number;
    PeerCandidate candidate = base(*end, is_forward ? peer.spec.local_as_number : std::nullopt);
    candidate.rank.level = is_forward ? Level::kForward : Level::kReverse;
    take_spec(peer, candidate, out);
    add(std::move(candidate), peer.key(), out);
  }
}

void PeerMaker::add_address(const PeerObject& peer, Out& out) const {
  const model::BgpPeerSpec& spec = peer.spec;
  if (!spec.peer_ip || !peer.is_for(cluster_.node, cluster_.own.labels)) return;
  const IpAddress& address = spec.peer_ip->address;
  const Family family = bgp::family_of(address.family());
  if (cluster_.own.address[family] == address) return;
  End end{{address, bgp::kBgpPort}, "", spec.as_number.value_or(cluster_.asn), std::nullopt};
  const auto node = cluster_.node_of.find(address);
  if (node != cluster_.node_of.end() && !node->second.empty()) {
    end.node = *node->second.begin();
    const NodeFacts& facts = cluster_.nodes.at(end.node);
    end.key.port = cluster_.configurations.port_of(end.node);
    end.cluster_id = facts.cluster_id;
    if (!spec.as_number) end.asn = asn_of(end.node, facts);
  }
  if (spec.peer_ip->port) end.key.port = spec.peer_ip->port->value();
  PeerCandidate candidate = base(end, spec.local_as_number);
  candidate.rank.level = !spec.node.empty()            ? Level::kNode
                         : !spec.node_selector.empty() ? Level::kNodeSelector
                                                       : Level::kGlobal;
  take_spec(peer, candidate, out);
  if (candidate.reachable_by && candidate.reachable_by->family() != address.family()) {
    add_problem(out.problems, peer.key(),
                {FieldError::Kind::kInvalid, "spec.reachableBy",
                 concat(candidate.reachable_by->to_string(), " is of another family than ", address.to_string())});
    candidate.reachable_by.reset();
  }
  add(std::move(candidate), peer.key(), out);
}

void PeerMaker::add_workloads(const PeerObject& peer, const std::vector<const LocalWorkload*>& workloads,
                              Out& out) const {
  if (!peer.workload_selector || !peer.is_for(cluster_.node, cluster_.own.labels)) return;
  const Asn own = peer.spec.local_as_number.value_or(cluster_.asn);
  if (!peer.spec.as_number || *peer.spec.as_number == own) {
    return add_problem(out.problems, peer.key(),
                       {FieldError::Kind::kInvalid, "spec.asNumber",
                        concat("workloads are peers of another AS than the node's, ", own.to_string())});
  }
  for (const LocalWorkload* const workload : workloads) {
    if (!peer.workload_selector->matches(workload->labels)) continue;
    for (const IpPrefix& net : workload->addresses) {
      const Family family = bgp::family_of(net.family());
      if (!cluster_.settings.workload_peering[family]) {
        add_problem(out.problems, peer.key(),
                    {FieldError::Kind::kInvalid, "spec.localWorkloadSelector",
                     concat("needs BGPConfiguration's localWorkloadPeeringIP", net.is_v4() ? "V4" : "V6")});
        continue;
      }
      PeerCandidate candidate =
          base({{net.first(), bgp::kBgpPort}, "", *peer.spec.as_number, std::nullopt}, peer.spec.local_as_number);
      candidate.rank.level = Level::kLocalWorkload;
      take_spec(peer, candidate, out);
      candidate.settings.source_address = cluster_.settings.workload_peering[family];
      candidate.settings.passive = true;
      add(std::move(candidate), peer.key(), out);
    }
  }
}

}  // namespace margay::agent
