// The rules on BGPConfiguration, BGPPeer and BGPFilter.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/bgp_peer.h"

namespace margay::codec {
namespace {

void check_family(const At& at, const std::optional<IpAddress>& address, IpFamily family) {
  if (address && address->family() != family) {
    at.invalid(concat(address->to_string(), " is ", to_string(address->family()), ", not ", to_string(family)));
  }
}

void check_mesh(const At& at, const model::BgpConfiguration& object) {
  const model::BgpConfigurationSpec& spec = object.spec;
  const bool is_global = object.metadata.name == "default" || object.metadata.name.empty();
  const bool is_mesh_off = !spec.node_to_node_mesh_enabled.value_or(true);
  const std::pair<std::string_view, bool> members[] = {
      {"nodeMeshPassword", spec.node_mesh_password.has_value()},
      {"nodeMeshMaxRestartTime", spec.node_mesh_max_restart_time.has_value()},
  };
  for (const auto& [name, is_given] : members) {
    if (!is_given) continue;
    if (is_mesh_off) at.member(name).forbidden("needs the mesh, but nodeToNodeMeshEnabled is false");
    if (!is_global) at.member(name).forbidden("can be set in the object named \"default\" only");
  }
}

void check_communities(const At& at, const model::BgpConfigurationSpec& spec) {
  if (!spec.communities.empty() && spec.prefix_advertisements.empty()) {
    at.member("communities").forbidden("communities are named, but prefixAdvertisements is empty and uses none");
  }
  const auto is_known = [&spec](const std::string& community) {
    return model::Community::parse(community).ok() ||
           std::any_of(spec.communities.begin(), spec.communities.end(),
                       [&](const model::NamedCommunity& named) { return named.name == community; });
  };
  const At advertisements = at.member("prefixAdvertisements");
  for (std::size_t i = 0; i < spec.prefix_advertisements.size(); ++i) {
    const At advertisement = advertisements.element(i);
    const At communities = advertisement.member("communities");
    const std::vector<std::string>& used = spec.prefix_advertisements[i].communities;
    for (std::size_t k = 0; k < used.size(); ++k) {
      if (is_known(used[k])) continue;
      communities.element(k).invalid(concat(quoted(used[k]),
                                            " is neither a community such as 65000:100 or 65000:1:2 nor ",
                                            "the name of one in spec.communities"));
    }
  }
}

// Not more than one of them is given.
void check_exclusive(const At& at, std::pair<std::string_view, bool> a, std::pair<std::string_view, bool> b) {
  if (a.second && b.second) at.member(b.first).forbidden(concat(a.first, " and ", b.first, " cannot both be set"));
}

void check_peers(const At& at, const model::BgpPeerSpec& spec) {
  const std::pair<std::string_view, bool> address{"peerIP", spec.peer_ip.has_value()};
  const std::pair<std::string_view, bool> selector{"peerSelector", !spec.peer_selector.empty()};
  const std::pair<std::string_view, bool> workloads{"localWorkloadSelector", !spec.local_workload_selector.empty()};
  const std::pair<std::string_view, bool> asn{"asNumber", spec.as_number.value_or(Asn()) != Asn()};
  check_exclusive(at, address, selector);
  check_exclusive(at, address, workloads);
  check_exclusive(at, selector, workloads);
  if (selector.second && asn.second) {
    at.member("asNumber").forbidden("asNumber cannot be set with peerSelector: the nodes' own AS numbers count");
  }
  if (workloads.second && !asn.second) at.member("asNumber").required("is required with localWorkloadSelector");
}

void check_gateway(const At& at, const model::BgpPeerSpec& spec) {
  if (!spec.reachable_by) return;
  if (!spec.peer_ip) return at.forbidden("reachableBy needs peerIP");
  check_family(at, spec.reachable_by, spec.peer_ip->address.family());
}

void check_operation(const At& at, const model::FilterOperation& operation) {
  const int given =
      operation.add_community.has_value() + operation.prepend_as_path.has_value() + operation.set_priority.has_value();
  if (given != 1) {
    at.invalid(concat("has ", given, " of addCommunity, prependASPath and setPriority, exactly one is allowed"));
  }
}

void check_length(const At& at, const std::optional<std::int32_t>& length, IpFamily family) {
  const int bits = address_bits(family);
  if (length && (*length < 0 || *length > bits)) at.invalid(concat(*length, " is not between 0 and ", bits));
}

void check_filter_cidr(const At& at, const model::BgpFilterRule& rule, IpFamily family) {
  if (rule.cidr && rule.cidr->family() != family) {
    at.member("cidr").invalid(concat(rule.cidr->to_string(), " is ", to_string(rule.cidr->family()), ", but the list ",
                                     "is for ", to_string(family)));
  }
  if (rule.cidr && !rule.match_operator) at.member("matchOperator").required("is required with cidr");
  if (!rule.cidr && rule.match_operator) at.member("cidr").required("is required with matchOperator");
  if (!rule.prefix_length) return;
  if (!rule.cidr) at.member("cidr").required("is required with prefixLength");
  const At range = at.member("prefixLength");
  check_length(range.member("min"), rule.prefix_length->min, family);
  check_length(range.member("max"), rule.prefix_length->max, family);
}

void check_filter_rules(const At& at, const std::vector<model::BgpFilterRule>& rules, IpFamily family) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const At rule = at.element(i);
    check_filter_cidr(rule, rules[i], family);
    const At operations = rule.member("operations");
    for (std::size_t k = 0; k < rules[i].operations.size(); ++k) {
      check_operation(operations.element(k), rules[i].operations[k]);
    }
    if (!rules[i].operations.empty() && rules[i].action != model::FilterAction::kAccept) {
      operations.forbidden("operations need action Accept");
    }
  }
}

}  // namespace

FieldErrors validate(const model::BgpConfiguration& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kDefaultOrNode, false);
  check_mesh(spec, object);
  check_communities(spec, object.spec);
  check_family(spec.member("localWorkloadPeeringIPV4"), object.spec.local_workload_peering_ipv4, IpFamily::kV4);
  check_family(spec.member("localWorkloadPeeringIPV6"), object.spec.local_workload_peering_ipv6, IpFamily::kV6);
  return errors;
}

FieldErrors validate(const model::BgpPeer& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_selector(spec.member("nodeSelector"), object.spec.node_selector);
  check_selector(spec.member("peerSelector"), object.spec.peer_selector);
  check_selector(spec.member("localWorkloadSelector"), object.spec.local_workload_selector);
  check_exclusive(spec, {"node", !object.spec.node.empty()}, {"nodeSelector", !object.spec.node_selector.empty()});
  check_peers(spec, object.spec);
  check_gateway(spec.member("reachableBy"), object.spec);
  if (object.spec.keep_original_next_hop && object.spec.next_hop_mode) {
    spec.member("keepOriginalNextHop")
        .forbidden("keepOriginalNextHop and nextHopMode cannot both be set: use nextHopMode");
  }
  return errors;
}

FieldErrors validate(const model::BgpFilter& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_filter_rules(spec.member("exportV4"), object.spec.export_v4, IpFamily::kV4);
  check_filter_rules(spec.member("importV4"), object.spec.import_v4, IpFamily::kV4);
  check_filter_rules(spec.member("exportV6"), object.spec.export_v6, IpFamily::kV6);
  check_filter_rules(spec.member("importV6"), object.spec.import_v6, IpFamily::kV6);
  return errors;
}

}  // namespace margay::codec
