#include "ctl/lab/keeper.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/processes.h"

namespace margay::lab {
namespace {

using json::Object;
using json::Value;

constexpr std::size_t kAtOnce = 8;

// Into the keeper's log.
void say(const std::string& line) {
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
}

// Addresses of a CNI result, without their lengths.
std::vector<IpAddress> addresses_in(const Value& result) {
  std::vector<IpAddress> out;
  const Value* ips = result.find("ips");
  if (ips == nullptr || ips->as_array() == nullptr) return out;
  for (const Value& each : *ips->as_array()) {
    const std::string_view text = each.string_at({"address"});
    if (const auto address = IpAddress::parse(text.substr(0, text.find('/'))); address.ok()) out.push_back(*address);
  }
  return out;
}

}  // namespace

Keeper::Keeper(verbs::Api& api, KeeperKinds kinds, KeeperOptions options)
    : api_(api), kinds_(kinds), options_(std::move(options)) {}

bool Keeper::pass(const std::vector<Value>& objects, const std::string& now) {
  std::vector<LabPod> all;
  all.reserve(objects.size());
  for (const Value& object : objects) all.push_back(read_pod(object));
  remove_strays(all);

  bool is_done = true;
  std::vector<std::string> gone;
  for (const auto& [name, run] : runs_) {
    const LabPod* pod = find_pod(all, name, "");
    // Another pod of the same name is a new one.
    if (pod == nullptr || pod->is_going || pod->uid != run.pod.uid) gone.push_back(name);
  }
  for (const std::string& name : gone) {
    if (stop(runs_.at(name))) {
      runs_.erase(name);
    } else {
      is_done = false;
    }
  }
  is_done = finish_deletions(all) && is_done;
  std::vector<const LabPod*> to_start;
  for (LabPod& pod : all) {
    if (pod.is_going || pod.is_host_networked || runs_.contains(pod.to_string())) continue;
    const bool has_node = !pod.node.empty() || schedule(pod, all);
    if (has_node) to_start.push_back(&pod);
    is_done = has_node && is_done;
  }
  return start(to_start, now) && is_done;
}

bool Keeper::finish_deletions(const std::vector<LabPod>& all) {
  bool is_done = true;
  for (const LabPod& pod : all) {
    if (!pod.is_deleted || runs_.contains(pod.to_string())) continue;
    const auto removed =
        api_.remove(*kinds_.pods, {pod.name_space, pod.name}, {.uid = pod.uid, .grace_period_seconds = 0});
    if (removed.ok() || removed.error().code == ErrorCode::kNotFound) continue;
    say(concat(pod.to_string(), ": cannot be deleted: ", removed.error().message));
    is_done = false;
  }
  return is_done;
}

std::vector<std::string> Keeper::open_nodes() {
  std::vector<std::string> closed;
  if (const auto listed = api_.list(*kinds_.nodes, "", {}); listed.ok()) {
    for (const Value& node : listed->items) {
      const Value* flag = node.find({"spec", "unschedulable"});
      if (flag != nullptr && flag->as_bool() != nullptr && *flag->as_bool())
        closed.emplace_back(node.string_at({"metadata", "name"}));
    }
  }
  std::vector<std::string> out;
  for (const LabNode& node : options_.topology.nodes) {
    if (std::find(closed.begin(), closed.end(), node.name) == closed.end()) out.push_back(node.name);
  }
  return out;
}

// margay-apiserver takes the node's name as any field; Kubernetes wants a Binding, as from its scheduler.
bool Keeper::schedule(LabPod& pod, const std::vector<LabPod>& all) {
  const std::string node = choose_node(open_nodes(), all);
  if (node.empty()) return say(concat(pod.to_string(), ": no node takes pods")), false;
  const Value patch = Object{{"spec", Object{{"nodeName", node}}}};
  auto done = api_.patch(*kinds_.pods, {pod.name_space, pod.name}, kube::PatchType::kMerge, json::dump(patch), {});
  if (!done.ok() && done.error().code == ErrorCode::kInvalid) {
    schema::ResourceInfo binding = *kinds_.pods;
    binding.plural = concat("pods/", pod.name, "/binding");
    done = api_.create(binding, pod.name_space,
                       Object{{"apiVersion", "v1"},
                              {"kind", "Binding"},
                              {"metadata", Object{{"name", pod.name}}},
                              {"target", Object{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}},
                       {});
  }
  if (!done.ok()) return say(concat(pod.to_string(), ": no node: ", done.error().message)), false;
  pod.node = node;
  return true;
}

// The plugin waits more than it computes: some at a time.
bool Keeper::start(const std::vector<const LabPod*>& pods, const std::string& now) {
  bool is_done = true;
  for (std::size_t begin = 0; begin < pods.size(); begin += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, pods.size() - begin);
    std::vector<std::optional<Plugged>> plugged(count);
    std::vector<std::thread> threads;
    threads.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] { plugged[i] = plug(*pods[begin + i]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < count; ++i) is_done = run(*pods[begin + i], *plugged[i], now) && is_done;
  }
  return is_done;
}

// A namespace that is there belongs to a pod that an earlier keeper started, and has its interface.
Keeper::Plugged Keeper::plug(const LabPod& pod) const {
  const std::string space = options_.paths.space_of_pod(pod.name_space, pod.name);
  const bool is_new = !has_space(space);
  if (is_new) {
    if (const Status made = create_space(space); !made.ok()) return {is_new, made.error()};
  }
  if (!is_new && !pod.addresses.empty()) return {is_new, pod.addresses};
  auto addresses = add(pod, space);
  if (!addresses.ok()) {
    (void)plugin("DEL", pod, space);
    (void)remove_space(space);
  }
  return {is_new, std::move(addresses)};
}

Result<std::vector<IpAddress>> Keeper::add(const LabPod& pod, const std::string& space) const {
  MARGAY_ASSIGN_OR_RETURN(const std::string printed, plugin("ADD", pod, space));
  MARGAY_ASSIGN_OR_RETURN(const Value result, json::parse(printed));
  return addresses_in(result);
}

bool Keeper::run(const LabPod& pod, const Plugged& plugged, const std::string& now) {
  if (!plugged.addresses.ok()) {
    return say(concat(pod.to_string(), ": ", plugged.addresses.error().message)), false;
  }
  const std::string space = options_.paths.space_of_pod(pod.name_space, pod.name);
  const Status served = server_.serve(pod.to_string(), space, pod.ports, greeting_of(pod.to_string(), pod.node));
  if (!served.ok()) say(concat(pod.to_string(), ": ", served.error().message));
  if (plugged.is_new || !pod.is_running) {
    const Value status = Object{{"status", running_status(pod, *plugged.addresses, host_address(pod.node), now)}};
    const auto written =
        api_.patch_status(*kinds_.pods, {pod.name_space, pod.name}, kube::PatchType::kMerge, json::dump(status), {});
    if (!written.ok()) return say(concat(pod.to_string(), ": status: ", written.error().message)), false;
  }
  runs_[pod.to_string()] = Run{pod, space};
  say(concat(pod.to_string(), " runs on ", pod.node, plugged.is_new ? "" : " (as before)"));
  return served.ok();
}

bool Keeper::stop(const Run& run) {
  server_.end(run.pod.to_string());
  const auto deleted = plugin("DEL", run.pod, run.space);
  if (!deleted.ok()) return say(concat(run.pod.to_string(), ": ", deleted.error().message)), false;
  const Status removed = remove_space(run.space);
  if (!removed.ok()) say(concat(run.pod.to_string(), ": ", removed.error().message));
  say(concat(run.pod.to_string(), " has ended"));
  return removed.ok();
}

Result<std::string> Keeper::plugin(std::string_view command, const LabPod& pod, const std::string& space) const {
  const Value configuration = Object{
      {"cniVersion", "1.0.0"}, {"name", "margay"}, {"type", "margay"}, {"socket", options_.paths.cni_socket(pod.node)}};
  const std::string arguments = concat("IgnoreUnknown=1;K8S_POD_NAMESPACE=", pod.name_space, ";K8S_POD_NAME=", pod.name,
                                       ";K8S_POD_UID=", pod.uid);
  const StartOptions options{.name = {},
                             .argv = {options_.plugin},
                             .environment = {{"CNI_COMMAND", std::string(command)},
                                             {"CNI_CONTAINERID", concat("lab-", pod.uid)},
                                             {"CNI_NETNS", path_of_space(space)},
                                             {"CNI_IFNAME", "eth0"},
                                             {"CNI_PATH", options_.plugin.substr(0, options_.plugin.rfind('/'))},
                                             {"CNI_ARGS", arguments}},
                             .space = options_.paths.space_of(pod.node),
                             .log = {}};
  MARGAY_ASSIGN_OR_RETURN(Captured done, run_captured(options, json::dump(configuration)));
  if (done.exit_status == 0) return std::move(done.out);
  return Error{ErrorCode::kInternal, concat("CNI ", command, " failed (", done.exit_status, "): ", done.out)};
}

std::string Keeper::host_address(const std::string& node) const {
  for (const LabNode& each : options_.topology.nodes) {
    if (each.name == node && !each.addresses.empty()) return each.addresses.front().to_string();
  }
  return {};
}

void Keeper::remove_strays(const std::vector<LabPod>& wanted) {
  if (std::exchange(has_looked_, true)) return;
  for (const std::string& space : spaces_with(options_.paths.space_of("pod."))) {
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const LabPod& pod) {
      return !pod.is_going && options_.paths.space_of_pod(pod.name_space, pod.name) == space;
    });
    if (!is_wanted) (void)remove_space(space);
  }
}

}  // namespace margay::lab
