// From the values of API objects to those of the speaker: communities, BGPFilter, the next-hop mode of a BGPPeer. What
// margay-bgpd (a file of objects) and the agent (a cluster of them) have in common. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "bgp/filter/filter.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/route.h"
#include "bgp/wire/family.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/bgp_peer.h"
#include "datastore/model/values.h"

namespace margay::bgp {

AnyCommunity community_of(const model::Community& community);
void add_community(const AnyCommunity& community, rib::LocalRoute& route);

// The rules of one direction and family.
Filter filter_of(const std::string& name, const std::vector<model::BgpFilterRule>& rules);

// The filters of a peer in both directions, one after the other.
struct FilterLists {
  PerFamily<std::vector<Filter>> imports;
  PerFamily<std::vector<Filter>> exports;
};
// Adds what this one has rules for.
void add_filter(const std::string& name, const model::BgpFilterSpec& spec, FilterLists& to);
// nullptr when there is nothing in it.
FilterChain chain_of(std::vector<Filter> filters);

// What the schema of BGPFilter lets pass although it can match nothing, or ends sessions.
FieldErrors check_filter(const model::BgpFilterSpec& spec);

rib::NextHopMode next_hop_mode_of(const model::BgpPeerSpec& spec, bool is_internal);

// The field of BGPPeer that says what PeerSettings has under this name ("hold_time"); "" when none does.
std::string_view peer_field_of(std::string_view settings_field);

}  // namespace margay::bgp
