// The CNI plugin and address management: the library alone, the plugin's start, ADD and DEL of pods in namespaces
// of their own, with a margay-apiserver that adds 5 ms to each request: with the agent's side of the plugin alone, then
// with a whole margay-node, whose ADD ends when route and policy are in the kernel. Needs root.
//
//   bench_cni [alone|node]    one of the two
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "test/bench/measure.h"
#include "test/bench/programs.h"
#include "test/support/api_servers.h"
#include "test/support/cni_node.h"
#include "test/support/net_space.h"
#include "test/support/one_node.h"
#include "test/support/sample_objects.h"
#include "test/support/sync_client.h"

namespace margay::bench {
namespace {

using test::NetSpace;
using test::PluginCall;

constexpr int kPods = 100;
constexpr int kApps = 10, kPolicies = 100;  // a pod is of one app, which ten policies select
const kube::ResourceType kPodType{"", "v1", "pods", "Pod", true};
const kube::ResourceType kPoolType{"projectcalico.org", "v3", "ippools", "IPPool", false};

void measure_library() {
  constexpr std::uint64_t kBlocks = 15'625;  // of 64: a million addresses
  std::vector<model::IpamBlockSpec> blocks;
  const IpAddress first = IpAddress::parse("10.0.0.0").value();
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(ipam::make_block(IpPrefix::containing(*first.plus(i * 64), 26), std::nullopt, std::nullopt));
  }
  const StringMap attributes{{"namespace", "default"}, {"node", "node-1"}, {"pod", "pod-1"}};
  std::vector<ipam::Holder> holders;
  for (int i = 0; i < 64; ++i)
    holders.push_back({concat("k8s-pod-network.", i, "0123456789abcdef0123456789abcdef"), attributes});
  const auto start = Clock::now();
  const std::clock_t cpu_start = std::clock();
  for (model::IpamBlockSpec& block : blocks) {
    for (const ipam::Holder& holder : holders) (void)ipam::assign_any(block, 1, holder, {});
    for (ipam::Ordinal i = 0; i < 64; ++i) (void)ipam::release(block, {{ipam::address_at(block, i)}}, {});
  }
  print_figure("1,000,000 addresses given and released", seconds_since(start) * 1000, "ms");
  print_figure("  its CPU time", static_cast<double>(std::clock() - cpu_start) * 1000 / CLOCKS_PER_SEC, "ms");
}

// CPU time of the programs that were waited for, and of this one (the agent's side).
std::pair<double, double> cpu_seconds() {
  const auto of = [](int who) {
    rusage used{};
    getrusage(who, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  };
  return {of(RUSAGE_CHILDREN), of(RUSAGE_SELF)};
}
void print_cpu(const std::pair<double, double>& before, int calls) {
  const auto now = cpu_seconds();
  print_figure("  CPU time of the plugin, each", (now.first - before.first) * 1000 / calls, "ms");
  print_figure("  and of the agent's side and this bench", (now.second - before.second) * 1000 / calls, "ms");
}

class Bed {
 public:
  Bed(test::ApiServer& server, std::string socket) : socket_(std::move(socket)), client_(server.kubeconfig()) {
    create(kPoolType, R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"four"},
                          "spec":{"cidr":"10.7.0.0/16"}})");
  }

  PluginCall call(const std::string& command, const std::string& name) {
    auto& space = spaces_[name];
    if (space == nullptr) space = std::make_unique<NetSpace>();
    return {.command = command,
            .container = concat("container-", name),
            .netns = space->path(),
            .pod_name = name,
            .config = concat(R"({"cniVersion":"1.1.0","name":"k8s-pod-network","type":"margay","socket":")", socket_,
                             R"("})")};
  }
  // Of address management and pods, as the server counted them.
  double writes(const std::string& resource) {
    const auto text = client_.get_path("/metrics");
    double sum = 0;
    for (const std::string_view line : split(text.ok() ? text.value() : "", '\n')) {
      const bool is_write = line.starts_with("margay_apiserver_requests_total{") &&
                            line.find(concat("resource=\"", resource)) != std::string_view::npos &&
                            line.find("verb=\"get\"") == std::string_view::npos &&
                            line.find("verb=\"list\"") == std::string_view::npos &&
                            line.find("verb=\"watch\"") == std::string_view::npos;
      if (is_write) sum += std::strtod(line.substr(line.rfind(' ') + 1).data(), nullptr);
    }
    return sum;
  }
  void make_pod(const std::string& name) {
    create(kPodType, concat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")", name,
                            R"(","labels":{"app":"app-)", ++pods_ % kApps,
                            R"("}},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]}})"));
  }

 private:
  void create(const kube::ResourceType& type, const std::string& text) {
    const auto made = client_.create(type, json::parse(text).value());
    if (!made.ok()) std::printf("%s\n", made.error().message.c_str());
  }

  std::string socket_;
  test::SyncClient client_;
  std::map<std::string, std::unique_ptr<NetSpace>> spaces_;
  int pods_ = 0;
};

// Not run_plugin: that one forks, which takes a process with many threads a millisecond.
bool run(const PluginCall& call) {
  const test::ProcessOptions options = test::plugin_process(call);
  const int input = memfd_create("in", MFD_CLOEXEC), result = memfd_create("out", MFD_CLOEXEC);
  (void)!write(input, options.stdin_text.data(), options.stdin_text.size());
  lseek(input, 0, SEEK_SET);
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.environment) variables.push_back(concat(name, '=', value));
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string program = options.argv.front();
  char* argv[] = {program.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, 0);
  posix_spawn_file_actions_adddup2(&files, result, 1);
  pid_t pid = 0;
  int status = -1;
  if (posix_spawn(&pid, argv[0], &files, nullptr, argv, environment.data()) == 0) waitpid(pid, &status, 0);
  posix_spawn_file_actions_destroy(&files);
  std::string text(4096, '\0');
  const ssize_t size = pread(result, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  close(input);
  close(result);
  if (status != 0) std::printf("%s failed: %s\n", call.command.c_str(), text.c_str());
  return status == 0;
}

// Every request takes so much longer.
void slow_down(const test::ApiServer& server, int milliseconds) {
  const std::string config = test::read_text(server.kubeconfig());
  const auto value_of = [&config](std::string_view key) {
    const std::size_t begin = config.find(key) + key.size();
    return config.substr(begin, config.find('\n', begin) - begin);
  };
  const std::string socket = value_of("server: unix://"), token = value_of("token: ");
  const auto told =
      test::run_program({.argv = {"curl", "-s", "--unix-socket", socket, "-X", "PUT", "-H",
                                  "Content-Type: application/json", "-H", concat("Authorization: Bearer ", token), "-d",
                                  concat(R"({"rules":[{"action":"delay","delayMs":)", milliseconds, "}]}"),
                                  "http://localhost/debug/faults"},
                         .environment = {},
                         .stdin_text = "",
                         .output_path = ""});
  if (told.out.find("delay") == std::string::npos) std::printf("the server is not slowed down: %s\n", told.out.c_str());
}

// `pause` between two: what the agent does after a call does not keep the next one waiting.
void measure_pods(Bed& bed, const std::string& when, std::chrono::milliseconds pause) {
  Samples adds, dels;
  const auto before = cpu_seconds();
  for (int i = 0; i < kPods; ++i) {
    const std::string name = concat("one-", i, when.front());
    bed.make_pod(name);
    const PluginCall call = bed.call("ADD", name);
    (void)poll(nullptr, 0, static_cast<int>(pause.count()));
    const auto start = Clock::now();
    if (!run(call)) return;
    adds.add(seconds_since(start));
  }
  print_samples(concat("ADD, one at a time, ", when), adds, 1000, "ms");
  print_cpu(before, kPods);
  const auto before_del = cpu_seconds();
  for (int i = 0; i < kPods; ++i) {
    const PluginCall call = bed.call("DEL", concat("one-", i, when.front()));
    (void)poll(nullptr, 0, static_cast<int>(pause.count()));
    const auto start = Clock::now();
    if (!run(call)) return;
    dels.add(seconds_since(start));
  }
  print_samples(concat("DEL, one at a time, ", when), dels, 1000, "ms");
  print_cpu(before_del, kPods);
}

void measure_burst(Bed& bed) {
  std::vector<PluginCall> calls;
  for (int i = 0; i < kPods; ++i) {
    bed.make_pod(concat("many-", i));
    calls.push_back(bed.call("ADD", concat("many-", i)));
  }
  constexpr const char* kResources[] = {"pods", "ipamblocks", "ipamhandles", "blockaffinities"};
  std::map<std::string, double> before;
  for (const char* resource : kResources) before[resource] = bed.writes(resource);
  std::vector<std::thread> threads;
  const auto cpu_before = cpu_seconds();
  const auto start = Clock::now();
  for (const PluginCall& call : calls) threads.emplace_back([&call] { (void)run(call); });
  for (std::thread& thread : threads) thread.join();
  const double seconds = seconds_since(start);
  print_figure("ADD, 100 at once, all done", seconds * 1000, "ms");
  print_cpu(cpu_before, kPods);
  for (const char* resource : kResources) {
    print_figure(concat("  writes of ", resource), bed.writes(resource) - before[resource], "");
  }
}

void measure(Bed& bed, const test::ApiServer& server, std::chrono::milliseconds pause) {
  measure_pods(bed, "0 ms a request", pause);
  slow_down(server, 5);
  measure_pods(bed, "5 ms a request", pause);
  measure_burst(bed);
}

void give_host_address() {
  (void)test::run_program({.argv = {"sh", "-c", "ip link set lo up && ip addr add 192.0.2.9/32 dev lo"},
                           .environment = {},
                           .stdin_text = "",
                           .output_path = ""});
}

void run_alone() {
  std::string why;
  const auto server = test::start_memory_server({.flags = {"--enable-fault-injection"}, .unix_socket = true}, &why);
  const auto scratch = netlink::ScratchNamespace::enter();
  if (server == nullptr || !scratch.ok()) return (void)std::printf("%s\n", why.c_str());
  give_host_address();
  const test::TempDir folder;
  Bed bed(*server, folder.file("cni.sock"));
  const test::CniNode node(
      {.kubeconfig = server->kubeconfig(), .socket = folder.file("cni.sock"), .spool_folder = folder.file("releases")});
  std::printf("the agent's side of the plugin alone, which makes routes and no policy\n");
  measure(bed, *server, {});
}

test::ObjectMap policies() {
  test::ObjectMap out;
  test::put_namespace(out, "default");
  for (int i = 0; i < kPolicies; ++i) {
    json::Array rules;
    for (int rule = 0; rule < 5; ++rule) {
      rules.push_back(test::policy_rule("Allow", "TCP", concat("app == 'app-", (i + rule) % kApps, "'"), 8000 + rule));
    }
    test::put_policy(out, "default", concat("policy-", i),
                     {{"order", 100},
                      {"selector", concat("app == 'app-", i % kApps, "'")},
                      {"ingress", std::move(rules)},
                      {"types", json::Array{"Ingress"}}});
  }
  return out;
}

void run_with_agent() {
  std::string why;
  const auto node = test::OneNode::start({.server = {.flags = {"--enable-fault-injection"}}}, &why);
  if (node == nullptr) return (void)std::printf("not measured with margay-node: %s\n", why.c_str());
  for (const std::string& refused : node->bring_to(policies())) std::printf("%s\n", refused.c_str());
  Bed bed(node->server(), node->file("cni.sock"));
  node->start_agent();
  const std::string missing = node->wait_for_kernel();
  if (!missing.empty()) return (void)std::printf("not in the kernel: %s\n%s\n", missing.c_str(), node->logs().c_str());
  std::printf("margay-node, %d policies of 5 rules, 10 of them on each pod; 50 ms between two pods\n", kPolicies);
  node->node().call([&] { measure(bed, node->server(), std::chrono::milliseconds(50)); });
}

int run_programs(const std::string& which) {
  setenv("CNI_COMMAND", "VERSION", 1);
  measure_program("/bin/true (floor)", {"/bin/true"}, 5, 100);
  measure_program("margay VERSION, fork to exit", {test::program_path("margay")}, 5, 100);
  unsetenv("CNI_COMMAND");
  if (getuid() != 0) {
    std::printf("ADD and DEL need root\n");
    return 0;
  }
  if (which != "node") run_alone();
  if (which != "alone") run_with_agent();
  return 0;
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  // The library last: a process that has had much memory takes longer to start others.
  const int outcome = margay::bench::run_programs(argc > 1 ? argv[1] : "");
  margay::bench::measure_library();
  return outcome;
}
