// margay-node as a process, on the real kernel, in network namespaces: the aims of a node's agent. Needs root.
//
//   policy    a policy changed in the API server until the kernel does so, 100 pods, 1,000 policies
//   start     until in sync with a kernel that has it all, 250 pods, 1,000 policies; what was written
//   memory    of the agent with 250 pods of its own among 5,000; CPU time when nothing happens
//   restart   SIGTERM and SIGKILL with 1,000 open connections: what was lost
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "base/core/text.h"
#include "test/bench/measure.h"
#include "test/support/one_node.h"
#include "test/support/sample_objects.h"
#include "test/support/witness.h"

namespace margay::bench {
namespace {

using json::Array;
using json::Object;
using json::Value;
using test::ObjectMap;
using test::OneNode;
using test::Witness;

constexpr const char* kSpace = "default";
constexpr std::size_t kApps = 50;  // each has as many pods and policies
constexpr std::uint16_t kProbePort = 7000;
constexpr int kPauseMs = 50;

IpAddress pod_address(std::size_t number) {
  return IpAddress::v4(0x0a4d0001U + static_cast<std::uint32_t>(number));  // 10.77.0.1 and on
}
std::string pod_name(std::size_t number) { return concat("pod-", number); }

struct Size {
  std::size_t local_pods = 0, all_pods = 0, policies = 0;
};

Array rules_of_policy(std::size_t number) {
  Array rules;
  for (std::size_t i = 0; i < 5; ++i) {
    rules.push_back(test::policy_rule("Allow", "TCP", concat("app == 'app-", (number + i) % kApps, "'"),
                                      static_cast<int>(8000 + i)));
  }
  return rules;
}

// Each policy selects the pods of one app and lets those of five apps in.
ObjectMap objects_of(const Size& size) {
  ObjectMap out;
  test::put_namespace(out, kSpace);
  for (std::size_t i = 0; i < size.all_pods; ++i) {
    const std::string node = i < size.local_pods ? OneNode::kName : concat("node-", 2 + i / 100);
    test::put_pod(out, {.name_space = kSpace,
                        .name = pod_name(i),
                        .node = node,
                        .labels = {{"app", concat("app-", i % kApps)}, {"tier", i % 2 == 0 ? "front" : "back"}},
                        .address = pod_address(i)});
  }
  for (std::size_t i = 0; i < size.policies; ++i) {
    test::put_policy(out, kSpace, concat("policy-", i),
                     {{"order", 100},
                      {"selector", concat("app == 'app-", i % kApps, "'")},
                      {"ingress", rules_of_policy(i)},
                      {"types", Array{"Ingress"}}});
  }
  return out;
}

std::unique_ptr<OneNode> start_node(const Size& size) {
  std::string why;
  auto node = OneNode::start({}, &why);
  if (node == nullptr) {
    std::printf("not measured: %s\n", why.c_str());
    std::exit(0);
  }
  for (std::size_t i = 0; i < size.local_pods; ++i) node->pod(kSpace, pod_name(i), {pod_address(i)});
  for (const std::string& refused : node->bring_to(objects_of(size))) std::printf("%s\n", refused.c_str());
  node->start_agent();
  const std::string missing = node->wait_for_kernel(std::chrono::seconds(120));
  if (!missing.empty()) std::printf("not in the kernel: %s\n%s\n", missing.c_str(), node->logs().c_str());
  MARGAY_CHECK(missing.empty());
  return node;
}

// Asks with a new connection (a datagram from a port of its own) twice a millisecond whether it passes.
class Watcher {
 public:
  Watcher(const test::NetSpace& from, const test::NetSpace& to, IpAddress source, IpAddress destination)
      : source_(source), destination_(destination) {
    to.call([this] { receiver_ = make_socket(destination_, kProbePort); });
    thread_ = std::thread([this, &from] { from.call([this] { run(); }); });
  }
  ~Watcher() {
    is_ending_ = true;
    thread_.join();
    close(receiver_);
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // When it was first seen to be so, after this call began; polls.
  Clock::time_point wait_until(bool passes) const {
    const std::uint64_t since = rounds_.load() + 1;
    while (rounds_.load() <= since || passes_.load() != passes) (void)poll(nullptr, 0, 1);
    return Clock::time_point(Clock::duration(changed_at_.load()));
  }

 private:
  static int make_socket(const IpAddress& address, std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(address.v4_value());
    MARGAY_CHECK(fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
    return fd;
  }
  [[nodiscard]] bool ask(std::uint16_t port) const {
    const int fd = make_socket(source_, port);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kProbePort);
    to.sin_addr.s_addr = htonl(destination_.v4_value());
    char payload = 0;
    (void)sendto(fd, &payload, 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    close(fd);
    // The kernel carries it to the other namespace within the call that sends it.
    return recv(receiver_, &payload, 1, 0) == 1;
  }
  void run() {
    for (std::uint32_t number = 0; !is_ending_; ++number) {
      const bool passes = ask(static_cast<std::uint16_t>(10000 + number % 50000));
      if (passes != passes_) {
        changed_at_ = Clock::now().time_since_epoch().count();
        passes_ = passes;
      }
      ++rounds_;
      const timespec pause{0, 500'000};
      (void)ppoll(nullptr, 0, &pause, nullptr);
    }
  }

  IpAddress source_, destination_;
  int receiver_ = -1;
  std::atomic<bool> is_ending_ = false, passes_ = false;
  std::atomic<std::uint64_t> rounds_ = 0;
  std::atomic<Clock::rep> changed_at_ = 0;
  std::thread thread_;
};

// One of 1,000 policies lets datagrams in, or not.
void measure_policy() {
  const Size size{.local_pods = 100, .all_pods = 100, .policies = 1000};
  const auto node = start_node(size);
  const Watcher watcher(node->pod(kSpace, pod_name(0), {pod_address(0)}),
                        node->pod(kSpace, pod_name(1), {pod_address(1)}), pod_address(0), pod_address(1));
  constexpr std::size_t kChanged = 501;  // of those that select pod 1
  ObjectMap objects = objects_of(size);
  Samples opened, closed, all;
  constexpr int kRuns = 200;
  for (int run = 0; run < 2 * kRuns; ++run) {
    const bool opens = run % 2 == 0;
    Array rules = rules_of_policy(kChanged);
    if (opens) rules.push_back(test::policy_rule("Allow", "UDP", "all()", kProbePort));
    const model::ObjectKey key = test::put_policy(objects, kSpace, concat("policy-", kChanged),
                                                  {{"order", 100},
                                                   {"selector", concat("app == 'app-", kChanged % kApps, "'")},
                                                   {"ingress", std::move(rules)},
                                                   {"types", Array{"Ingress"}}});
    const auto begin = Clock::now();
    MARGAY_CHECK(node->objects().put(key, &objects[key]).empty());
    const double seconds = std::chrono::duration<double>(watcher.wait_until(opens) - begin).count();
    (opens ? opened : closed).add(seconds);
    all.add(seconds);
    // One change has nothing to do with the next: iptables goes on for a while after the kernel has the rules.
    (void)poll(nullptr, 0, kPauseMs);
  }
  print_samples("policy opens a way, API call to packet", opened, 1e3, "ms");
  print_samples("policy closes it", closed, 1e3, "ms");
  print_samples("both", all, 1e3, "ms");
}

std::int64_t written(const Value& status) {
  std::int64_t sum = 0;
  for (const json::Member& driver : *status.find({"dataplane", "drivers"})->as_object()) {
    const std::int64_t count =
        *driver.value.find("updated")->as_integer() + *driver.value.find("removed")->as_integer();
    // Programs of eBPF are put anew at each start, in one step (D-051).
    if (count == 0 || driver.name == "encapsulation") continue;
    std::printf("  %s wrote %ld\n", driver.name.c_str(), count);
    sum += count;
  }
  return sum;
}

double stage_seconds(const Value& status, std::string_view name) {
  for (const Value& stage : *status.find("stages")->as_array()) {
    const Value* seconds = stage.find("seconds");
    if (stage.string_at({"stage"}) == name && seconds != nullptr) return *seconds->as_double();
  }
  return -1;
}

void measure_start() {
  const auto node = start_node({.local_pods = 250, .all_pods = 250, .policies = 1000});
  Samples in_sync, outside;
  std::int64_t sum = 0;
  constexpr int kRuns = 10;
  for (int run = 0; run < kRuns; ++run) {
    if (run % 2 == 0) {
      MARGAY_CHECK(node->stop_agent() == 0);
    } else {
      node->kill_agent();
    }
    const auto begin = Clock::now();
    node->start_agent();
    // Not all the time: to answer is work for it.
    while (!node->missing_in_kernel().empty()) (void)poll(nullptr, 0, kPauseMs);
    outside.add(seconds_since(begin));
    const Value status = node->ask("/status");
    in_sync.add(stage_seconds(status, "DataplaneSynced"));
    sum += written(status);
    if (run > 0) continue;
    for (const char* stage : {"KernelRead", "DatastoreInSync", "CalcFlushed", "DataplaneSynced", "Ready"}) {
      print_figure(concat("  ", stage), stage_seconds(status, stage) * 1e3, "ms");
    }
  }
  print_samples("start to in sync, nothing to do", in_sync, 1e3, "ms");
  print_samples("the same, from fork, as who asks is told", outside, 1e3, "ms");
  print_figure("rules, sets, routes, settings written", static_cast<double>(sum), "in all of them");
}

double process_kilobytes(pid_t pid, std::string_view field) {
  const std::string text = test::read_text(concat("/proc/", pid, "/status"));
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(field)) return std::strtod(std::string(line.substr(field.size() + 1)).c_str(), nullptr);
  }
  return 0;
}

double cpu_seconds(pid_t pid) {
  const std::string text = test::read_text(concat("/proc/", pid, "/stat"));
  const auto words = split(std::string_view(text).substr(text.rfind(')') + 2), ' ');
  const double ticks =
      std::strtod(std::string(words[11]).c_str(), nullptr) + std::strtod(std::string(words[12]).c_str(), nullptr);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void measure_memory() {
  const auto node = start_node({.local_pods = 250, .all_pods = 5000, .policies = 1000});
  // As after an upgrade: it begins with everything there.
  MARGAY_CHECK(node->stop_agent() == 0);
  node->start_agent();
  MARGAY_CHECK(node->wait_for_kernel().empty());
  const pid_t pid = node->agent()->pid();
  constexpr int kSeconds = 20;
  const double before = cpu_seconds(pid);
  (void)poll(nullptr, 0, kSeconds * 1000);
  print_figure("memory, 250 pods of 5,000, 1,000 policies", process_kilobytes(pid, "VmRSS:") / 1024, "MB");
  print_figure("  of it not files", process_kilobytes(pid, "RssAnon:") / 1024, "MB");
  print_figure("  at most", process_kilobytes(pid, "VmHWM:") / 1024, "MB");
  print_figure("CPU when nothing happens", (cpu_seconds(pid) - before) / kSeconds * 100, "% of a core");
}

// Connections that say one byte each and are answered.
class Connections {
 public:
  Connections(const test::NetSpace& from, const test::NetSpace& to, const IpAddress& address, std::size_t count) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(8000);
    where.sin_addr.s_addr = htonl(address.v4_value());
    const auto* generic = reinterpret_cast<const sockaddr*>(&where);
    int listener = -1;
    to.call([&] {
      listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      MARGAY_CHECK(bind(listener, generic, sizeof(where)) == 0 && listen(listener, 4096) == 0);
    });
    from.call([&] {
      for (std::size_t i = 0; i < count; ++i) {
        const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        MARGAY_CHECK(connect(client, generic, sizeof(where)) == 0);
        clients_.push_back(client);
        servers_.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      }
    });
    close(listener);
    thread_ = std::thread([this] { run(); });
  }
  ~Connections() {
    for (const auto* list : {&clients_, &servers_}) {
      for (const int fd : *list) close(fd);
    }
  }
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  struct Outcome {
    std::size_t rounds = 0, retransmitted = 0, broken = 0;
  };
  Outcome stop() {
    is_ending_ = true;
    thread_.join();
    Outcome out{.rounds = rounds_, .retransmitted = 0, .broken = broken_};
    for (const auto* list : {&clients_, &servers_}) {
      for (const int fd : *list) {
        tcp_info info{};
        socklen_t size = sizeof(info);
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_ESTABLISHED) {
          ++out.broken;
        }
        out.retransmitted += info.tcpi_total_retrans;
      }
    }
    return out;
  }

 private:
  // All speak ten times a second.
  void run() {
    char byte = 0;
    while (!is_ending_) {
      for (std::size_t i = 0; i < clients_.size() && !is_ending_; ++i) {
        const bool is_said = send(clients_[i], &byte, 1, MSG_NOSIGNAL) == 1 && recv(servers_[i], &byte, 1, 0) == 1;
        const bool is_answered =
            is_said && send(servers_[i], &byte, 1, MSG_NOSIGNAL) == 1 && recv(clients_[i], &byte, 1, 0) == 1;
        if (!is_answered) ++broken_;
        if (i % 10 == 9) (void)poll(nullptr, 0, 1);
      }
      ++rounds_;
    }
  }

  std::vector<int> clients_, servers_;
  std::atomic<bool> is_ending_ = false;
  std::size_t rounds_ = 0, broken_ = 0;
  std::thread thread_;
};

void measure_restart() {
  const Size size{.local_pods = 100, .all_pods = 100, .policies = 1000};
  const auto node = start_node(size);
  ObjectMap objects = objects_of(size);
  const model::ObjectKey open = test::put_policy(objects, "", "open",
                                                 {{"order", 1},
                                                  {"selector", "all()"},
                                                  {"ingress", Array{test::policy_rule("Allow", "", "")}},
                                                  {"types", Array{"Ingress"}}});
  MARGAY_CHECK(node->objects().put(open, &objects[open]).empty() && node->wait_for_kernel().empty());
  const test::NetSpace& from = node->pod(kSpace, pod_name(0), {pod_address(0)});
  const test::NetSpace& to = node->pod(kSpace, pod_name(1), {pod_address(1)});
  Connections connections(from, to, pod_address(1), 1000);
  const Witness::Path path{.from = &from, .to = &to, .source = pod_address(0), .destination = pod_address(1)};
  Witness one(path, Witness::Ports::kOne);
  Witness::Path other = path;
  other.port = 7001;
  Witness each(other, Witness::Ports::kNewEach);
  constexpr int kRestarts = 20;
  const std::string routes = node->node().run({"ip", "route", "show", "proto", "80"}).out;
  for (int i = 0; i < kRestarts; ++i) {
    if (i % 2 == 0) {
      MARGAY_CHECK(node->stop_agent() == 0);
    } else {
      node->kill_agent();
    }
    (void)poll(nullptr, 0, 100);
    node->start_agent();
    MARGAY_CHECK(node->wait_for_kernel().empty());
  }
  MARGAY_CHECK(node->node().run({"ip", "route", "show", "proto", "80"}).out == routes);
  const Connections::Outcome outcome = connections.stop();
  const Witness::Count old_ones = one.pause_and_count(), new_ones = each.pause_and_count();
  std::printf("%d restarts: 1,000 connections, %zu rounds of all, %zu packets sent again, %zu broken\n", kRestarts,
              outcome.rounds, outcome.retransmitted, outcome.broken);
  std::printf("  datagrams of one flow: %zu, %zu lost; as new flows: %zu, %zu lost\n", old_ones.sent, old_ones.lost(),
              new_ones.sent, new_ones.lost());
}

}  // namespace
}  // namespace margay::bench

int main(int count, char** arguments) {
  const std::string only = count > 1 ? arguments[1] : "";
  if (only.empty() || only == "policy") margay::bench::measure_policy();
  if (only.empty() || only == "start") margay::bench::measure_start();
  if (only.empty() || only == "memory") margay::bench::measure_memory();
  if (only.empty() || only == "restart") margay::bench::measure_restart();
  return 0;
}
