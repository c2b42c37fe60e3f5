// Who uses an address: whom it was given to, as its block says, and what pods and nodes say of themselves. The one
// judgement that clean-up and `netctl ipam check` work from. Pure.
//
// "Not used" is said only of what is understood: an address whose attributes name neither a pod nor a tunnel is
// somebody else's affair (kOther), and so are those of virtual machines, which live longer than their pods.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "cni/ipam/names.h"
#include "datastore/model/ipam.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::ipam {

struct AddressOwner {
  enum class Kind { kPod, kTunnel, kOther };
  Kind kind = Kind::kOther;
  std::string node{};                  // whose agent gave it; "": not said
  std::string name_space{};            // kPod
  std::string pod{};                   // kPod
  std::optional<TunnelKind> tunnel{};  // kTunnel

  friend bool operator==(const AddressOwner&, const AddressOwner&) = default;
};
AddressOwner owner_of(const model::AllocationAttribute& attribute);

// What a pod's status and annotations say; a pod that is over, or is in its node's network, has none of ours.
std::vector<IpAddress> addresses_of(const model::Pod& pod);
std::optional<IpAddress> tunnel_address(const model::Node& node, TunnelKind kind);
// Of every kind.
std::vector<IpAddress> tunnel_addresses(const model::Node& node);

// `pod`: the one of the owner's name as it is now; nullptr: there is none. A pod that does not say yet which addresses
// it has may have any of those that were given to its name on its node.
bool uses(const model::Pod* pod, const AddressOwner& owner, const IpAddress& address);
bool uses(const model::Node* node, const AddressOwner& owner, const IpAddress& address);

}  // namespace margay::ipam
