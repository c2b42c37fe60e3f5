// What a rule of iptables says, read from its text by someone who did not write it: iptables(8),
// iptables-extensions(8). Strict, as iptables-restore is: a match whose module is not loaded, ports
// without a protocol that has them, a second -s, an unknown word are errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "base/ip/prefix.h"

namespace margay::test {

struct RuleMatch {
  enum class What {
    kProtocol,
    kSource,
    kDestination,
    kInput,
    kOutput,
    kSourcePorts,
    kDestinationPorts,
    kMark,
    kState,
    kSet,
    kIcmp,
    kRpfilterFails,
    kLimit,
    kConnections,
    kSourceLocal,
    kDestinationLocal,
  };
  What what = What::kProtocol;
  bool is_negated = false;
  std::uint32_t number = 0;  // protocol; mark; ICMP type; connections
  std::uint32_t mask = 0;    // of the mark; ICMP code + 1, 0 is any
  IpPrefix net;
  std::string text;                                             // interface, set
  std::vector<std::string> words;                               // states; "src", "dst" of a set
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges;  // ports
};

struct RuleText {
  std::vector<RuleMatch> matches;
  std::string target;  // "" is none
  bool is_goto = false;
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;
  std::string log_prefix;
};

Result<RuleText> parse_rule(std::string_view spec, IpFamily family);

}  // namespace margay::test
