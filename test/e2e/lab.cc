#include "test/e2e/lab.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/paths.h"
#include "ctl/lab/state.h"
#include "gtest/gtest.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience{60};  // for failures alone
constexpr const char* kPrefix = "e2e-";

ProgramResult call(std::vector<std::string> words, const std::string& input = {}) {
  words.insert(words.begin(), program_path("netctl"));
  return run_program({.argv = words, .environment = {{"NO_COLOR", "1"}}, .stdin_text = input, .output_path = ""});
}

// Labs of runs that were killed.
void remove_leftovers() {
  for (const std::string& name : lab::lab_names()) {
    if (!name.starts_with(kPrefix)) continue;
    const std::vector<std::string_view> parts = split(name, '-');
    const auto pid = parse_number<pid_t>(parts[1]);
    if (pid && kill(*pid, 0) != 0 && errno == ESRCH) (void)call({"lab", "down", "--name", name});
  }
}

bool is_done(const ProgramResult& result) {
  if (result.exit_status != 0) std::fprintf(stderr, "%s%s", result.out.c_str(), result.err.c_str());
  return result.exit_status == 0;
}

std::pair<std::string, std::string> name_parts(const std::string& pod) {
  const auto parts = split_once(pod, '/');
  return {std::string(parts->first), std::string(parts->second)};
}

Witness::Path path_between(const Lab& lab, const NetSpace& from, const std::string& source, const NetSpace& to,
                           const std::string& destination, std::uint16_t port) {
  const auto [from_space, from_name] = name_parts(source);
  const auto [to_space, to_name] = name_parts(destination);
  return {.from = &from,
          .to = &to,
          .source = lab.addresses(from_space, from_name).at(0),
          .destination = lab.addresses(to_space, to_name).at(0),
          .port = port};
}

}  // namespace

std::string missing_for_labs() { return missing_for_net_spaces(); }

Lab::Lab(const std::string& purpose) : name_(concat(kPrefix, getpid(), "-", purpose)) { remove_leftovers(); }

Lab::~Lab() {
  if (testing::Test::HasFailure()) {
    const std::string folder = lab::Paths(name_).folder();
    const ProgramResult logs = run_program({.argv = {"sh", "-c", concat("tail -n 25 ", folder, "/logs/*")},
                                            .environment = {},
                                            .stdin_text = "",
                                            .output_path = ""});
    std::fprintf(stderr, "%s\n", logs.out.c_str());
  }
  (void)run({"down"});
}

ProgramResult Lab::run(std::vector<std::string> words) const {
  // What follows "--" is another program's.
  const auto end = std::find(words.begin(), words.end(), "--");
  words.insert(end, {"--name", name_});
  words.insert(words.begin(), "lab");
  return call(words);
}

ProgramResult Lab::netctl(std::vector<std::string> words, const std::string& input) const {
  words.insert(words.end(), {"--kubeconfig", kubeconfig()});
  return call(words, input);
}

std::string Lab::kubeconfig() const { return lab::Paths(name_).kubeconfig(); }

bool Lab::up(const std::string& example, const std::vector<std::string>& more) const {
  return up_from(source_path("docs/examples/lab/" + example), more);
}

bool Lab::up_from(const std::string& file, const std::vector<std::string>& more) const {
  std::vector<std::string> words{"up", "-f", file};
  words.insert(words.end(), more.begin(), more.end());
  return is_done(run(words));
}

bool Lab::apply_example(const std::string& file) const {
  return is_done(run({"apply", "-f", source_path("docs/examples/" + file)}));
}

bool Lab::apply(const std::string& text) const { return is_done(netctl({"apply", "-f", "-"}, text)); }

std::set<std::string> Lab::cells(const ProgramResult& printed) const {
  std::set<std::string> out;
  const auto parsed = json::parse(printed.out);
  if (!parsed.ok() || parsed->as_array() == nullptr) return out;
  for (const json::Value& cell : *parsed->as_array()) {
    out.insert(concat(cell.string_at({"from"}), " ", cell.string_at({"to"}), " ", cell.string_at({"protocol"}), "/",
                      json::dump(*cell.find("port")), " ", cell.string_at({"verdict"})));
  }
  return out;
}

std::set<std::string> Lab::matrix() const { return cells(run({"matrix", "-o", "json"})); }
std::set<std::string> Lab::calculated() const { return cells(netctl({"policy", "eval", "--matrix", "-o", "json"})); }

bool Lab::is_as_calculated() const {
  const std::set<std::string> packets = matrix();
  const std::set<std::string> policy = calculated();
  // Policy alone answers for more ports than the pods serve.
  return !packets.empty() && std::includes(policy.begin(), policy.end(), packets.begin(), packets.end());
}

bool Lab::becomes_well() const {
  if (poll_until(kPatience, [this] { return is_well(); })) return true;
  const ProgramResult status = run({"status"});
  std::fprintf(stderr, "%s%s", status.out.c_str(), status.err.c_str());
  return false;
}

bool Lab::routes_spread(const std::vector<std::string>& nodes, std::size_t blocks) const {
  std::string seen;
  const bool have = poll_until(kPatience, [&] {
    seen.clear();
    return std::all_of(nodes.begin(), nodes.end(), [&](const std::string& node) {
      seen = concat(node, ":\n", run({"exec", concat("node/", node), "--", "ip", "route", "show", "proto", "80"}).out);
      std::size_t count = 0;
      for (const std::string_view line : split(seen, '\n')) {
        if (line.find("/26 ") != std::string_view::npos && !line.starts_with("blackhole")) ++count;
      }
      return count >= blocks;
    });
  });
  if (!have) std::fprintf(stderr, "%s", seen.c_str());
  return have;
}

std::string Lab::pod_on(const std::string& node) const {
  const auto listed = json::parse(netctl({"get", "pods", "-A", "-o", "json"}).out);
  const json::Value* items = listed.ok() ? listed->find("items") : nullptr;
  for (const json::Value& pod : items == nullptr || items->as_array() == nullptr ? json::Array{} : *items->as_array()) {
    if (pod.string_at({"spec", "nodeName"}) != node) continue;
    return concat(pod.string_at({"metadata", "namespace"}), "/", pod.string_at({"metadata", "name"}));
  }
  ADD_FAILURE() << "no pod on " << node;
  return "none/none";
}

std::vector<IpAddress> Lab::addresses(const std::string& name_space, const std::string& pod) const {
  std::vector<IpAddress> out;
  const auto object = json::parse(netctl({"get", "pod", pod, "-n", name_space, "-o", "json"}).out);
  const json::Value* ips = object.ok() ? object->find({"status", "podIPs"}) : nullptr;
  if (ips == nullptr || ips->as_array() == nullptr) return out;
  for (const json::Value& each : *ips->as_array()) {
    if (const auto address = IpAddress::parse(each.string_at({"ip"})); address.ok()) out.push_back(*address);
  }
  return out;
}

NetSpace Lab::pod_space(const std::string& name_space, const std::string& pod) const {
  return NetSpace(lab::path_of_space(lab::Paths(name_).space_of_pod(name_space, pod)));
}

std::string show(const std::set<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

Traffic::Traffic(const Lab& lab, const std::string& from, const std::string& to)
    : from_(lab.pod_space(name_parts(from).first, name_parts(from).second)),
      to_(lab.pod_space(name_parts(to).first, name_parts(to).second)),
      flow_(path_between(lab, from_, from, to_, to, 7000), Witness::Ports::kOne),
      fresh_(path_between(lab, from_, from, to_, to, 7001), Witness::Ports::kNewEach) {}

std::size_t Traffic::lost() { return flow_.pause_and_count().lost() + fresh_.pause_and_count().lost(); }

}  // namespace margay::test
