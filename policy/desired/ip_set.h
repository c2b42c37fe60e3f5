// IpSet: addresses, networks, or (address, protocol, port) triples that rules refer to by IpSetId.
#pragma once

#include <compare>
#include <string>
#include <utility>
#include <vector>

#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/values.h"
#include "policy/desired/rule.h"

namespace margay::policy {

enum class IpSetKind {
  kNets,   // members have neither protocol nor port
  kPorts,  // members are single addresses with protocol and port
};

struct IpSetMember {
  IpPrefix net;
  model::Protocol protocol;  // 0: none
  Port port;                 // 0: none

  // "10.0.0.0/8", "10.0.0.1,tcp:80"
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const IpSetMember&, const IpSetMember&) = default;
  template <class H>
  friend H AbslHashValue(H state, const IpSetMember& m) {
    return H::combine(std::move(state), m.net, m.protocol.number(), m.port);
  }
};

// What is to change in one set. Members are sorted, each once, and in one of the lists only.
//
// Two changes in a row are one, so a set that came and went in between is removed without ever having been there, and
// one that went and came is created where it still is: then it is replaced.
struct IpSetDelta {
  enum class What {
    kCreate,  // `added` is the whole content, whatever was there before
    kUpdate,
    kRemove,  // the set goes, if it is there; the lists are empty
  };
  What what = What::kUpdate;
  IpSetKind kind = IpSetKind::kNets;
  std::vector<IpSetMember> added;
  std::vector<IpSetMember> removed;

  // This and then `later`, as one.
  void merge(IpSetDelta later);
  friend bool operator==(const IpSetDelta&, const IpSetDelta&) = default;
};

}  // namespace margay::policy
