// Conditions: what a rule of policy asks of a packet, in the words of iptables.
//
// One rule of iptables holds each match once, and all of them must be true. What a rule of policy has several
// alternatives of (networks, ports) therefore becomes blocks of matches, of which any (or none) must be true. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/ip/address.h"
#include "policy/desired/rule.h"

namespace margay::render {

// Packets that at least one of the matches is true for; negated: that none is.
struct Block {
  bool is_negated = false;
  std::vector<std::string> matches;

  friend bool operator==(const Block&, const Block&) = default;
};

struct Conditions {
  std::string matches;  // of one rule; "" is every packet
  std::vector<Block> blocks;

  friend bool operator==(const Conditions&, const Conditions&) = default;
};

// nullopt: no packet of this family matches.
std::optional<Conditions> conditions_of(const policy::Rule& rule, IpFamily family);

// What iptables cannot ask: such a rule is no Allow and no Pass, and a Deny without it.
FieldErrors problems_of(const policy::Rule& rule, std::string_view path);

}  // namespace margay::render
