// Export: whether a path is told to a group of peers, and with which attributes and next hop.
//
// A group's members differ only in who they are, so one answer serves all: ExportKey holds everything else that
// changes an answer or its bytes. Who must not hear a route (its source, its originator) is left to the group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/filter/filter.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/tables.h"
#include "bgp/wire/encode.h"

namespace margay::bgp::rib {

struct ExportKey {
  EncodeContext encode;
  PerFamily<bool> families;
  PerFamily<FilterChain> chain;
  PerFamily<std::optional<NextHop>> self;
  PerFamily<bool> long_lived;  // RFC 9494: takes long-lived stale routes
  std::optional<IpAddress>
      link_address;  // ours on the link that the peers are on; nullopt: next hops there do not count
  std::optional<RouterId> cluster_id;
  RouterId router_id;
  Asn local_asn;  // as the peers know us
  NextHopMode next_hop_mode = NextHopMode::kAuto;
  std::uint32_t send_paths_max = 1;
  bool is_internal = false;
  bool is_client = false;
  bool requires_policy = false;
  bool calico_local_pref = true;
  bool graceful_shutdown = false;
  friend bool operator==(const ExportKey&, const ExportKey&) = default;
};
ExportKey make_export_key(const PeerPolicy& policy, const PeerSession& session, const RibConfig& config);

// `attributes` kNoId: not told.
struct ExportResult {
  AttributeId attributes = kNoId;
  NextHopId next_hop = kNoId;
  std::string_view reason;  // why not, for people
  std::string_view filter;
};

// Answers of one policy, remembered while a change is worked off: many prefixes share attributes. Whatever is in it
// holds references. One for all policies, which take turns.
class ExportMemo {
 public:
  struct Question {
    AttributeId attributes = kNoId;
    NextHopId next_hop = kNoId;
    std::uint32_t interface = 0;
    PeerId peer = kNoPeer;
    Family family = Family::kIpv4Unicast;  // our own routes of both may have equal attributes
    bool is_long_lived = false;
    const FilterRule* rule = nullptr;  // that decided, where the filter looks at the prefix
    friend bool operator==(const Question&, const Question&) = default;
  };

  explicit ExportMemo(Tables& tables) : tables_(tables) {}
  ~ExportMemo() { forget(); }
  ExportMemo(const ExportMemo&) = delete;
  ExportMemo& operator=(const ExportMemo&) = delete;

  const ExportResult* find(const Question& question) const;
  // Takes over the result's references, until the same place is needed for another or forget().
  void put(const Question& question, const ExportResult& result);
  void forget();

 private:
  struct Answer {
    Question question;
    ExportResult result;
    bool is_set = false;
  };
  static std::size_t place_of(const Question& question);
  void release(Answer& answer);

  Tables& tables_;
  std::vector<Answer> answers_ = std::vector<Answer>(256);
  std::vector<std::size_t> used_;
};

class ExportPolicy {
 public:
  ExportPolicy(Tables& tables, ExportMemo& memo, ExportKey key);

  [[nodiscard]] const ExportKey& key() const { return key_; }
  // The references belong to the memo: who keeps the ids retains them before the next question. Before another policy
  // asks, the memo must be told to forget.
  ExportResult evaluate(Family family, PrefixId prefix, const Path& path);
  void forget() { memo_.forget(); }

 private:
  [[nodiscard]] std::string_view refusal(Family family, const Path& path) const;
  [[nodiscard]] std::optional<NextHop> next_hop_for(Family family, const Path& path) const;
  [[nodiscard]] bool is_on_link(const Path& path) const;
  [[nodiscard]] Verdict verdict_of(Family family, PrefixId prefix, const Path& path) const;
  [[nodiscard]] ExportResult compute(Family family, PrefixId prefix, const Path& path);
  AttributeId attributes_at_once(const Path& path);
  AttributeId attributes_for(const Path& path, const Verdict& verdict);
  void finish_internal(AttributeEditor& editor, const Path& path) const;
  [[nodiscard]] bool fits(AttributeId attributes) const;

  Tables& tables_;
  ExportMemo& memo_;
  ExportKey key_;
  PerFamily<bool> looks_at_prefix_;
  std::string scratch_;
};

}  // namespace margay::bgp::rib
