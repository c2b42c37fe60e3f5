// Filters: ordered rules on routes, with the matches, operators and operations of the API kind BGPFilter.
//
// A chain of filters is looked at rule by rule; the first rule that matches decides. With no match the route is
// accepted unchanged by this chain (the caller's own rules follow). "Priority" is the kernel metric that Calico carries
// in LOCAL_PREF on iBGP: priority = 2147483647 - local_pref. Pure. Source: projectcalico.org/v3 BGPFilter, RFC 4271
// §5.1.2.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/wire/attributes.h"

namespace margay::bgp {

inline constexpr std::uint32_t kLocalPrefOfPriorityZero = 2147483647;

enum class MatchOperator : std::uint8_t { kEqual, kNotEqual, kIn, kNotIn };
enum class PeerType : std::uint8_t { kInternal, kExternal };
using AnyCommunity = std::variant<std::uint32_t, LargeCommunity>;

struct FilterOperation {
  std::optional<AnyCommunity> add_community;
  std::vector<Asn> prepend;  // 1 to 10, ends up in this order before the path
  std::optional<std::uint32_t> set_priority;
  friend bool operator==(const FilterOperation&, const FilterOperation&) = default;
};

// All matches that are given must hold.
struct FilterRule {
  std::optional<IpPrefix> cidr;
  MatchOperator cidr_operator = MatchOperator::kEqual;
  // Of the route's prefix; only looked at with a cidr. Defaults: the cidr's length (never less) and 32 or 128. NotIn
  // and NotEqual negate the whole: cidr and lengths together.
  std::optional<int> length_min;
  std::optional<int> length_max;
  bool only_from_peers = false;  // source: RemotePeers
  std::string interface;         // pattern with "*" and "?", never true of an unknown interface; empty: any
  std::optional<PeerType> peer_type;
  std::optional<AnyCommunity> community;
  std::vector<Asn> as_path_prefix;
  std::optional<std::uint32_t> priority;
  bool accept = true;
  std::vector<FilterOperation> operations;  // in order, only with accept
  friend bool operator==(const FilterRule&, const FilterRule&) = default;
};

// The rules of one direction and family, named for people.
struct Filter {
  std::string name;
  std::vector<FilterRule> rules;
  friend bool operator==(const Filter&, const Filter&) = default;
};
// In order; immutable and shared, equal pointers mean equal chains.
using FilterChain = std::shared_ptr<const std::vector<Filter>>;

struct RouteFacts {
  IpPrefix prefix;
  AttributeView attributes;
  bool from_peer = false;                    // learnt by BGP, not local
  std::string_view interface;                // it leads out of; empty: not known
  PeerType peer_type = PeerType::kInternal;  // of the peer it comes from or goes to
  std::uint32_t priority = 1024;             // kernel metric, also what LOCAL_PREF stands for
};

struct Verdict {
  bool accept = true;
  const FilterRule* rule = nullptr;  // that decided; nullptr: none matched
  std::string_view filter;           // its filter's name
  [[nodiscard]] bool changes() const { return rule != nullptr && accept && !rule->operations.empty(); }
};

// `chain` may be null: accepts all.
Verdict evaluate(const FilterChain& chain, const RouteFacts& route);
// Does a rule's operations to the attributes; `priority` is changed by set_priority (the caller turns it into
// LOCAL_PREF or a kernel metric).
void apply(const FilterRule& rule, AttributeEditor& attributes, std::uint32_t& priority);
// True if a verdict of this chain can differ between destinations of which all of RouteFacts but prefix and interface
// is equal; if not, callers may keep verdicts by attributes (and from_peer, peer_type and priority, where those vary).
bool looks_at_prefix(const FilterChain& chain);

}  // namespace margay::bgp
