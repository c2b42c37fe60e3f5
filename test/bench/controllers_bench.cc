// margay-controllers as a process against margay-apiserver: cold start with 5,000 NetworkPolicies and a server that
// takes 5 ms for each write, memory with 20,000 pods beside them, from a NetworkPolicy created to the translated object
// seen, how many objects one change writes, and how long nobody writes when the leader is killed.

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/watch/resource_of.h"
#include "test/bench/measure.h"
#include "test/bench/pod_list.h"
#include "test/bench/session.h"
#include "test/support/api_servers.h"

namespace margay::bench {
namespace {

constexpr std::size_t kPolicies = 5'000;
constexpr std::size_t kPods = 20'000;
constexpr std::size_t kNamespaces = 50;
constexpr std::size_t kWriters = 16;
constexpr int kSingles = 300;
constexpr Duration kPatience = std::chrono::minutes(5);

const kube::ResourceType kSources = watch::resource_of(model::Kind::kKubernetesNetworkPolicy);
const kube::ResourceType kMade = watch::resource_of(model::Kind::kNetworkPolicy);
const kube::ResourceType kPodType = watch::resource_of(model::Kind::kPod);

json::Value source(std::size_t index, std::uint64_t version) {
  return json::parse_yaml(concat(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: ns-)",
                                 index % kNamespaces, ", name: p-", index, R"(}
spec:
  podSelector: {matchLabels: {app: web, v: ')",
                                 version, R"('}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: front}}}, {namespaceSelector: {matchLabels: {team: a}}}]
    ports: [{port: 80, protocol: TCP}, {port: 443, protocol: TCP}]
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
)"))
      ->at(0)
      .value;
}

void create_all(Session& session, const kube::ResourceType& type, std::size_t count,
                const std::function<json::Value(std::size_t)>& make) {
  std::vector<kube::OperationPtr> slots(kWriters);
  std::size_t started = 0, finished = 0;
  std::function<void(std::size_t)> next = [&](std::size_t slot) {
    if (started == count) return;
    const json::Value object = make(started++);
    slots[slot] =
        session.client->create(type, object.string_at({"metadata", "namespace"}), object, {}, [&, slot](auto result) {
          if (!result.ok()) std::printf("%s\n", result.error().message.c_str());
          MARGAY_CHECK(result.ok());
          ++finished;
          session.loop.post([&next, slot] { next(slot); });
        });
  };
  for (std::size_t slot = 0; slot < kWriters; ++slot) next(slot);
  MARGAY_CHECK(session.loop.run_until([&] { return finished == count; }, kPatience));
  session.loop.run_for(Duration::zero());  // what is still posted refers to this frame
}

// Counts what is made, as a watcher sees it.
class Watcher {
 public:
  explicit Watcher(Session& session) : session_(session) {
    operation_ = session.client->watch(kMade, "", {},
                                       {.on_open = [this] { is_open_ = true; },
                                        .on_event =
                                            [this](const kube::WatchEvent& event) {
                                              if (event.kind != kube::WatchEvent::Kind::kBookmark) ++events_;
                                            },
                                        .on_done = [](auto) {}});
    MARGAY_CHECK(session.loop.run_until([this] { return is_open_; }, kPatience));
  }
  void wait_for(std::size_t events) {
    MARGAY_CHECK(session_.loop.run_until([&] { return events_ >= events; }, kPatience));
  }
  [[nodiscard]] std::size_t events() const { return events_; }

 private:
  Session& session_;
  bool is_open_ = false;
  std::size_t events_ = 0;
  kube::OperationPtr operation_;
};

std::string token_of(const std::string& kubeconfig) {
  const std::string text = test::read_text(kubeconfig);
  const std::size_t at = text.find("token: ");
  return at == std::string::npos ? "" : text.substr(at + 7, text.find('\n', at) - at - 7);
}
std::string url_of(const std::string& kubeconfig) {
  const std::string text = test::read_text(kubeconfig);
  const std::size_t at = text.find("server: ");
  return text.substr(at + 8, text.find('\n', at) - at - 8);
}

void set_faults(const std::string& kubeconfig, const std::string& rules) {
  const auto done = test::run_program(
      {.argv = {"curl", "-sSk", "--fail", "-X", "PUT", "-H", concat("Authorization: Bearer ", token_of(kubeconfig)),
                "-d", concat(R"({"rules":[)", rules, "]}"), url_of(kubeconfig) + "/debug/faults"},
       .environment = {},
       .stdin_text = {},
       .output_path = {}});
  if (done.exit_status != 0) std::printf("faults: %s%s\n", done.out.c_str(), done.err.c_str());
  MARGAY_CHECK(done.exit_status == 0);
}

double memory_mb(pid_t pid, std::string_view what) {
  const std::string text = test::read_text(concat("/proc/", pid, "/status"));
  const std::size_t at = text.find(what);
  return at == std::string::npos ? 0 : std::stod(text.substr(at + what.size() + 1)) / 1024;
}

class Program {
 public:
  Program(const std::string& kubeconfig, const std::string& identity)
      : process_({.argv = {test::program_path("margay-controllers"), "--kubeconfig", kubeconfig, "--listen", "none",
                           "--identity", identity},
                  .environment = {},
                  .stdin_text = {},
                  .output_path = folder_.file("log")}) {}
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

 private:
  test::TempDir folder_;
  test::ChildProcess process_;
};

void measure_singles(Session& session, Watcher& watcher, std::size_t& seen) {
  Samples samples;
  for (int i = 0; i < kSingles; ++i) {
    const std::size_t index = kPolicies + static_cast<std::size_t>(i);
    const json::Value object = source(index, 1);
    const auto start = Clock::now();
    const auto operation =
        session.client->create(kSources, object.string_at({"metadata", "namespace"}), object, {}, [](auto) {});
    watcher.wait_for(++seen);
    samples.add(seconds_since(start));
  }
  print_samples("NetworkPolicy created to translated seen", samples, 1000, "ms");
}

void measure_changes(Session& session, Watcher& watcher, std::size_t& seen) {
  constexpr std::size_t kChanges = 100;
  for (std::size_t i = 0; i < kChanges; ++i) {
    const json::Value object = source(i, 2);
    const kube::ObjectName name{std::string(object.string_at({"metadata", "namespace"})),
                                std::string(object.string_at({"metadata", "name"}))};
    const auto operation = session.client->update(kSources, name, object, {}, [](auto) {});
    watcher.wait_for(++seen);
  }
  session.loop.run_for(std::chrono::seconds(1));
  print_figure("objects written for each policy changed",
               static_cast<double>(watcher.events() - seen + kChanges) / kChanges, "");
  seen = watcher.events();
}

// From the kill of who leads until what was created then is translated by the next.
void measure_takeover(Session& session, Watcher& watcher, std::size_t& seen, const std::string& kubeconfig,
                      std::unique_ptr<Program>& leading) {
  constexpr int kKills = 7;
  Samples samples;
  for (int i = 0; i < kKills; ++i) {
    auto next = std::make_unique<Program>(kubeconfig, concat("next-", i));
    session.loop.run_for(std::chrono::milliseconds(2500 + 130 * i));  // it is in sync, and the Lease at any age
    const json::Value object = source(kPolicies + kSingles + static_cast<std::size_t>(i), 1);
    leading.reset();
    const auto start = Clock::now();
    const auto operation =
        session.client->create(kSources, object.string_at({"metadata", "namespace"}), object, {}, [](auto) {});
    watcher.wait_for(++seen);
    samples.add(seconds_since(start));
    leading = std::move(next);
  }
  print_samples("leader killed until the next has written", samples, 1, "s");
}

void run() {
  std::string why;
  const auto server = test::start_memory_server({.flags = {"--enable-fault-injection"}}, &why);
  if (server == nullptr) return (void)std::printf("skipped: %s\n", why.c_str());
  Session session(server->kubeconfig());
  create_all(session, watch::resource_of(model::Kind::kNamespace), kNamespaces, [](std::size_t index) {
    return json::parse_yaml(concat("{apiVersion: v1, kind: Namespace, metadata: {name: ns-", index, "}}"))->at(0).value;
  });
  create_all(session, kSources, kPolicies, [](std::size_t index) { return source(index, 1); });
  {
    auto list = json::parse(pod_list(kPods), {.bytes_max = SIZE_MAX});
    json::Array& pods = *(*list)["items"].as_array();
    create_all(session, kPodType, kPods, [&](std::size_t index) {
      json::Value& pod = pods[index];
      pod["metadata"]["namespace"] = concat("ns-", index % kNamespaces);
      pod["metadata"].make_object().erase("resourceVersion");
      pod["metadata"].make_object().erase("ownerReferences");
      return pod;
    });
  }
  std::string slow;
  for (const char* verb : {"create", "update", "patch", "delete"}) {
    slow += concat(slow.empty() ? "" : ",", R"({"verb":")", verb, R"(","action":"delay","delayMs":5})");
  }
  set_faults(server->kubeconfig(), slow);
  Watcher watcher(session);
  const auto start = Clock::now();
  auto program = std::make_unique<Program>(server->kubeconfig(), "a");
  watcher.wait_for(kPolicies);
  print_figure("5,000 policies, cold start, 5 ms a write", seconds_since(start), "s");
  std::size_t seen = kPolicies;
  set_faults(server->kubeconfig(), "");
  measure_singles(session, watcher, seen);
  measure_changes(session, watcher, seen);
  print_figure("memory: 20,000 pods, 5,000 policies", memory_mb(program->pid(), "VmRSS:"), "MB");
  print_figure("memory: at most, from the start on", memory_mb(program->pid(), "VmHWM:"), "MB");
  // A restart finds all as it is.
  program.reset();
  program = std::make_unique<Program>(server->kubeconfig(), "b");
  session.loop.run_for(std::chrono::seconds(8));
  print_figure("objects written by a restart", static_cast<double>(watcher.events() - seen), "");
  print_figure("memory: after a restart", memory_mb(program->pid(), "VmRSS:"), "MB");
  seen = watcher.events();
  measure_takeover(session, watcher, seen, server->kubeconfig(), program);
}

}  // namespace
}  // namespace margay::bench

int main() { margay::bench::run(); }
