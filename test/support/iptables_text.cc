#include "test/support/iptables_text.h"

#include <charconv>
#include <map>
#include <set>

#include "base/core/text.h"

namespace margay::test {
namespace {

using What = RuleMatch::What;

// As iptables-restore splits a line: blanks separate, double quotes hold together.
Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool is_quoted = false;
  bool has_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted && c == '\\' && i + 1 < text.size()) {
      word.push_back(text[++i]);
    } else if (c == '"') {
      is_quoted = !is_quoted;
      has_word = true;
    } else if (c == ' ' && !is_quoted) {
      if (has_word) out.push_back(std::exchange(word, {}));
      has_word = false;
    } else {
      word.push_back(c);
      has_word = true;
    }
  }
  if (is_quoted) return invalid("quotes are left open");
  if (has_word) out.push_back(word);
  return out;
}

std::optional<std::uint32_t> number(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const std::string_view digits = is_hex ? text.substr(2) : text;
  std::uint32_t out = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), out, is_hex ? 16 : 10);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return out;
}

std::optional<std::uint32_t> protocol(std::string_view text) {
  static const std::map<std::string, std::uint32_t, std::less<>> kNames = {
      {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"ipv6-icmp", 58}, {"sctp", 132}, {"udplite", 136}};
  if (const auto at = kNames.find(text); at != kNames.end()) return at->second;
  const auto value = number(text);
  return value && *value > 0 && *value < 256 ? value : std::nullopt;
}

class Parser {
 public:
  Parser(std::vector<std::string> words, IpFamily family) : words_(std::move(words)), family_(family) {}

  Result<RuleText> parse() {
    while (place_ < words_.size()) {
      is_negated_ = words_[place_] == "!";
      if (is_negated_) ++place_;
      const std::string option = next();
      if (!option_of_rule(option) && !option_of_module(option) && !option_of_target(option)) {
        return invalid(concat("cannot read ", margay::quoted(option), " ", problem_));
      }
    }
    if (!problem_.empty()) return invalid(problem_);
    return std::move(out_);
  }

 private:
  std::string next() { return place_ < words_.size() ? words_[place_++] : std::string(); }

  bool fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return false;
  }

  RuleMatch& add(What what) {
    RuleMatch& match = out_.matches.emplace_back();
    match.what = what;
    match.is_negated = is_negated_;
    return match;
  }

  // Options that a rule can have once.
  bool option_of_rule(const std::string& option) {
    static const std::map<std::string, What, std::less<>> kOptions = {{"-p", What::kProtocol},
                                                                      {"-s", What::kSource},
                                                                      {"-d", What::kDestination},
                                                                      {"-i", What::kInput},
                                                                      {"-o", What::kOutput}};
    if (option == "-m") {
      modules_.insert(next());
      return true;
    }
    const auto at = kOptions.find(option);
    if (at == kOptions.end()) return false;
    if (!seen_.insert(option).second) return fail(concat(option, " twice"));
    RuleMatch& match = add(at->second);
    match.text = next();
    if (at->second == What::kProtocol) return read_protocol(match);
    if (at->second == What::kInput || at->second == What::kOutput) {
      return (!match.text.empty() && match.text.size() < 16) || fail("name of an interface");
    }
    const auto net = IpPrefix::parse(match.text);
    if (!net.ok() || net->family() != family_) return fail(concat(match.text, " is no network of this family"));
    match.net = *net;
    return true;
  }

  bool read_protocol(RuleMatch& match) {
    const auto value = protocol(match.text);
    if (!value) return fail(concat("protocol ", match.text));
    match.number = *value;
    if (!match.is_negated) protocol_ = *value;
    return true;
  }

  bool needs(std::string_view module) {
    return modules_.contains(std::string(module)) || fail(concat("-m ", module, " is missing"));
  }

  bool option_of_module(const std::string& option) {
    if (option == "--sports" || option == "--dports") return needs("multiport") && read_ports(option);
    if (option == "--mark") return needs("mark") && read_mark(add(What::kMark));
    if (option == "--ctstate") return needs("conntrack") && read_words(add(What::kState), next());
    if (option == "--match-set") return needs("set") && read_set();
    if (option == "--icmp-type") return needs("icmp") && family_ == IpFamily::kV4 && read_icmp(1);
    if (option == "--icmpv6-type") return needs("icmp6") && family_ == IpFamily::kV6 && read_icmp(58);
    if (option == "--validmark") return needs("rpfilter");
    // Without it the match is true for packets that pass the check.
    if (option == "--invert") return needs("rpfilter") && (add(What::kRpfilterFails), true);
    if (option == "--limit") return needs("limit") && (add(What::kLimit), next().find('/') != std::string::npos);
    if (option == "--limit-burst") return needs("limit") && number(next()).has_value();
    if (option == "--connlimit-above") return needs("connlimit") && read_connections();
    if (option == "--connlimit-mask") return needs("connlimit") && number(next()) == 0U;
    if (option == "--src-type") return needs("addrtype") && next() == "LOCAL" && (add(What::kSourceLocal), true);
    if (option == "--dst-type") return needs("addrtype") && next() == "LOCAL" && (add(What::kDestinationLocal), true);
    if (option == "--limit-iface-out") return needs("addrtype");
    // Of the bytes of a packet nothing is known here: all that is UDP to VXLAN's port counts as VXLAN of ours.
    if (option == "--u32") return needs("u32") && next().find('=') != std::string::npos;
    return false;
  }

  static bool read_words(RuleMatch& match, const std::string& list) {
    for (const std::string_view word : split(list, ',')) match.words.emplace_back(word);
    return !list.empty();
  }

  bool read_ports(const std::string& option) {
    if (!protocol_ || (*protocol_ != 6 && *protocol_ != 17 && *protocol_ != 132 && *protocol_ != 136)) {
      return fail("ports need a protocol that has them");
    }
    RuleMatch& match = add(option == "--sports" ? What::kSourcePorts : What::kDestinationPorts);
    std::size_t slots = 0;
    const std::string list = next();
    for (const std::string_view piece : split(list, ',')) {
      const auto range = split_once(piece, ':');
      const auto first = parse_number<std::uint16_t>(range ? range->first : piece);
      const auto last = parse_number<std::uint16_t>(range ? range->second : piece);
      if (!first || !last || *last < *first) return fail(concat("ports ", piece));
      match.ranges.emplace_back(*first, *last);
      slots += range ? 2U : 1U;
    }
    return slots <= 15 || fail("more than 15 ports");
  }

  bool read_mark(RuleMatch& match) {
    const std::string text = next();
    const auto parts = split_once(text, '/');
    const auto value = parts ? number(parts->first) : std::nullopt;
    const auto mask = parts ? number(parts->second) : std::nullopt;
    if (!value || !mask) return fail("mark");
    match.number = *value;
    match.mask = *mask;
    return true;
  }

  bool read_set() {
    RuleMatch& match = add(What::kSet);
    match.text = next();
    return read_words(match, next());
  }

  bool read_icmp(std::uint32_t wanted) {
    if (protocol_ != wanted) return fail("ICMP types need the protocol");
    const std::string text = next();
    const auto parts = split_once(text, '/');
    const auto type = number(parts ? parts->first : std::string_view(text));
    const auto code = parts ? number(parts->second) : std::nullopt;
    if (!type || *type > 254 || (parts && (!code || *code > 255))) return fail(concat("ICMP type ", text));
    RuleMatch& match = add(What::kIcmp);
    match.number = *type;
    match.mask = code ? *code + 1 : 0;
    return true;
  }

  bool read_connections() {
    const auto value = number(next());
    if (!value) return fail("connections");
    add(What::kConnections).number = *value;
    return true;
  }

  bool option_of_target(const std::string& option) {
    if (is_negated_) return fail("! before a target");
    if (option == "-j" || option == "-g") {
      if (!out_.target.empty()) return fail("two targets");
      out_.target = next();
      out_.is_goto = option == "-g";
      return !out_.target.empty();
    }
    const std::string& target = out_.target;
    if (target == "MARK" && option == "--set-xmark") return read_new_mark();
    if (target == "LOG" && option == "--log-prefix") {
      out_.log_prefix = next();
      return out_.log_prefix.size() <= 29 || fail("prefix too long");
    }
    if (target == "LOG" && option == "--log-level") return number(next()).has_value();
    if (target == "REJECT" && option == "--reject-with") return next() == "tcp-reset" && protocol_ == 6U;
    if (target == "CT" && option == "--notrack") return true;
    if ((target == "MASQUERADE" || target == "SNAT") && option == "--random-fully") return true;
    if (target == "MASQUERADE" && option == "--to-ports") return protocol_.has_value() && !next().empty();
    if (target == "SNAT" && option == "--to-source") return !next().empty();
    return false;
  }

  bool read_new_mark() {
    RuleMatch mark;
    if (!read_mark(mark)) return false;
    out_.mark = mark.number;
    out_.mask = mark.mask;
    return true;
  }

  std::vector<std::string> words_;
  const IpFamily family_;
  std::size_t place_ = 0;
  bool is_negated_ = false;
  std::set<std::string> modules_;
  std::set<std::string> seen_;
  std::optional<std::uint32_t> protocol_;
  std::string problem_;
  RuleText out_;
};

}  // namespace

Result<RuleText> parse_rule(std::string_view spec, IpFamily family) {
  MARGAY_ASSIGN_OR_RETURN(std::vector<std::string> words, words_of(spec));
  return Parser(std::move(words), family).parse();
}

}  // namespace margay::test
