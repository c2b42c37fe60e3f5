// SetIndex: the members of every IP set that somebody uses, over all endpoints and network sets of the cluster, kept
// while these change.
//
//   put_item, remove_item, put_parent …  ┐                       ┌──▶ take(): map of IpSetId to IpSetDelta
//   put_slice, put_node                  ├── SetIndex ───────────┘
//   add_set(id, source), remove_set(id)  ┘
//
// A member that several items give leaves with the last. With `suppress_nested` a network that lies in
// another member of its set is left out until that one goes (interval sets of nftables refuse overlaps; others lose
// nothing). Members change only in sets that were added: nobody pays for the others.
//
// Pure, one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/string_map.h"
#include "base/ip/prefix.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/service.h"
#include "datastore/selector/selector.h"
#include "policy/desired/ip_set.h"
#include "policy/index/label_index.h"

namespace margay::policy {

// What a set contains.
struct SelectorSource {
  selector::Selector selector;  // the addresses of endpoints and the nets of network sets that it picks
};
struct NamedPortSource {
  selector::Selector selector;  // of the endpoints it picks, (address, protocol, port) of the ports with this name
  model::Protocol protocol;
  std::string port_name;
};
struct ServiceSource {
  std::string name_space;
  std::string name;
  bool with_ports = true;  // false: the addresses alone
};
// The addresses of the nodes that it picks, by what put_node() gave them; endpoints and network sets are never among
// them, nor are nodes ever in the other sets.
struct NodesSource {
  selector::Selector selector;
};
using SetSource = std::variant<SelectorSource, NamedPortSource, ServiceSource, NodesSource>;

// The id that stands for this source wherever it is used: "s:", "n:", "svc:" or "svcnoport:" and base64url(sha224(…)),
// as in Calico, so that both can be compared; and "nodes:", which Calico does not have.
IpSetId id_of(const SetSource& source);

struct SetItem {
  StringMap labels;
  std::vector<std::string> parents;
  std::vector<IpPrefix> nets;
  std::vector<model::EndpointPort> ports;  // named
};

class SetIndex {
 public:
  struct Options {
    bool suppress_nested = true;
  };

  explicit SetIndex(Options options);
  ~SetIndex();
  SetIndex(const SetIndex&) = delete;
  SetIndex& operator=(const SetIndex&) = delete;

  void put_item(ItemId id, const SetItem& item);
  void remove_item(ItemId id);
  void put_parent(std::string_view name, const StringMap& labels);
  void remove_parent(std::string_view name);
  void put_slice(const std::string& key, const model::EndpointSlice& slice);
  void remove_slice(const std::string& key);
  void put_node(const std::string& name, const StringMap& labels, const std::vector<IpAddress>& addresses);
  void remove_node(const std::string& name);

  // A set is there as long as it was added more often than removed.
  void add_set(const IpSetId& id, const SetSource& source);
  void share_set(const IpSetId& id);  // adds one that is there
  void remove_set(const IpSetId& id);

  // What changed since the last call; sets that are added come whole.
  std::map<IpSetId, IpSetDelta> take();
  // All members of one set, sorted; empty when it is not there.
  [[nodiscard]] std::vector<IpSetMember> members_of(const IpSetId& id) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::policy
