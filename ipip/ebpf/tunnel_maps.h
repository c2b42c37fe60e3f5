// TunnelMaps: what the programs look up, as desired state, and the order in which it becomes the kernel's.
//
// Additions go in before anything sends by them, removals come after nobody does: who may send and what we are called,
// then our source, then prefixes; in reverse when they go.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/ip/prefix.h"
#include "dataplane/bpf/map_driver.h"
#include "dataplane/bpf/raw_map.h"
#include "ipip/ebpf/tunnel_layout.h"

namespace margay::ipip {

__u32 raw_of(const IpAddress& address);  // IPv4, network byte order
IpAddress address_of(__u32 raw);
IpAddress plain_node();

struct RouteCodec {
  using Key = IpPrefix;
  using Value = std::optional<IpAddress>;  // the node; nullopt: our own prefix
  using RawKey = RouteKey;
  using RawValue = RouteValue;
  static RawKey key_of(const Key& prefix);
  static RawValue value_of(const Value& node);
  static std::optional<std::pair<Key, Value>> read(const RawKey& key, const RawValue& value);
};

// A set of addresses.
struct AddressCodec {
  using Key = IpAddress;
  using Value = std::monostate;
  using RawKey = __u32;
  using RawValue = __u32;
  static RawKey key_of(const Key& address) { return raw_of(address); }
  static RawValue value_of(const Value&) { return 1; }
  static std::optional<std::pair<Key, Value>> read(RawKey key, RawValue) {
    return std::pair<Key, Value>(address_of(key), std::monostate());
  }
};

// The one element of an array, which cannot be removed.
struct ConfigCodec {
  using Key = __u32;
  using Value = std::optional<IpAddress>;  // the outer source
  using RawKey = __u32;
  using RawValue = TunnelConfig;
  static RawKey key_of(Key index) { return index; }
  static RawValue value_of(const Value& source) { return {source ? raw_of(*source) : 0}; }
  static std::optional<std::pair<Key, Value>> read(RawKey index, const RawValue& value);
};

class TunnelMaps {
 public:
  struct Kernel {
    bpf::RawMap& routes;
    bpf::RawMap& senders;
    bpf::RawMap& addresses;
    bpf::RawMap& config;
  };
  explicit TunnelMaps(Kernel kernel);

  // nullopt: none any more; plain_node(): another node's, in the range of one that is tunnelled, and not tunnelled
  // itself. What is not IPv4 is passed over: IP-in-IP carries nothing else.
  void set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node);
  void set_remotes(const std::map<IpPrefix, IpAddress>& remotes);
  void set_own_prefixes(const std::set<IpPrefix>& prefixes);
  // True: others than before.
  bool set_senders(const std::set<IpAddress>& senders);
  void set_addresses(const std::optional<IpAddress>& source, const std::set<IpAddress>& own);
  [[nodiscard]] const std::set<IpAddress>& senders() const { return senders_; }

  Status resync();
  Status apply_updates(std::size_t& updated);
  Status apply_removes(std::size_t& removed);
  [[nodiscard]] bool is_in_sync() const;

 private:
  void settle(const IpPrefix& prefix);

  std::map<IpPrefix, IpAddress> remotes_;
  std::set<IpPrefix> own_;
  std::set<IpAddress> senders_, addresses_;
  bpf::MapDriver<RouteCodec> route_map_;
  bpf::MapDriver<AddressCodec> sender_map_, address_map_;
  bpf::MapDriver<ConfigCodec> config_map_;
};

}  // namespace margay::ipip
