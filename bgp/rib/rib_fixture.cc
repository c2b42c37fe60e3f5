#include "bgp/rib/rib_fixture.h"

#include <algorithm>
#include <variant>

#include "base/core/text.h"

namespace margay::bgp::rib {

std::string attributes_of(const AttributeText& text) {
  AttributeEditor editor;
  editor.set_origin(text.origin);
  std::vector<Asn> path;
  for (const std::uint32_t asn : text.path) path.emplace_back(asn);
  editor.set_as_path(path);
  editor.set_med(text.med);
  editor.set_local_pref(text.local_pref);
  for (const std::uint32_t community : text.communities) editor.add_community(community);
  if (text.originator) editor.set_originator_id(RouterId(*text.originator));
  for (auto cluster = text.clusters.rbegin(); cluster != text.clusters.rend(); ++cluster) {
    editor.prepend_cluster(RouterId(*cluster));
  }
  return editor.finish();
}

IpPrefix prefix_of(std::string_view text) { return IpPrefix::parse(text).value(); }
IpAddress address_of(std::string_view text) { return IpAddress::parse(text).value(); }

Update announcement(const std::vector<Nlri>& nlri, const std::string& attributes, const IpAddress& next_hop) {
  Update update;
  Reach& reach = update.reach[family_of(nlri.front().prefix.family())];
  reach.next_hop.address = next_hop;
  reach.nlri = nlri;
  update.attributes = attributes;
  return update;
}

Update withdrawal(const std::vector<Nlri>& nlri) {
  Update update;
  update.withdrawn[family_of(nlri.front().prefix.family())] = nlri;
  return update;
}

Update end_of_rib(Family family) {
  Update update;
  update.end_of_rib = family;
  return update;
}

PeerSession session_of(const PeerSpec& spec) {
  PeerSession session;
  fsm::Negotiated& negotiated = session.negotiated;
  negotiated.local_asn = kOurAsn;
  negotiated.remote_asn = spec.kind == Kind::kExternal ? Asn(65000U + spec.id) : kOurAsn;
  negotiated.local_id = RouterId(0x0a0000fe);
  negotiated.remote_id = RouterId(0x0a000001U + spec.id);
  negotiated.is_internal = spec.kind != Kind::kExternal;
  negotiated.families = {true, true};
  negotiated.add_path_send = {spec.add_path_send, spec.add_path_send};
  negotiated.add_path_receive = {spec.add_path_receive, spec.add_path_receive};
  negotiated.four_octet_as = true;
  negotiated.route_refresh = true;
  negotiated.enhanced_route_refresh = spec.enhanced_refresh;
  session.peer_address = IpAddress::v4(0x0a000001U + spec.id);
  session.local_address = IpAddress::v4(0x0a0000fe);
  session.self = {NextHop{session.local_address, std::nullopt}, NextHop{address_of("fd00::fe"), std::nullopt}};
  return session;
}

PeerPolicy policy_of(const PeerSpec& spec) {
  PeerPolicy policy;
  policy.is_client = spec.kind == Kind::kClient;
  if (spec.kind == Kind::kClient || spec.is_reflecting) policy.cluster_id = RouterId(0x01010101);
  policy.send_paths_max = spec.send_paths_max;
  return policy;
}

PeerTable::PeerTable(const PeerSpec& spec) {
  context_.families = {true, true};
  context_.add_path = {spec.add_path_send, spec.add_path_send};
  context_.is_internal = spec.kind != Kind::kExternal;
  context_.peer_asn = kOurAsn;
}

void PeerTable::read(const std::string& packet, std::vector<std::string>& problems) {
  bytes::View rest = bytes::view_of(packet);
  while (!rest.empty()) {
    const auto header = decode_header(rest, context_);
    if (!header.ok() || !header->has_value() || (*header)->size > rest.size()) {
      problems.emplace_back("a packet that is no row of messages");
      return;
    }
    const bytes::View message = rest.first((*header)->size);
    if ((*header)->type == MessageType::kUpdate) {
      read_update(message, problems);
    } else {
      read_refresh(message, problems);
    }
    rest = rest.subspan(message.size());
  }
}

void PeerTable::read_refresh(bytes::View message, std::vector<std::string>& problems) {
  const auto refresh = decode_route_refresh(message);
  if (refresh.ok() && std::holds_alternative<RouteRefresh>(*refresh)) {
    marks.push_back(std::get<RouteRefresh>(*refresh).kind);
  } else {
    problems.emplace_back("a message that is neither UPDATE nor ROUTE-REFRESH");
  }
}

void PeerTable::read_update(bytes::View message, std::vector<std::string>& problems) {
  Update update;
  const auto result = decode_update(message, context_, update);
  if (!result.ok()) problems.push_back(result.error().what);
  for (const Fault& fault : update.faults) problems.emplace_back(fault.what);
  if (update.end_of_rib) {
    ++end_of_ribs;
    return;
  }
  ++updates;
  for (const Family family : kFamilies) {
    for (const Nlri& nlri : update.withdrawn[family]) {
      const bool was_told = routes.erase({nlri.prefix, nlri.path_id}) != 0;
      if (!was_told) problems.push_back(concat("withdrawn without having been told: ", nlri.prefix.to_string()));
    }
    for (const Nlri& nlri : update.reach[family].nlri) {
      Route route{update.attributes, update.reach[family].next_hop};
      Route& known = routes[{nlri.prefix, nlri.path_id}];
      if (known == route) ++needless;
      known = std::move(route);
    }
  }
}

RibConfig World::default_config() {
  RibConfig config;
  config.local_asn = kOurAsn;
  config.router_id = RouterId(0x0a0000fe);
  return config;
}

World::World(RibConfig config)
    : rib_(config,
           Events{.on_routes =
                      [this](const std::vector<RouteChange>& changes) {
                        for (const RouteChange& change : changes) {
                          ++route_changes;
                          if (change.route) {
                            kernel_[change.prefix] = *change.route;
                          } else {
                            const bool was_there = kernel_.erase(change.prefix) != 0;
                            if (!was_there) problems.emplace_back("a route removed that was not there");
                          }
                        }
                      },
                  .on_output = [this](PeerId peer) { outputs.push_back(peer); },
                  .on_overrun = [this](PeerId peer,
                                       const Notification& notification) { overruns.emplace_back(peer, notification); },
                  .on_limit_warning = [this](PeerId, Family, std::uint64_t prefixes) { warnings.push_back(prefixes); },
                  .on_paths_ignored = [this](PeerId peer,
                                             const IpPrefix& prefix) { ignored.emplace_back(peer, prefix); }}) {}

void World::add(const PeerSpec& spec) {
  specs_.insert_or_assign(spec.id, spec);
  rib_.add_peer(spec.id, policy_of(spec));
}

void World::up(PeerId peer) {
  tables_.insert_or_assign(peer, PeerTable(specs_.at(peer)));
  rib_.session_up(peer, session_of(specs_.at(peer)));
}

void World::down(PeerId peer, bool keep_stale) {
  rib_.session_down(peer, keep_stale);
  tables_.erase(peer);
}

void World::read(PeerId peer) {
  for (const Packet& packet : rib_.take(peer, 100'000)) read(peer, packet);
}

void World::settle() {
  bool is_done = false;
  while (!is_done) {
    is_done = rib_.run(1000);
    for (const auto& [peer, table] : tables_) {
      for (; rib_.has_output(peer); is_done = false) read(peer);  // room for one may be news for others
    }
  }
}

}  // namespace margay::bgp::rib
