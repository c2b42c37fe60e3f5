#include "test/chaos/chaos_world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "policy/translate/translate.h"
#include "test/support/unix_http.h"

namespace margay::test {

using json::Array;
using json::Object;
using json::Value;
using model::Kind;
using model::ObjectKey;

namespace {

constexpr std::size_t kWitnessPods = 4;  // stranger, secret, friend-a, friend-b
constexpr std::size_t kOtherPods = 8;    // always there, with labels that change
constexpr std::size_t kGuests = 4;       // come and go
constexpr const char* kPodNamespace = "default";

IpAddress address_of_pod(std::size_t number) {
  return IpAddress::v4(0x0a4d0001U + static_cast<std::uint32_t>(number));  // 10.77.0.1 and on
}

std::string name_of_pod(std::size_t number) {
  constexpr const char* kNames[kWitnessPods] = {"stranger", "secret", "friend-a", "friend-b"};
  return number < kWitnessPods ? kNames[number] : concat("pod-", number);
}

// Lines of iptables-save that are ours, by chain, without counters.
std::string own_rules(const std::string& saved) {
  std::vector<std::string> lines;
  std::string table;
  for (const std::string_view line : split(saved, '\n')) {
    if (line.starts_with("*")) table = std::string(line);
    if (line.find("margay") == std::string_view::npos || line.starts_with("#")) continue;
    const std::size_t counters = line.rfind(" [");
    lines.push_back(concat(table, " ", line.starts_with(":") ? line.substr(0, counters) : line));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const std::string& a, const std::string& b) {
    const auto chain = [](const std::string& line) {
      const auto words = split(line, ' ');
      return words[1].starts_with(":") ? concat(words[0], words[1].substr(1)) : concat(words[0], words[2]);
    };
    return chain(a) < chain(b);
  });
  return join(lines, "\n") + "\n";
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return join(lines, "\n") + "\n";
}

// Sizes of hash tables depend on the way, not on what is in them.
std::string own_sets(const std::string& saved) {
  std::string out;
  const std::string sorted = sorted_lines(saved);
  for (const std::string_view line : split(sorted, '\n')) {
    const std::size_t size = line.find(" hashsize ");
    out += concat(size == std::string_view::npos ? line : line.substr(0, size), "\n");
  }
  return out;
}

}  // namespace

std::unique_ptr<ChaosWorld> ChaosWorld::start(std::uint64_t seed, std::string* why) {
  OneNodeOptions options;
  options.server = {.flags = {"--enable-fault-injection"}, .unix_socket = true, .has_snapshot = true};
  for (const char* setting : {"IPTABLES", "IPSETS", "ROUTE", "INTERFACE"}) {
    options.agent_environment.emplace(concat("FELIX_", setting, "REFRESHINTERVAL"), "1");
  }
  auto node = OneNode::start(options, why);
  if (node == nullptr) return nullptr;
  return std::unique_ptr<ChaosWorld>(new ChaosWorld(std::move(node), seed));
}

ChaosWorld::ChaosWorld(std::unique_ptr<OneNode> node, std::uint64_t seed) : node_(std::move(node)), random_(seed) {
  put_permanent();
  for (int i = 0; i < 6; ++i) put_random_policy();
  for (int i = 0; i < 3; ++i) put_random_set();
  const std::vector<std::string> refused = node_->bring_to(wanted_);
  for (const std::string& line : refused) std::fprintf(stderr, "%s\n", line.c_str());
  MARGAY_CHECK(refused.empty());
}

SamplePod ChaosWorld::pod(std::size_t number, const std::string& name, const std::string& role) {
  node_->pod(kPodNamespace, name, {address_of_pod(number)});
  return {.name_space = kPodNamespace,
          .name = name,
          .node = OneNode::kName,
          .labels = {{"role", role}, {"app", std::string(1, static_cast<char>('a' + random_.below(4)))}},
          .address = address_of_pod(number)};
}

void ChaosWorld::put_permanent() {
  put_namespace(wanted_, kPodNamespace);
  const std::vector<std::string> roles = {"stranger", "secret", "friend", "friend"};
  for (std::size_t i = 0; i < kWitnessPods; ++i) put_pod(wanted_, pod(i, name_of_pod(i), roles[i]));
  for (std::size_t i = 0; i < kOtherPods; ++i) put_random_pod(kWitnessPods + i);
  const std::string friends = "role == 'friend'";
  put_policy(wanted_, "", "stranger",
             {{"order", 1},
              {"selector", "role == 'stranger'"},
              {"egress", Array{policy_rule("Allow", "", "")}},
              {"types", Array{"Egress"}}});
  put_policy(wanted_, "", "secret",
             {{"order", 1},
              {"selector", "role == 'secret'"},
              {"ingress", Array{policy_rule("Deny", "", "role == 'stranger'"), policy_rule("Allow", "", "")}},
              {"types", Array{"Ingress"}}});
  put_policy(wanted_, "", "friends",
             {{"order", 1},
              {"selector", friends},
              {"ingress", Array{policy_rule("Allow", "UDP", friends)}},
              {"egress", Array{Object{{"action", "Allow"}, {"destination", Object{{"selector", friends}}}}}},
              {"types", Array{"Ingress", "Egress"}}});
}

std::string ChaosWorld::some_selector() {
  const std::vector<std::string> all = {
      "app == 'a'", "app in {'a', 'b'}", "app != 'c'", "has(set)", "all()", "role == 'other' || app == 'd'"};
  return all[random_.below(all.size())];
}

void ChaosWorld::put_random_policy() {
  Array rules;
  const std::uint64_t count = random_.below(4);
  for (std::uint64_t i = 0; i <= count; ++i) {
    const bool is_tcp = random_.below(2) == 0;
    rules.push_back(policy_rule(random_.below(3) == 0 ? "Deny" : "Allow", is_tcp ? "TCP" : "UDP", some_selector(),
                                static_cast<int>(1 + random_.below(9000))));
  }
  const bool is_ingress = random_.below(2) == 0;
  put_policy(wanted_, "", concat("random-", random_.below(10)),
             {{"order", static_cast<std::int64_t>(10 + random_.below(5))},
              {"selector", some_selector()},
              {is_ingress ? "ingress" : "egress", std::move(rules)},
              {"types", Array{is_ingress ? "Ingress" : "Egress"}}});
}

void ChaosWorld::put_random_set() {
  Array nets;
  const std::uint64_t count = random_.below(30);
  for (std::uint64_t i = 0; i <= count; ++i) {
    nets.emplace_back(concat("203.0.", random_.below(256), ".", random_.below(256), "/32"));
  }
  put_network_set(wanted_, concat("set-", random_.below(4)), {{"set", "yes"}}, std::move(nets));
}

void ChaosWorld::put_random_pod(std::size_t number) {
  put_pod(wanted_, pod(number, name_of_pod(number), random_.below(2) == 0 ? "other" : "none"));
}

void ChaosWorld::remove_one(Kind kind) {
  std::vector<ObjectKey> candidates;
  for (const auto& [key, object] : wanted_) {
    if (key.kind == kind && (key.name.starts_with("random-") || key.name.starts_with("set-")))
      candidates.push_back(key);
  }
  if (!candidates.empty()) wanted_.erase(candidates[random_.below(candidates.size())]);
}

void ChaosWorld::change_object() {
  switch (random_.below(7)) {
    case 0:
    case 1: put_random_policy(); break;
    case 2: put_random_set(); break;
    case 3: remove_one(Kind::kGlobalNetworkPolicy); break;
    case 4: remove_one(Kind::kGlobalNetworkSet); break;
    case 5: put_random_pod(kWitnessPods + random_.below(kOtherPods)); break;
    default: {
      const std::size_t number = kWitnessPods + kOtherPods + random_.below(kGuests);
      const ObjectKey key{Kind::kPod, kPodNamespace, name_of_pod(number)};
      if (wanted_.erase(key) > 0) break;
      put_random_pod(number);
    }
  }
  for (const std::string& line : node_->bring_to(wanted_)) std::fprintf(stderr, "%s\n", line.c_str());
}

void ChaosWorld::flap_link() {
  const std::size_t number = kWitnessPods + random_.below(kOtherPods);
  const std::string interface = policy::interface_name_of(kPodNamespace, name_of_pod(number));
  node_->node().ip({concat("link set ", interface, " down"), concat("link set ", interface, " up")});
}

void ChaosWorld::edit_foreign_rule() {
  const std::vector<std::string> rule = {"FORWARD", "-s", "198.51.100.0/24", "-p", "tcp", "--dport",
                                         "99",      "-j", "RETURN"};
  std::vector<std::string> argv = {"iptables", "-w", "10"};
  if (has_foreign_rule_) {
    argv.emplace_back("-D");
  } else {
    argv.emplace_back(random_.below(2) == 0 ? "-I" : "-A");
  }
  argv.insert(argv.end(), rule.begin(), rule.end());
  const ProgramResult done = node_->node().run(argv);
  if (done.exit_status != 0) std::fprintf(stderr, "%s\n", done.err.c_str());
  MARGAY_CHECK(done.exit_status == 0);
  has_foreign_rule_ = !has_foreign_rule_;
}

void ChaosWorld::drop_watches() { (void)unix_http(node_->server_socket(), "POST", "/debug/faults/drop-watches"); }

std::vector<std::string> ChaosWorld::own_chains(const std::string& table) const {
  std::vector<std::string> out;
  const std::string saved = node_->node().run({"iptables-save", "-t", table}).out;
  for (const std::string_view line : split(saved, '\n')) {
    if (line.starts_with(":margay-")) out.emplace_back(line.substr(1, line.find(' ') - 1));
  }
  return out;
}

std::string ChaosWorld::sabotage() {
  std::vector<std::string> argv;
  switch (random_.below(4)) {
    case 0: {
      const std::vector<std::string> chains = own_chains("filter");
      argv = {"iptables", "-w", "10", "-F", chains[random_.below(chains.size())]};
      break;
    }
    case 1: argv = {"iptables", "-w", "10", "-F", random_.below(2) == 0 ? "FORWARD" : "INPUT"}; break;
    case 2: {
      const std::string listed = sorted_lines(node_->node().run({"ipset", "list", "-n"}).out);
      const auto names = split(trim(listed), '\n');
      argv = {"ipset", "flush", std::string(names[random_.below(names.size())])};
      break;
    }
    default:
      argv = {"ip",    "route", "del", address_of_pod(random_.below(kWitnessPods + kOtherPods)).to_string(),
              "proto", "80"};
  }
  if (argv.back() == "FORWARD") has_foreign_rule_ = false;
  const ProgramResult done = node_->node().run(argv);
  return concat(join(argv, " "), ": ", done.exit_status, " ", done.err);
}

void ChaosWorld::wipe() {
  for (const char* program : {"iptables", "ip6tables"}) {
    for (const char* table : {"raw", "mangle", "nat", "filter"}) {
      (void)node_->node().run({program, "-w", "10", "-t", table, "-F"});
      (void)node_->node().run({program, "-w", "10", "-t", table, "-X"});
    }
  }
  has_foreign_rule_ = false;
  (void)node_->node().run({"ipset", "destroy"});
  (void)node_->node().run({"ip", "route", "flush", "proto", "80"});
  (void)node_->node().run({"ip", "-6", "route", "flush", "proto", "80"});
}

std::string ChaosWorld::kernel() const {
  const NetSpace& node = node_->node();
  return concat("# v4\n", own_rules(node.run({"iptables-save"}).out), "# v6\n",
                own_rules(node.run({"ip6tables-save"}).out), "# sets\n", own_sets(node.run({"ipset", "save"}).out),
                "# routes\n", sorted_lines(node.run({"ip", "route", "show", "proto", "80"}).out),
                sorted_lines(node.run({"ip", "-6", "route", "show", "proto", "80"}).out), "# neighbours\n",
                sorted_lines(node.run({"ip", "neigh", "show", "nud", "permanent"}).out));
}

void ChaosWorld::start_witnesses() {
  const auto path = [this](std::size_t from, std::size_t to, std::uint16_t port) {
    return Witness::Path{.from = &node_->pod(kPodNamespace, name_of_pod(from), {address_of_pod(from)}),
                         .to = &node_->pod(kPodNamespace, name_of_pod(to), {address_of_pod(to)}),
                         .source = address_of_pod(from),
                         .destination = address_of_pod(to),
                         .port = port};
  };
  forbidden_.push_back(std::make_unique<Witness>(path(0, 1, 7000), Witness::Ports::kNewEach));
  permitted_.push_back(std::make_unique<Witness>(path(2, 3, 7001), Witness::Ports::kNewEach));
  permitted_.push_back(std::make_unique<Witness>(path(3, 2, 7002), Witness::Ports::kOne));
}

ChaosWorld::Seen ChaosWorld::seen() {
  Seen out;
  for (const auto& witness : forbidden_) {
    witness->pause();
    const Witness::Count count = witness->count();
    out.forbidden_sent += count.sent;
    out.forbidden_passed += count.arrived;
    witness->go_on();
  }
  for (const auto& witness : permitted_) {
    const Witness::Count count = witness->pause_and_count();
    out.permitted_sent += count.sent;
    out.permitted_lost += count.lost();
  }
  return out;
}

void ChaosWorld::pause_witnesses() {
  for (const auto* list : {&forbidden_, &permitted_}) {
    for (const auto& witness : *list) witness->pause();
  }
}

void ChaosWorld::resume_witnesses() {
  for (const auto* list : {&forbidden_, &permitted_}) {
    for (const auto& witness : *list) witness->go_on();
  }
}

}  // namespace margay::test
