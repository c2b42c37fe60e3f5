// Rules and chains of iptables as values: what a renderer makes and table_driver.h puts into the kernel.
//
// Source: iptables(8), iptables-extensions(8), iptables-restore(8). Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip/address.h"

namespace margay::iptables {

enum class Table : std::uint8_t { kRaw, kMangle, kNat, kFilter };

// One table of one family is one transaction.
struct TableId {
  IpFamily family = IpFamily::kV4;
  Table table = Table::kFilter;
  friend constexpr auto operator<=>(const TableId&, const TableId&) = default;
};

// "filter", as iptables names it; "IPv4 filter".
std::string_view to_string(Table table);
std::string to_string(const TableId& table);

// Chains of ours begin with this, and none of others does.
inline constexpr std::string_view kChainPrefix = "margay-";
// Names of chains are shorter than this many bytes (linux/netfilter/x_tables.h, XT_EXTENSION_MAXNAMELEN).
inline constexpr std::size_t kChainNameMax = 28;

struct Rule {
  // What stands behind "-A CHAIN " in the input of iptables-restore: matches, then "-j TARGET" or "-g CHAIN" with its
  // options. Without the comment that marks a rule as ours.
  std::string spec;
  // For people who list the rules; may be empty. Any text: the driver shortens and quotes it.
  std::string comment{};
  friend auto operator<=>(const Rule&, const Rule&) = default;
};

struct Chain {
  std::string name;
  std::vector<Rule> rules;
  friend bool operator==(const Chain&, const Chain&) = default;
};

// Our rules in a chain of the kernel (INPUT, FORWARD, …), which is shared with others.
struct Hook {
  std::vector<Rule> first;  // before everybody else's, or after them with the insert mode Append
  std::vector<Rule> last;   // after everybody else's
  friend bool operator==(const Hook&, const Hook&) = default;
};

// What is to become of one table. Two in a row are one (the later wins, name by name).
struct TableChange {
  std::map<std::string, std::shared_ptr<const Chain>> chains;  // null: it goes
  std::map<std::string, Hook> hooks;                           // by the name of the kernel's chain; empty: none of ours

  [[nodiscard]] bool empty() const { return chains.empty() && hooks.empty(); }
};

}  // namespace margay::iptables
