// BGPFilter (projectcalico.org/v3): rules on the routes sent to and taken from the peers that name it. The first rule
// that matches decides; all of a rule's matches must hold, and an absent one always does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class FilterMatchOperator { kEqual, kNotEqual, kIn, kNotIn };
template <>
struct EnumText<FilterMatchOperator> {
  static constexpr std::string_view kWords[] = {"Equal", "NotEqual", "In", "NotIn"};
};

enum class FilterSource { kRemotePeers };
template <>
struct EnumText<FilterSource> {
  static constexpr std::string_view kWords[] = {"RemotePeers"};
};

enum class FilterPeerType { kEbgp, kIbgp };
template <>
struct EnumText<FilterPeerType> {
  static constexpr std::string_view kWords[] = {"eBGP", "iBGP"};
};

enum class FilterAction { kAccept, kReject };
template <>
struct EnumText<FilterAction> {
  static constexpr std::string_view kWords[] = {"Accept", "Reject"};
};

struct PrefixLengthRange {
  std::optional<std::int32_t> min;  // that of the rule's cidr
  std::optional<std::int32_t> max;  // 32 or 128

  friend bool operator==(const PrefixLengthRange&, const PrefixLengthRange&) = default;
};

struct FilterCommunities {
  std::vector<Community> values;  // exactly one

  friend bool operator==(const FilterCommunities&, const FilterCommunities&) = default;
};

struct AddCommunity {
  Community value = Community::standard(0, 0);

  friend bool operator==(const AddCommunity&, const AddCommunity&) = default;
};

struct PrependAsPath {
  std::vector<Asn> prefix;  // ends up in this order before the path; 1 to 10

  friend bool operator==(const PrependAsPath&, const PrependAsPath&) = default;
};

struct SetPriority {
  std::int32_t value = 0;  // kernel metric

  friend bool operator==(const SetPriority&, const SetPriority&) = default;
};

// Exactly one is given.
struct FilterOperation {
  std::optional<AddCommunity> add_community;
  std::optional<PrependAsPath> prepend_as_path;
  std::optional<SetPriority> set_priority;

  friend bool operator==(const FilterOperation&, const FilterOperation&) = default;
};

struct BgpFilterRule {
  std::optional<IpPrefix> cidr;
  std::optional<PrefixLengthRange> prefix_length;
  std::optional<FilterSource> source;
  std::string interface;                              // pattern with "*"
  std::optional<FilterMatchOperator> match_operator;  // given exactly with cidr
  std::optional<FilterPeerType> peer_type;
  std::optional<FilterCommunities> communities;
  std::vector<Asn> as_path_prefix;
  std::optional<std::int32_t> priority;  // kernel metric
  FilterAction action = FilterAction::kAccept;
  std::vector<FilterOperation> operations;  // in order, only with Accept

  friend bool operator==(const BgpFilterRule&, const BgpFilterRule&) = default;
};

struct BgpFilterSpec {
  std::vector<BgpFilterRule> export_v4;
  std::vector<BgpFilterRule> import_v4;
  std::vector<BgpFilterRule> export_v6;
  std::vector<BgpFilterRule> import_v6;

  friend bool operator==(const BgpFilterSpec&, const BgpFilterSpec&) = default;
};

struct BgpFilter {
  static constexpr Kind kKind = Kind::kBgpFilter;

  ObjectMeta metadata;
  BgpFilterSpec spec;
  ConditionsStatus status;

  friend bool operator==(const BgpFilter&, const BgpFilter&) = default;
};

}  // namespace margay::model
