#include "dataplane/iptables/ruleset_events.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace margay::iptables {
namespace {

constexpr std::array kWatchedTables = {Table::kRaw, Table::kMangle, Table::kNat, Table::kFilter};
constexpr std::array<std::string_view, 5> kKernelChains = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
constexpr std::size_t kOwnMax = 64;  // beyond that nobody listens

constexpr std::uint16_t message_type(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

std::optional<TableId> table_of(const nfgenmsg& head, std::string_view name) {
  if (head.nfgen_family != NFPROTO_IPV4 && head.nfgen_family != NFPROTO_IPV6) return std::nullopt;
  for (const Table table : kWatchedTables) {
    if (to_string(table) != name) continue;
    return TableId{head.nfgen_family == NFPROTO_IPV4 ? IpFamily::kV4 : IpFamily::kV6, table};
  }
  return std::nullopt;
}

bool may_be_ours(std::string_view chain) {
  return chain.starts_with(kChainPrefix) ||
         std::find(kKernelChains.begin(), kKernelChains.end(), chain) != kKernelChains.end();
}

std::string_view text_of(const netlink::MessageView& message, std::uint16_t type) {
  const auto found = netlink::find_attribute(message.attributes<nfgenmsg>(), type);
  return found ? found->text() : std::string_view();
}

// The table that the message says something of, where that may concern us.
std::optional<TableId> touched_table(const netlink::MessageView& message, const nfgenmsg& head) {
  switch (message.type & 0xff) {
    case NFT_MSG_DELTABLE: return table_of(head, text_of(message, NFTA_TABLE_NAME));
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_DELCHAIN:
      if (!may_be_ours(text_of(message, NFTA_CHAIN_NAME))) return std::nullopt;
      return table_of(head, text_of(message, NFTA_CHAIN_TABLE));
    case NFT_MSG_NEWRULE:
    case NFT_MSG_DELRULE:
      if (!may_be_ours(text_of(message, NFTA_RULE_CHAIN))) return std::nullopt;
      return table_of(head, text_of(message, NFTA_RULE_TABLE));
    default: return std::nullopt;
  }
}

std::optional<std::uint32_t> generation_of(const netlink::MessageView& message) {
  const auto found = netlink::find_attribute(message.attributes<nfgenmsg>(), NFTA_GEN_ID);
  return found ? found->be32() : std::nullopt;
}

// Numbers go round.
bool is_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

bool RulesetEvents::is_own(std::uint32_t generation) {
  while (!own_.empty() && is_before(own_.front().second, generation)) own_.pop_front();
  return !own_.empty() && !is_before(generation, own_.front().first);
}

std::set<TableId> RulesetEvents::note(const netlink::MessageView& message) {
  const auto head = message.header<nfgenmsg>();
  if (!head || message.type >> 8 != NFNL_SUBSYS_NFTABLES) return {};
  if (message.type != message_type(NFT_MSG_NEWGEN)) {
    if (const auto table = touched_table(message, *head)) touched_.insert(*table);
    return {};
  }
  const auto generation = generation_of(message);
  std::set<TableId> touched = std::exchange(touched_, {});
  if (generation && is_own(*generation)) touched.clear();
  return touched;
}

void RulesetEvents::note_own(std::uint32_t generation, std::uint64_t count) {
  if (count == 0) return;
  own_.emplace_back(generation - static_cast<std::uint32_t>(count) + 1, generation);
  if (own_.size() > kOwnMax) own_.pop_front();
}

std::set<TableId> RulesetEvents::note_lost() {
  touched_.clear();
  std::set<TableId> all;
  for (const Table table : kWatchedTables) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) all.insert({family, table});
  }
  return all;
}

Result<std::uint32_t> ruleset_generation(netlink::Netlink& kernel) {
  netlink::Batch request;
  {
    netlink::Request asked = request.add(message_type(NFT_MSG_GETGEN), 0);
    asked.header(nfgenmsg{.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0, .res_id = 0});
  }
  std::optional<std::uint32_t> generation;
  MARGAY_RETURN_IF_ERROR(
      kernel.ask(request, [&](const netlink::MessageView& message) { generation = generation_of(message); }));
  if (!generation) return Error{ErrorCode::kUnsupported, "the kernel does not number its rule sets"};
  return *generation;
}

}  // namespace margay::iptables
