// Path attributes, kept as bytes in a canonical form and looked at through AttributeView.
//
// Canonical form: attributes in ascending type order, at most one of a type; flags as each type's definition has them
// (Partial kept on optional transitive ones, RFC 4271 §5; always set on unknown ones), Extended Length only where the
// value is longer than 255 bytes; AS_PATH and AGGREGATOR with four-octet numbers (RFC 6793); communities of all kinds
// sorted and without repeats. Never inside: NEXT_HOP, MP_REACH_NLRI, MP_UNREACH_NLRI (they belong to a destination, see
// Update), AS4_PATH, AS4_AGGREGATOR (merged). So two routes have equal attributes exactly when their bytes are equal.
//
// The decoder makes this form and AttributeEditor keeps it; a view trusts it and never reads past its end.
// Pure; source: RFC 4271 §4.3 and §5, RFC 1997, 4360, 4456, 6793, 8092.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes/reader.h"
#include "base/ip/asn.h"

namespace margay::bgp {

enum class AttributeType : std::uint8_t {
  kOrigin = 1,
  kAsPath = 2,
  kNextHop = 3,
  kMultiExitDisc = 4,
  kLocalPref = 5,
  kAtomicAggregate = 6,
  kAggregator = 7,
  kCommunities = 8,
  kOriginatorId = 9,
  kClusterList = 10,
  kMpReachNlri = 14,
  kMpUnreachNlri = 15,
  kExtendedCommunities = 16,
  kAs4Path = 17,
  kAs4Aggregator = 18,
  kPmsiTunnel = 22,
  kTunnelEncapsulation = 23,
  kIpv6ExtendedCommunities = 25,
  kAigp = 26,
  kBgpLs = 29,
  kLargeCommunities = 32,
  kOnlyToCustomer = 35,
  kPrefixSid = 40,
};

// RFC 4271 §4.3.
inline constexpr std::uint8_t kFlagOptional = 0x80;
inline constexpr std::uint8_t kFlagTransitive = 0x40;
inline constexpr std::uint8_t kFlagPartial = 0x20;
inline constexpr std::uint8_t kFlagExtendedLength = 0x10;

enum class Origin : std::uint8_t { kIgp = 0, kEgp = 1, kIncomplete = 2 };
enum class SegmentType : std::uint8_t { kSet = 1, kSequence = 2, kConfedSequence = 3, kConfedSet = 4 };

// Well-known communities: RFC 1997, 3765, 7999, 8326, 9494.
inline constexpr std::uint32_t kNoExport = 0xffffff01;
inline constexpr std::uint32_t kNoAdvertise = 0xffffff02;
inline constexpr std::uint32_t kNoExportSubconfed = 0xffffff03;
inline constexpr std::uint32_t kNoPeer = 0xffffff04;
inline constexpr std::uint32_t kBlackhole = 0xffff029a;
inline constexpr std::uint32_t kGracefulShutdown = 0xffff0000;
inline constexpr std::uint32_t kLlgrStale = 0xffff0006;
inline constexpr std::uint32_t kNoLlgr = 0xffff0007;

// RFC 8092: global administrator and two local parts.
struct LargeCommunity {
  std::uint32_t global = 0, local1 = 0, local2 = 0;
  friend constexpr auto operator<=>(const LargeCommunity&, const LargeCommunity&) = default;
};

// The value of AS_PATH: segments of four-octet numbers.
class AsPathView {
 public:
  AsPathView() = default;
  explicit AsPathView(bytes::View value) : value_(value) {}
  // What the decision process counts: a set is one, confederation segments none (RFC 4271 §9.1.2.2, RFC 5065 §5.3).
  [[nodiscard]] std::size_t length() const;
  // The leftmost number of the first sequence; nullopt for an empty path or one that begins with a set.
  [[nodiscard]] std::optional<Asn> first() const;
  // The rightmost; nullopt for an empty path.
  [[nodiscard]] std::optional<Asn> last() const;
  [[nodiscard]] std::size_t count(Asn asn) const;
  // The first numbers, in order; nothing of a set is taken.
  [[nodiscard]] bool starts_with(std::span<const Asn> prefix) const;
  [[nodiscard]] bool empty() const { return value_.empty(); }
  [[nodiscard]] std::vector<Asn> numbers() const;  // all, sets flattened
  // "64512 65001 {65002,65003}"
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bytes::View bytes() const { return value_; }

 private:
  bytes::View value_;
};

// Looks at attributes in canonical form. Cheap to copy; the bytes belong to somebody else.
class AttributeView {
 public:
  AttributeView() = default;
  explicit AttributeView(bytes::View canonical) : bytes_(canonical) {}

  // The value of an attribute; nullopt when absent.
  [[nodiscard]] std::optional<bytes::View> find(AttributeType type) const;
  [[nodiscard]] Origin origin() const;  // kIncomplete when absent
  [[nodiscard]] AsPathView as_path() const;
  [[nodiscard]] std::optional<std::uint32_t> med() const;
  [[nodiscard]] std::optional<std::uint32_t> local_pref() const;
  [[nodiscard]] std::optional<RouterId> originator_id() const;
  [[nodiscard]] std::size_t cluster_list_length() const;
  [[nodiscard]] bool cluster_list_contains(RouterId cluster) const;
  [[nodiscard]] bool has_community(std::uint32_t community) const;
  [[nodiscard]] bool has_community(const LargeCommunity& community) const;
  [[nodiscard]] std::vector<std::uint32_t> communities() const;
  [[nodiscard]] std::vector<LargeCommunity> large_communities() const;
  [[nodiscard]] std::vector<std::uint64_t> extended_communities() const;
  [[nodiscard]] bytes::View bytes() const { return bytes_; }

 private:
  bytes::View bytes_;
};

// Changes attributes and gives the new canonical bytes. What is set replaces what was there.
class AttributeEditor {
 public:
  AttributeEditor() = default;
  explicit AttributeEditor(AttributeView from);

  // For a type this module knows, `value` must be well-formed: our own mistake otherwise.
  void set(AttributeType type, bytes::View value);
  void remove(AttributeType type);
  // Non-transitive ones and what is meaningless outside the AS; for routes that leave it (RFC 4271 §5, RFC 4360 §6).
  void remove_for_ebgp();
  void set_origin(Origin origin);
  void set_as_path(std::span<const Asn> sequence);  // one sequence; empty: an empty path
  void prepend(std::span<const Asn> numbers);       // ends up in this order before the path
  void set_med(std::optional<std::uint32_t> med);
  void set_local_pref(std::optional<std::uint32_t> local_pref);
  void set_originator_id(RouterId id);
  void prepend_cluster(RouterId cluster);
  void add_community(std::uint32_t community);
  void remove_community(std::uint32_t community);
  void add_community(const LargeCommunity& community);
  void add_extended_community(std::uint64_t community);

  [[nodiscard]] std::string finish() const;

 private:
  std::string bytes_;  // canonical after every call
};

}  // namespace margay::bgp
