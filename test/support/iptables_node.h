// IptablesNode: the tables and sets of a node as a renderer told them, and packets that walk through them as they would
// in the kernel: hooks, tables in their order, chains, sets, marks, the state of connections, DNAT on the way.
//
// Everything told is read from its text (iptables_text.h) and held against the kernel's rules: names not too long, no
// jump to a chain and no question to a set that is not there, no chain left that nobody jumps to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/render/iptables_renderer.h"
#include "base/ip/prefix_trie.h"
#include "test/support/iptables_text.h"

namespace margay::test {

struct NodePacket {
  IpAddress source;
  IpAddress destination;  // after DNAT, if there is any
  std::uint8_t protocol = 6;
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 80;
  std::optional<std::uint8_t> icmp_type;
  std::optional<std::uint8_t> icmp_code;
  std::string in;   // interface; "": from a process of the host
  std::string out;  // interface; "": for a process of the host
  std::string state = "NEW";
  std::optional<IpAddress> before_dnat;
  std::uint16_t port_before_dnat = 0;
  bool is_way_back_right = true;  // rpfilter
  bool is_within_limits = true;   // rate limits
  std::uint32_t connections = 0;  // that the endpoint has
  std::uint32_t mark = 0;         // when it comes in
  bool is_by_ipvs = false;        // it left no interface behind, but is not from a process of the host
};

struct Walked {
  enum class End { kAccept, kDrop, kReject };
  End end = End::kAccept;
  std::string where;                  // table, chain and comment of the rule that ended it
  std::vector<std::string> log;       // prefixes
  std::vector<std::string> comments;  // of rules that matched with a target of policy, in order
  bool is_tracked = true;
  bool is_masqueraded = false;
  std::size_t rules = 0;  // looked at

  [[nodiscard]] bool passes() const { return end == End::kAccept; }
};

class IptablesNode {
 public:
  IptablesNode();
  ~IptablesNode();

  // What is wrong afterwards; empty: nothing.
  std::vector<std::string> apply(const render::RenderChange& change);
  [[nodiscard]] Walked walk(const NodePacket& packet) const;

  using Chains = std::map<std::string, std::shared_ptr<const iptables::Chain>>;
  [[nodiscard]] const std::map<iptables::TableId, Chains>& chains() const { return chains_; }
  // One line a rule, "-A margay-x -j DROP", of one chain; "" when there is none.
  [[nodiscard]] std::string text(const iptables::TableId& table, const std::string& chain) const;
  // All tables, hooks and sets: equal nodes have equal ones.
  [[nodiscard]] std::string dump() const;
  // The table as iptables-restore reads it; the sets as ipset restore does.
  [[nodiscard]] std::string restore_input(const iptables::TableId& table) const;
  [[nodiscard]] std::string ipset_input() const;
  [[nodiscard]] const std::set<ipset::Member>* members(const std::string& set) const;

 private:
  struct Set;
  struct Compiled;
  class Walker;
  friend class Walker;

  void apply_sets(const std::map<std::string, render::SetChange>& changes, bool removes,
                  std::vector<std::string>& wrong);
  void apply_table(const iptables::TableId& id, const iptables::TableChange& change, std::vector<std::string>& wrong);
  std::vector<RuleText> compile(const iptables::TableId& id, const std::string& chain,
                                const std::vector<iptables::Rule>& rules, std::vector<std::string>& wrong) const;
  void check(const iptables::TableId& id, std::vector<std::string>& wrong) const;
  void check_rules(const iptables::TableId& id, const std::string& chain, const std::vector<RuleText>& rules,
                   std::vector<std::string>& wrong) const;

  std::map<std::string, Set> sets_;
  std::map<iptables::TableId, Chains> chains_;
  std::map<iptables::TableId, std::map<std::string, iptables::Hook>> hooks_;
  std::map<iptables::TableId, Compiled> compiled_;
};

}  // namespace margay::test
