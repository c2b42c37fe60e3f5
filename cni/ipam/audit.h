// Audit: blocks, affinities, handles, pods and nodes held against each other: what is leaked, missing, or
// contradictory. What `netctl ipam check` shows, and what clean-up works from. Pure.
//
// What is read object by object is never of one moment: a finding may be a change under way. A release from a finding
// is safe all the same: it names handle and sequence number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cni/ipam/block.h"
#include "cni/ipam/utilization.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"

namespace margay::ipam {

enum class FindingKind {
  kLeakedAddress,     // given, but nobody uses it
  kUnknownAddress,    // used, and in a pool, but not given
  kOutsidePools,      // used, and in no pool
  kWrongHandle,       // used by another than the one it was given to
  kEmptyHandle,       // a handle that has no address
  kMissingHandle,     // an address whose handle is not there
  kBadBlock,          // contradicts itself
  kLostAffinity,      // a block says it is a node's, and no affinity says so
  kDanglingAffinity,  // an affinity without its block
  kBlockOutsidePools,
};
std::string_view to_string(FindingKind kind);

struct AuditFinding {
  FindingKind kind;
  std::string what;  // for people
  std::optional<IpAddress> address{};
  std::string handle{};
  std::optional<std::int64_t> sequence{};  // of the allocation, for a safe release
  std::optional<IpPrefix> block{};
};

// Something that uses an address.
struct AddressUser {
  std::string name;      // "pod default/web", "node n1 (tunnel)"
  std::string handle{};  // when it is known
  std::string pod{};     // "default/web"
};

struct AuditInput {
  std::vector<const model::IpPool*> pools;
  std::vector<const model::IpamBlockSpec*> blocks;
  std::vector<const model::BlockAffinitySpec*> affinities;
  std::vector<const model::IpamHandleSpec*> handles;
  std::map<IpAddress, AddressUser> users;
};

struct AuditReport {
  std::size_t blocks = 0, allocations = 0, handles = 0, users = 0;
  std::map<std::string, std::size_t> by_node;  // allocations
  std::map<IpAddress, std::string> given;      // to whom: "pod default/web"
  std::vector<AuditFinding> findings;          // by kind, then in order of address
};

AuditReport audit(const AuditInput& input);

}  // namespace margay::ipam
