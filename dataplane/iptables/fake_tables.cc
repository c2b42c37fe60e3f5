#include "dataplane/iptables/fake_tables.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "dataplane/iptables/rule_text.h"

namespace margay::iptables {
namespace {

using FakeTable = FakeTables::FakeTable;
using FakeChain = FakeTables::FakeChain;

std::vector<std::string_view> kernel_chains(Table table) {
  switch (table) {
    case Table::kRaw: return {"PREROUTING", "OUTPUT"};
    case Table::kMangle: return {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
    case Table::kNat: return {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"};
    case Table::kFilter: return {"INPUT", "FORWARD", "OUTPUT"};
  }
  return {};
}

constexpr Table kTables[] = {Table::kRaw, Table::kMangle, Table::kNat, Table::kFilter};

std::optional<Table> table_named(std::string_view name) {
  for (const Table table : kTables) {
    if (to_string(table) == name) return table;
  }
  return std::nullopt;
}

// Targets that are no chains.
bool is_builtin(std::string_view target) {
  static constexpr std::string_view kNames[] = {"ACCEPT", "DROP",       "RETURN", "REJECT", "MARK", "LOG",
                                                "NFLOG",  "MASQUERADE", "SNAT",   "DNAT",   "CT",   "NOTRACK"};
  return target.empty() || std::find(std::begin(kNames), std::end(kNames), target) != std::end(kNames);
}

bool is_referred_to(const FakeTable& table, std::string_view name) {
  return std::any_of(table.begin(), table.end(), [&](const auto& entry) {
    const auto& rules = entry.second.rules;
    return std::any_of(rules.begin(), rules.end(), [&](const auto& rule) { return target_of(rule) == name; });
  });
}

std::optional<std::string> missing_target(const FakeTable& table) {
  for (const auto& [name, chain] : table) {
    for (const std::string& rule : chain.rules) {
      const std::string target(target_of(rule));
      if (!is_builtin(target) && !table.contains(target)) return concat("Chain '", target, "' does not exist");
    }
  }
  return std::nullopt;
}

// One line of iptables-restore, in its parts.
struct Line {
  std::string_view verb;  // "-A"
  std::string_view chain;
  std::optional<std::size_t> number;
  std::string rest;  // without the number
};

Line parse_line(std::string_view text) {
  Words words(text);
  Line line;
  line.verb = words.next().value_or("");
  line.chain = words.next().value_or("");
  const auto first = words.next();
  if (!first) return line;
  line.number = parse_number<std::size_t>(*first);
  const bool skips = line.number.has_value();
  const auto after = static_cast<std::size_t>(first->data() - text.data()) + (skips ? first->size() : 0);
  line.rest = std::string(trim(text.substr(after)));
  return line;
}

std::string change_rules(FakeChain& chain, const Line& line) {
  auto& rules = chain.rules;
  const std::size_t number = line.number.value_or(1);
  const auto at = rules.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(number, 1, rules.size() + 1) - 1);
  if (line.verb == "-A") {
    rules.push_back(line.rest);
  } else if (line.verb == "-I") {
    if (number == 0 || number > rules.size() + 1) return "Index of insertion too big.";
    rules.insert(at, line.rest);
  } else if (line.verb == "-R") {
    if (number == 0 || number > rules.size() || !line.number) return "Index of replacement too big.";
    *at = line.rest;
  } else if (line.verb == "-D" && line.number) {
    if (number == 0 || number > rules.size()) return "Index of deletion too big.";
    rules.erase(at);
  } else if (line.verb == "-D") {
    const auto found = std::find(rules.begin(), rules.end(), line.rest);
    if (found == rules.end()) return "Bad rule (does a matching rule exist in that chain?).";
    rules.erase(found);
  } else {
    return concat("unknown option ", quoted(line.verb));
  }
  return "";
}

template <class Tables>
Tables empty_tables() {
  Tables tables;
  for (const Backend backend : {Backend::kNft, Backend::kLegacy}) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      for (const Table table : kTables) {
        for (const std::string_view chain : kernel_chains(table)) {
          tables[{backend, {family, table}}][std::string(chain)].is_of_kernel = true;
        }
      }
    }
  }
  return tables;
}

std::uint64_t this_namespace() {
  struct stat about {};
  return stat("/proc/thread-self/ns/net", &about) == 0 ? about.st_ino : 0;
}

}  // namespace

FakeTables::FakeTables() : tables_(empty_tables<decltype(tables_)>()), home_(this_namespace()) {}

void FakeTables::fail_call(int n, Result<exec::Finished> end) { failures_.emplace(calls_ + n, std::move(end)); }

void FakeTables::fail_call(int n) {
  fail_call(n, exec::Finished{.status = 4, .errors = "Resource temporarily unavailable\n"});
}

Result<exec::Finished> FakeTables::run(const exec::Command& command) {
  if (on_call) on_call(command);
  ++calls_;
  const bool is_restore = command.program.ends_with("-restore");
  ++(is_restore ? restores_ : saves_);
  const Backend backend = command.program.find("-nft-") != std::string::npos ? Backend::kNft : Backend::kLegacy;
  if (absent_.contains(backend)) return Error{ErrorCode::kNotFound, "No such file or directory"};
  if (const auto failure = failures_.find(calls_); failure != failures_.end()) return failure->second;
  if (this_namespace() == home_) return run_here(command, backend);
  std::map<Key, FakeTable> kept = std::exchange(tables_, empty_tables<decltype(tables_)>());
  Result<exec::Finished> finished = run_here(command, backend);
  tables_ = std::move(kept);
  return finished;
}

Result<exec::Finished> FakeTables::run_here(const exec::Command& command, Backend backend) {
  const bool is_restore = command.program.ends_with("-restore");
  const IpFamily family = command.program.starts_with("ip6") ? IpFamily::kV6 : IpFamily::kV4;
  return is_restore ? restore(family, backend, command.input) : save(family, backend, command.arguments);
}

std::string FakeTables::saved(const TableId& id, Backend backend) const {
  std::string out = concat("# Generated by a fake\n*", to_string(id.table), "\n");
  const FakeTable& table = tables_.at({backend, id});
  for (const auto& [name, chain] : table) out += concat(":", name, chain.is_of_kernel ? " ACCEPT" : " -", " [0:0]\n");
  for (const auto& [name, chain] : table) {
    for (const std::string& rule : chain.rules) out += concat("-A ", name, " ", rule, "\n");
  }
  return out + "COMMIT\n# Completed\n";
}

exec::Finished FakeTables::save(IpFamily family, Backend backend, const std::vector<std::string>& arguments) {
  if (arguments.size() == 2) {
    const auto table = table_named(arguments[1]);
    if (!table) return {.status = 1, .errors = "no such table\n"};
    return {.output = saved({family, *table}, backend)};
  }
  exec::Finished all;
  for (const Table table : kTables) all.output += saved({family, table}, backend);
  return all;
}

exec::Finished FakeTables::restore(IpFamily family, Backend backend, std::string_view input) {
  const auto lines = split(input, '\n');
  const auto id = table_named(lines.front().substr(1));
  std::vector<std::string> sent;
  for (const std::string_view line : lines) {
    if (!line.empty() && line.front() != '*' && line != "COMMIT") sent.emplace_back(line);
  }
  transactions_.push_back(std::move(sent));
  if (!id || !input.ends_with("COMMIT\n")) return {.status = 2, .errors = "no table, or no COMMIT\n"};
  FakeTable changed = tables_[{backend, {family, *id}}];
  for (std::size_t i = 1; i + 2 < lines.size(); ++i) {
    const std::string words = change(changed, lines[i]);
    if (words.empty()) continue;
    if (hides_lines_) return {.status = 4, .errors = words + "\n"};
    return {.status = 2, .errors = concat(words, "\nError occurred at line: ", i + 1, "\nTry `iptables -h'\n")};
  }
  if (const auto missing = missing_target(changed)) {
    return {.status = 2, .errors = concat(*missing, "\nError occurred at line: ", lines.size() - 1, "\n")};
  }
  tables_[{backend, {family, *id}}] = std::move(changed);
  return {};
}

std::string FakeTables::change(FakeTable& table, std::string_view text) const {
  for (const std::string& refused : refused_) {
    if (text.find(refused) != std::string_view::npos) return "refused by the test";
  }
  if (text.starts_with(":")) {
    const std::string name(text.substr(1, text.find(' ') - 1));
    table[name].rules.clear();
    return "";
  }
  const Line line = parse_line(text);
  const auto chain = table.find(std::string(line.chain));
  if (chain == table.end()) return "No chain/target/match by that name.";
  if (line.verb == "-F") {
    chain->second.rules.clear();
    return "";
  }
  if (line.verb == "-X") {
    if (chain->second.is_of_kernel || !chain->second.rules.empty() || is_referred_to(table, line.chain)) {
      return "CHAIN_DEL failed (Device or resource busy)";
    }
    table.erase(chain);
    return "";
  }
  return change_rules(chain->second, line);
}

std::string FakeTables::edit(const TableId& id, std::string_view lines, Backend backend) {
  FakeTable changed = table(id, backend);
  for (const std::string_view line : split(lines, '\n')) {
    if (line.empty()) continue;
    if (std::string words = change(changed, line); !words.empty()) return words;
  }
  if (const auto missing = missing_target(changed)) return *missing;
  table(id, backend) = std::move(changed);
  return "";
}

}  // namespace margay::iptables
