// PeerObject: a BGPPeer that is ready to be asked whom it is for. Problems: what is wrong with which object. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/core/field_error.h"
#include "base/core/string_map.h"
#include "datastore/model/bgp_peer.h"
#include "datastore/model/key.h"
#include "datastore/selector/selector.h"

namespace margay::agent {

using Problems = std::map<model::ObjectKey, FieldErrors>;
// Each once.
void add_problem(Problems& problems, const model::ObjectKey& object, FieldError error);

struct PeerObject {
  std::string name;
  model::BgpPeerSpec spec;
  std::optional<selector::Selector> node_selector, peer_selector, workload_selector;
  FieldErrors errors;  // not empty: it counts as absent

  // Whether a node is one that the object is for.
  [[nodiscard]] bool is_for(const std::string& node, const StringMap& labels) const;
  [[nodiscard]] bool selects_peer(const StringMap& labels) const {
    return errors.empty() && peer_selector && peer_selector->matches(labels);
  }
  [[nodiscard]] model::ObjectKey key() const;
};
PeerObject peer_object_of(const std::string& name, const model::BgpPeer& object);

}  // namespace margay::agent
