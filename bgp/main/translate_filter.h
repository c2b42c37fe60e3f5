// From BGPFilter objects to the chains of the speaker.
#pragma once

#include <vector>

#include "bgp/filter/filter.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/values.h"

namespace margay::bgpd {

bgp::AnyCommunity translate(const model::Community& community);
// The rules of one direction and family.
bgp::Filter translate_filter(const std::string& name, const std::vector<model::BgpFilterRule>& rules);

}  // namespace margay::bgpd
