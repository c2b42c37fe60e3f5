#include "test/support/iptables_node.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/core/text.h"

namespace margay::test {
namespace {

using iptables::Table;
using iptables::TableId;
using What = RuleMatch::What;

constexpr std::size_t kErrorsMax = 20;

std::string_view word(Table table) {
  switch (table) {
    case Table::kRaw: return "raw";
    case Table::kMangle: return "mangle";
    case Table::kNat: return "nat";
    case Table::kFilter: break;
  }
  return "filter";
}

std::string place(const TableId& id, std::string_view chain) {
  return concat(to_string(id.family), ' ', word(id.table), ' ', chain);
}

bool is_builtin(const std::string& target) {
  static const std::set<std::string> kTargets = {"",    "ACCEPT", "DROP", "RETURN",     "MARK",
                                                 "LOG", "REJECT", "CT",   "MASQUERADE", "SNAT"};
  return kTargets.contains(target);
}

// Chains that are there whether or not somebody jumps to them.
bool is_static(const std::string& chain) {
  static const std::set<std::string> kStatic = {"margay-failsafe-in", "margay-failsafe-out", "margay-rpf-skip"};
  return kStatic.contains(chain);
}

}  // namespace

struct IptablesNode::Set {
  ipset::SetSpec spec;
  std::set<ipset::Member> members;
  PrefixTrie<bool> nets;

  void add(const ipset::Member& member) {
    members.insert(member);
    nets.insert(member.net, true);
  }
  void remove(const ipset::Member& member) {
    members.erase(member);
    nets.erase(member.net);
  }
};

struct IptablesNode::Compiled {
  struct Chain {
    std::vector<RuleText> rules;
    std::vector<const Chain*> targets;  // of each rule; null where it is none of ours
    std::shared_ptr<const iptables::Chain> source;
  };
  struct Hook {
    Chain first;
    Chain last;
  };
  std::unordered_map<std::string, Chain> chains;
  std::map<std::string, Hook> hooks;

  void link(Chain& chain) {
    chain.targets.clear();
    for (const RuleText& rule : chain.rules) {
      const auto at = chains.find(rule.target);
      chain.targets.push_back(at == chains.end() ? nullptr : &at->second);
    }
  }
  void link_all() {
    for (auto& [name, chain] : chains) link(chain);
    for (auto& [name, hook] : hooks) link(hook.first), link(hook.last);
  }
};

IptablesNode::IptablesNode() = default;
IptablesNode::~IptablesNode() = default;

std::vector<std::string> IptablesNode::apply(const render::RenderChange& change) {
  std::vector<std::string> wrong;
  apply_sets(change.sets, false, wrong);
  for (const auto& [id, table] : change.tables) apply_table(id, table, wrong);
  // Rules that look into a set which is about to go keep it.
  apply_sets(change.sets, true, wrong);
  for (const auto& [id, table] : chains_) check(id, wrong);
  if (wrong.size() > kErrorsMax) wrong.resize(kErrorsMax);
  return wrong;
}

void IptablesNode::apply_sets(const std::map<std::string, render::SetChange>& changes, bool removes,
                              std::vector<std::string>& wrong) {
  for (const auto& [name, change] : changes) {
    const bool is_removal = change.what == render::SetChange::What::kRemove;
    if (is_removal != removes) continue;
    if (is_removal) {
      sets_.erase(name);
      continue;
    }
    if (name.size() >= ipset::kSetNameMax) wrong.push_back(concat("set ", name, ": name too long"));
    if (change.what == render::SetChange::What::kReplace)
      sets_[name] = Set{.spec = change.spec, .members = {}, .nets = {}};
    const auto at = sets_.find(name);
    if (at == sets_.end()) {
      wrong.push_back(concat("set ", name, " changes and is not there"));
      continue;
    }
    for (const ipset::Member& member : change.removed) at->second.remove(member);
    for (const ipset::Member& member : change.added) {
      if (member.net.family() != change.spec.family) wrong.push_back(concat("set ", name, ": the other family"));
      at->second.add(member);
    }
  }
}

std::vector<RuleText> IptablesNode::compile(const TableId& id, const std::string& chain,
                                            const std::vector<iptables::Rule>& rules,
                                            std::vector<std::string>& wrong) const {
  std::vector<RuleText> out;
  for (const iptables::Rule& rule : rules) {
    Result<RuleText> parsed = parse_rule(rule.spec, id.family);
    if (!parsed.ok()) wrong.push_back(concat(place(id, chain), ": ", rule.spec, ": ", parsed.error().message));
    out.push_back(parsed.ok() ? std::move(parsed).value() : RuleText());
  }
  return out;
}

void IptablesNode::apply_table(const TableId& id, const iptables::TableChange& change,
                               std::vector<std::string>& wrong) {
  Compiled& compiled = compiled_[id];
  for (const auto& [name, chain] : change.chains) {
    if (chain == nullptr) {
      if (chains_[id].erase(name) == 0) wrong.push_back(concat(place(id, name), ": goes and is not there"));
      compiled.chains.erase(name);
      continue;
    }
    if (name != chain->name) wrong.push_back(concat(place(id, name), ": is called ", chain->name));
    if (name.size() >= iptables::kChainNameMax) wrong.push_back(concat(place(id, name), ": name too long"));
    const auto at = chains_[id].find(name);
    if (at != chains_[id].end() && *at->second == *chain) wrong.push_back(concat(place(id, name), ": did not change"));
    chains_[id][name] = chain;
    compiled.chains[name] = {.rules = compile(id, name, chain->rules, wrong), .targets = {}, .source = chain};
  }
  for (const auto& [name, hook] : change.hooks) {
    hooks_[id][name] = hook;
    compiled.hooks[name] = {.first = {.rules = compile(id, name, hook.first, wrong), .targets = {}, .source = nullptr},
                            .last = {.rules = compile(id, name, hook.last, wrong), .targets = {}, .source = nullptr}};
  }
  compiled.link_all();
}

void IptablesNode::check_rules(const TableId& id, const std::string& chain, const std::vector<RuleText>& rules,
                               std::vector<std::string>& wrong) const {
  const Chains& chains = chains_.at(id);
  for (const RuleText& rule : rules) {
    if (!is_builtin(rule.target) && !chains.contains(rule.target)) {
      wrong.push_back(concat(place(id, chain), ": jumps to ", rule.target, ", which is not there"));
    }
    if (rule.target == "REJECT" && id.table != Table::kFilter) wrong.push_back(concat(place(id, chain), ": REJECT"));
    if (rule.target == "CT" && id.table != Table::kRaw) wrong.push_back(concat(place(id, chain), ": CT"));
    for (const RuleMatch& match : rule.matches) {
      if (match.what != What::kSet) continue;
      const auto at = sets_.find(match.text);
      if (at == sets_.end()) {
        wrong.push_back(concat(place(id, chain), ": set ", match.text, " is not there"));
      } else if (at->second.spec.family != id.family) {
        wrong.push_back(concat(place(id, chain), ": set ", match.text, " is of the other family"));
      }
    }
  }
}

void IptablesNode::check(const TableId& id, std::vector<std::string>& wrong) const {
  const Compiled& compiled = compiled_.at(id);
  std::vector<const std::vector<RuleText>*> open;
  for (const auto& [name, hook] : compiled.hooks) {
    for (const Compiled::Chain* part : {&hook.first, &hook.last}) {
      check_rules(id, name, part->rules, wrong);
      open.push_back(&part->rules);
    }
  }
  for (const auto& [name, chain] : compiled.chains) check_rules(id, name, chain.rules, wrong);
  std::set<std::string> reached;
  while (!open.empty()) {
    const std::vector<RuleText>& rules = *open.back();
    open.pop_back();
    for (const RuleText& rule : rules) {
      const auto at = compiled.chains.find(rule.target);
      if (at != compiled.chains.end() && reached.insert(rule.target).second) open.push_back(&at->second.rules);
    }
  }
  for (const auto& [name, chain] : compiled.chains) {
    if (!reached.contains(name) && !is_static(name)) wrong.push_back(concat(place(id, name), ": nobody jumps to it"));
  }
}

// One packet on its way.
class IptablesNode::Walker {
 public:
  Walker(const IptablesNode& node, NodePacket packet) : node_(node), packet_(std::move(packet)) {
    family_ = packet_.source.family();
    after_dnat_ = packet_.destination;
    port_after_dnat_ = packet_.destination_port;
    mark_ = packet_.mark;
  }

  Walked walk() {
    if (packet_.before_dnat) {
      packet_.destination = *packet_.before_dnat;
      packet_.destination_port = packet_.port_before_dnat;
    }
    const bool is_forwarded = !packet_.in.empty() && !packet_.out.empty();
    const std::string out = packet_.out;
    if (!packet_.in.empty()) {
      packet_.out.clear();  // it has no way yet
      if (!hook("PREROUTING", {Table::kRaw, Table::kMangle})) return std::move(walked_);
      dnat();
      packet_.out = out;
      if (!hook(is_forwarded ? "FORWARD" : "INPUT", {Table::kMangle, Table::kFilter})) return std::move(walked_);
    } else {
      if (!hook("OUTPUT", {Table::kRaw, Table::kMangle})) return std::move(walked_);
      dnat();
      if (!hook("OUTPUT", {Table::kFilter})) return std::move(walked_);
    }
    if (!out.empty()) {
      packet_.in.clear();  // POSTROUTING cannot ask for it
      hook("POSTROUTING", {Table::kMangle, Table::kNat});
    }
    return std::move(walked_);
  }

 private:
  enum class Fate { kOn, kAccept, kEnd };

  void dnat() {
    is_dnat_ = packet_.before_dnat.has_value();
    packet_.destination = after_dnat_;
    packet_.destination_port = port_after_dnat_;
  }

  // False: the packet ends here.
  bool hook(const std::string& name, std::initializer_list<Table> tables) {
    for (const Table table : tables) {
      const auto compiled = node_.compiled_.find({family_, table});
      if (compiled == node_.compiled_.end()) continue;
      const auto hook = compiled->second.hooks.find(name);
      if (hook == compiled->second.hooks.end()) continue;
      table_ = table;
      const Fate fate = run(hook->second.first, name);
      if (fate == Fate::kEnd || (fate == Fate::kOn && run(hook->second.last, name) == Fate::kEnd)) return false;
    }
    return true;
  }

  // kOn: back to where it came from.
  Fate run(const Compiled::Chain& chain, const std::string& name) {
    for (std::size_t i = 0; i < chain.rules.size(); ++i) {
      const RuleText& rule = chain.rules[i];
      ++walked_.rules;
      if (!matches(rule)) continue;
      if (rule.target == "RETURN") return Fate::kOn;
      Fate fate = Fate::kOn;
      if (const Compiled::Chain* target = chain.targets[i]) {
        fate = run(*target, rule.target);
        if (rule.is_goto) return fate;
      } else {
        fate = act(rule, chain, i, name);
      }
      if (fate != Fate::kOn) return fate;
    }
    return Fate::kOn;
  }

  Fate act(const RuleText& rule, const Compiled::Chain& chain, std::size_t index, const std::string& name) {
    if (rule.target == "MARK") mark_ = (mark_ & ~rule.mask) ^ rule.mark;
    if (rule.target == "LOG") walked_.log.push_back(rule.log_prefix);
    if (rule.target == "CT") walked_.is_tracked = false, packet_.state = "UNTRACKED";
    if (rule.target == "MASQUERADE" || rule.target == "SNAT") walked_.is_masqueraded = true;
    if (rule.target != "ACCEPT" && rule.target != "DROP" && rule.target != "REJECT") return Fate::kOn;
    const std::string comment = chain.source == nullptr ? "" : chain.source->rules[index].comment;
    if (rule.target == "ACCEPT") return Fate::kAccept;
    walked_.where = concat(word(table_), ' ', name, ": ", comment);
    walked_.end = rule.target == "DROP" ? Walked::End::kDrop : Walked::End::kReject;
    return Fate::kEnd;
  }

  [[nodiscard]] bool matches(const RuleText& rule) const {
    return std::all_of(rule.matches.begin(), rule.matches.end(),
                       [this](const RuleMatch& match) { return is_true(match) != match.is_negated; });
  }

  static bool is_interface(const std::string& name, const std::string& pattern) {
    if (pattern.ends_with('+')) return name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
    return name == pattern;
  }

  [[nodiscard]] bool has_ports() const {
    return packet_.protocol == 6 || packet_.protocol == 17 || packet_.protocol == 132 || packet_.protocol == 136;
  }

  static bool is_in(std::uint16_t port, const RuleMatch& match) {
    return std::any_of(match.ranges.begin(), match.ranges.end(),
                       [port](const auto& range) { return range.first <= port && port <= range.second; });
  }

  [[nodiscard]] bool has_state(const RuleMatch& match) const {
    return std::any_of(match.words.begin(), match.words.end(), [this](const std::string& state) {
      return state == "DNAT" ? is_dnat_ : state == packet_.state;
    });
  }

  [[nodiscard]] bool is_icmp(const RuleMatch& match) const {
    return packet_.icmp_type == match.number && (match.mask == 0 || packet_.icmp_code == match.mask - 1);
  }

  [[nodiscard]] bool is_in_set(const RuleMatch& match) const {
    const Set& set = node_.sets_.at(match.text);
    const bool is_source = match.words.front() == "src";
    const IpAddress& address = is_source ? packet_.source : packet_.destination;
    if (set.spec.type == ipset::SetType::kHashNet) return set.nets.longest_match(address).has_value();
    if (match.words.size() != 2 || !has_ports()) return false;
    const std::uint16_t port = is_source ? packet_.source_port : packet_.destination_port;
    return set.members.contains({.net = IpPrefix::host(address), .protocol = packet_.protocol, .port = port});
  }

  [[nodiscard]] bool is_true(const RuleMatch& match) const {
    switch (match.what) {
      case What::kProtocol: return packet_.protocol == match.number;
      case What::kSource: return match.net.contains(packet_.source);
      case What::kDestination: return match.net.contains(packet_.destination);
      case What::kInput: return is_interface(packet_.in, match.text);
      case What::kOutput: return is_interface(packet_.out, match.text);
      case What::kSourcePorts: return has_ports() && is_in(packet_.source_port, match);
      case What::kDestinationPorts: return has_ports() && is_in(packet_.destination_port, match);
      case What::kMark: return (mark_ & match.mask) == match.number;
      case What::kState: return has_state(match);
      case What::kSet: return is_in_set(match);
      case What::kIcmp: return is_icmp(match);
      case What::kRpfilterFails: return !packet_.is_way_back_right;
      case What::kLimit: return packet_.is_within_limits;
      case What::kConnections: return packet_.connections > match.number;
      case What::kSourceLocal: return packet_.in.empty() && !packet_.is_by_ipvs;
      case What::kDestinationLocal: return packet_.out.empty();
    }
    return false;
  }

  const IptablesNode& node_;
  NodePacket packet_;
  IpFamily family_ = IpFamily::kV4;
  IpAddress after_dnat_;
  std::uint16_t port_after_dnat_ = 0;
  bool is_dnat_ = false;
  std::uint32_t mark_ = 0;
  Table table_ = Table::kRaw;
  Walked walked_;
};

Walked IptablesNode::walk(const NodePacket& packet) const { return Walker(*this, packet).walk(); }

std::string IptablesNode::text(const TableId& table, const std::string& chain) const {
  const auto chains = chains_.find(table);
  if (chains == chains_.end() || !chains->second.contains(chain)) return "";
  std::string out;
  for (const iptables::Rule& rule : chains->second.at(chain)->rules) out += concat("-A ", chain, ' ', rule.spec, '\n');
  return out;
}

std::string IptablesNode::dump() const {
  std::string out;
  for (const auto& [id, chains] : chains_) {
    for (const auto& [name, chain] : chains) {
      out += concat("chain ", place(id, name), '\n');
      for (const iptables::Rule& rule : chain->rules) out += concat(rule.spec, " # ", rule.comment, '\n');
    }
  }
  for (const auto& [id, hooks] : hooks_) {
    for (const auto& [name, hook] : hooks) {
      if (hook == iptables::Hook{}) continue;
      out += concat("hook ", place(id, name), '\n');
      for (const iptables::Rule& rule : hook.first) out += concat(rule.spec, '\n');
      for (const iptables::Rule& rule : hook.last) out += concat("last: ", rule.spec, '\n');
    }
  }
  for (const auto& [name, set] : sets_) {
    out += concat("set ", name, ' ', static_cast<int>(set.spec.type), '\n');
    for (const ipset::Member& member : set.members) {
      out += concat(member.net.to_string(), ',', static_cast<int>(member.protocol), ':', member.port, '\n');
    }
  }
  return out;
}

std::string IptablesNode::restore_input(const TableId& table) const {
  std::string out = concat('*', word(table.table), '\n');
  const auto chains = chains_.find(table);
  if (chains == chains_.end()) return out + "COMMIT\n";
  for (const auto& [name, chain] : chains->second) out += concat(':', name, " - [0:0]\n");
  for (const auto& [name, chain] : chains->second) out += text(table, name);
  for (const auto& [name, hook] : hooks_.at(table)) {
    for (const iptables::Rule& rule : hook.first) out += concat("-A ", name, ' ', rule.spec, '\n');
    for (const iptables::Rule& rule : hook.last) out += concat("-A ", name, ' ', rule.spec, '\n');
  }
  return out + "COMMIT\n";
}

std::string IptablesNode::ipset_input() const {
  std::string out;
  for (const auto& [name, set] : sets_) {
    const std::string_view type = set.spec.type == ipset::SetType::kHashIpPort ? "hash:ip,port" : "hash:net";
    out += concat("create ", name, ' ', type, " family ", set.spec.family == IpFamily::kV4 ? "inet" : "inet6", '\n');
  }
  return out;
}

const std::set<ipset::Member>* IptablesNode::members(const std::string& set) const {
  const auto at = sets_.find(set);
  return at == sets_.end() ? nullptr : &at->second.members;
}

}  // namespace margay::test
