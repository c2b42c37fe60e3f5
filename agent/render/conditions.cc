#include "agent/render/conditions.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "agent/render/names.h"
#include "agent/render/spec.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using model::IcmpMatch;
using model::Protocol;
using policy::IpSetId;
using policy::RuleEnd;

constexpr std::size_t kMultiportSlots = 15;  // XT_MULTI_PORTS
constexpr int kIcmpTypeMax = 254;            // 255 stands for any
constexpr int kIcmpCodeMax = 255;

// The words that differ between the two ends of a packet's way.
struct EndWords {
  std::string_view address;    // "-s"
  std::string_view ports;      // "--sports"
  std::string_view set;        // "src"
  std::string_view set_ports;  // "src,src"
};
constexpr EndWords kSource{.address = "-s", .ports = "--sports", .set = "src", .set_ports = "src,src"};
constexpr EndWords kDestination{.address = "-d", .ports = "--dports", .set = "dst", .set_ports = "dst,dst"};

std::string protocol_word(Protocol protocol) {
  switch (protocol.number()) {
    case 1: return "icmp";
    case 6: return "tcp";
    case 17: return "udp";
    case 58: return "ipv6-icmp";
    case 132: return "sctp";
    default: return protocol.number() == 136 ? "udplite" : concat(protocol.number());
  }
}

std::string is_protocol(Protocol protocol) { return concat("-p ", protocol_word(protocol)); }

Protocol icmp_of(IpFamily family) { return family == IpFamily::kV4 ? model::kProtocolIcmp : model::kProtocolIcmpV6; }

// Of a type from 0 to 254.
std::string icmp_match(IpFamily family, const IcmpMatch& icmp, std::string_view negation) {
  const std::string code = icmp.code ? concat('/', *icmp.code) : "";
  return family == IpFamily::kV4 ? concat("-m icmp ", negation, "--icmp-type ", *icmp.type, code)
                                 : concat("-m icmp6 ", negation, "--icmpv6-type ", *icmp.type, code);
}

bool has_possible_numbers(const IcmpMatch& icmp) {
  return (!icmp.type || (*icmp.type >= 0 && *icmp.type <= kIcmpTypeMax)) &&
         (!icmp.code || (*icmp.code >= 0 && *icmp.code <= kIcmpCodeMax));
}

// Lists of ports that one match can hold: a range takes two of its places.
std::vector<std::string> port_lists(const std::vector<PortRange>& ranges) {
  std::vector<std::string> out;
  std::size_t used = kMultiportSlots;
  for (const PortRange& range : ranges) {
    const bool is_one = range.first() == range.last();
    const std::size_t slots = is_one ? 1 : 2;
    if (used + slots > kMultiportSlots) {
      out.emplace_back();
      used = 0;
    }
    used += slots;
    if (!out.back().empty()) out.back().push_back(',');
    out.back() += is_one ? concat(range.first().value()) : concat(range.first().value(), ':', range.last().value());
  }
  return out;
}

class Compiler {
 public:
  Compiler(const policy::Rule& rule, IpFamily family) : rule_(rule), family_(family), protocol_(rule.protocol) {}

  std::optional<Conditions> compile() {
    if (rule_.ip_version && *rule_.ip_version != family_) return std::nullopt;
    // Says that it must not be what everything is.
    if (rule_.not_icmp && !rule_.not_icmp->type && !rule_.not_icmp->code) return std::nullopt;
    if (!add_icmp() || !add_protocol() || !add_nets(rule_.source, kSource) ||
        !add_nets(rule_.destination, kDestination)) {
      return std::nullopt;
    }
    add_sets(rule_.source, kSource);
    add_sets(rule_.destination, kDestination);
    if (!add_ports(rule_.source, kSource) || !add_ports(rule_.destination, kDestination)) return std::nullopt;
    add_not_ports(rule_.source, kSource);
    add_not_ports(rule_.destination, kDestination);
    add_not_icmp();
    Conditions out{.matches = spec({protocol_text_, icmp_text_, matches_}), .blocks = std::move(blocks_)};
    // What must be true comes first: the first block also sets the mark that the others clear.
    std::stable_partition(out.blocks.begin(), out.blocks.end(), [](const Block& block) { return !block.is_negated; });
    return out;
  }

 private:
  void add(std::string_view match) { matches_ = spec({matches_, match}); }

  // Types and codes are those of the family's own ICMP.
  bool add_icmp() {
    if (!rule_.icmp || (!rule_.icmp->type && !rule_.icmp->code)) return true;
    if (!has_possible_numbers(*rule_.icmp)) return false;
    if (protocol_ && *protocol_ != icmp_of(family_)) return false;
    protocol_ = icmp_of(family_);
    if (rule_.icmp->type) icmp_text_ = icmp_match(family_, *rule_.icmp, "");
    return true;
  }

  bool add_protocol() {
    const auto& unwanted = rule_.not_protocol;
    if (protocol_ && (protocol_->number() == 0 || protocol_ == unwanted)) return false;
    if (protocol_) {
      protocol_text_ = is_protocol(*protocol_);
    } else if (unwanted && unwanted->number() != 0) {
      protocol_text_ = concat("! ", is_protocol(*unwanted));
    }
    return true;
  }

  // Of this family.
  [[nodiscard]] std::vector<IpPrefix> ours(const std::vector<IpPrefix>& nets) const {
    std::vector<IpPrefix> out;
    std::copy_if(nets.begin(), nets.end(), std::back_inserter(out),
                 [this](const IpPrefix& net) { return net.family() == family_; });
    return out;
  }

  static bool has_everything(const std::vector<IpPrefix>& nets) {
    return std::any_of(nets.begin(), nets.end(), [](const IpPrefix& net) { return net.length() == 0; });
  }

  static Block block_of(const std::vector<IpPrefix>& nets, const EndWords& words) {
    Block out;
    for (const IpPrefix& net : nets) out.matches.push_back(concat(words.address, ' ', net.to_string()));
    return out;
  }

  bool add_nets(const RuleEnd& end, const EndWords& words) {
    const std::vector<IpPrefix> wanted = ours(end.nets);
    const std::vector<IpPrefix> unwanted = ours(end.not_nets);
    if ((wanted.empty() && !end.nets.empty()) || has_everything(unwanted)) return false;
    const bool asks = !wanted.empty() && !has_everything(wanted);
    if (asks && wanted.size() == 1) {
      add(block_of(wanted, words).matches.front());
    } else if (asks) {
      blocks_.push_back(block_of(wanted, words));
    }
    // A rule has one place for a network of each end.
    if (unwanted.size() == 1 && !(asks && wanted.size() == 1)) {
      add(concat("! ", block_of(unwanted, words).matches.front()));
    } else if (!unwanted.empty()) {
      blocks_.push_back(block_of(unwanted, words));
      blocks_.back().is_negated = true;
    }
    return true;
  }

  [[nodiscard]] std::string in_set(const IpSetId& id, std::string_view words, std::string_view negation = "") const {
    return concat("-m set ", negation, "--match-set ", set_name(family_, id), ' ', words);
  }

  void add_sets(const RuleEnd& end, const EndWords& words) {
    for (const IpSetId& id : end.sets) add(in_set(id, words.set));
    for (const IpSetId& id : end.not_sets) add(in_set(id, words.set, "! "));
    for (const IpSetId& id : end.service_sets) add(in_set(id, words.set_ports));
    for (const IpSetId& id : end.not_port_sets) add(in_set(id, words.set_ports, "! "));
  }

  // That have ports and that the rule leaves open.
  [[nodiscard]] std::vector<Protocol> port_protocols() const {
    std::vector<Protocol> out;
    for (const Protocol each : {model::kProtocolTcp, model::kProtocolUdp, model::kProtocolSctp}) {
      if (protocol_ ? *protocol_ == each : rule_.not_protocol != each) out.push_back(each);
    }
    return out;
  }

  // iptables asks for a port only where it knows the protocol, in each rule of a block anew.
  static void add_port_lists(const std::vector<Protocol>& protocols, const std::vector<std::string>& lists,
                             const EndWords& words, Block& block) {
    for (const Protocol protocol : protocols) {
      for (const std::string& list : lists) {
        block.matches.push_back(concat(is_protocol(protocol), " -m multiport ", words.ports, ' ', list));
      }
    }
  }

  bool add_ports(const RuleEnd& end, const EndWords& words) {
    if (end.ports.empty() && end.port_sets.empty()) return true;
    const std::vector<Protocol> protocols = port_protocols();
    if (protocols.empty()) return false;
    const std::vector<std::string> lists = port_lists(end.ports);
    if (protocol_ && lists.size() == 1 && end.port_sets.empty()) {
      add(concat("-m multiport ", words.ports, ' ', lists.front()));
    } else if (lists.empty() && end.port_sets.size() == 1) {
      add(in_set(end.port_sets.front(), words.set_ports));
    } else {
      Block block;
      add_port_lists(protocols, lists, words, block);
      for (const IpSetId& id : end.port_sets) block.matches.push_back(in_set(id, words.set_ports));
      blocks_.push_back(std::move(block));
    }
    return true;
  }

  void add_not_ports(const RuleEnd& end, const EndWords& words) {
    const std::vector<Protocol> protocols = port_protocols();
    const std::vector<std::string> lists = port_lists(end.not_ports);
    if (protocols.empty() || lists.empty()) return;
    if (protocol_) {
      for (const std::string& list : lists) add(concat("-m multiport ! ", words.ports, ' ', list));
      return;
    }
    Block block{.is_negated = true, .matches = {}};
    add_port_lists(protocols, lists, words, block);
    blocks_.push_back(std::move(block));
  }

  // Packets of other protocols are not of that type.
  void add_not_icmp() {
    if (!rule_.not_icmp || !rule_.not_icmp->type || !has_possible_numbers(*rule_.not_icmp)) return;
    const Protocol icmp = icmp_of(family_);
    if (protocol_ && *protocol_ != icmp) return;
    if (protocol_ && icmp_text_.empty()) {
      icmp_text_ = icmp_match(family_, *rule_.not_icmp, "! ");
      return;
    }
    blocks_.push_back(
        {.is_negated = true, .matches = {spec({is_protocol(icmp), icmp_match(family_, *rule_.not_icmp, "")})}});
  }

  const policy::Rule& rule_;
  const IpFamily family_;
  std::optional<Protocol> protocol_;
  std::string protocol_text_;
  std::string icmp_text_;
  std::string matches_;
  std::vector<Block> blocks_;
};

bool is_code_alone(const std::optional<IcmpMatch>& icmp) { return icmp && icmp->code && !icmp->type; }

}  // namespace

std::optional<Conditions> conditions_of(const policy::Rule& rule, IpFamily family) {
  return Compiler(rule, family).compile();
}

FieldErrors problems_of(const policy::Rule& rule, std::string_view path) {
  FieldErrors out;
  for (const auto& [icmp, name] : {std::pair(rule.icmp, ".icmp"), std::pair(rule.not_icmp, ".notICMP")}) {
    if (!is_code_alone(icmp)) continue;
    out.push_back({FieldError::Kind::kInvalid, concat(path, name), "a code can be asked for only with a type"});
  }
  return out;
}

}  // namespace margay::render
