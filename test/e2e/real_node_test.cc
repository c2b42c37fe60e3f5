// Real Kubernetes nodes: kubelet, controller-manager, scheduler, kube-proxy, containerd and runc. The shipped manifest
// is applied as it is; its DaemonSet and Deployment run from images as the Dockerfile has them. Then what users do: a
// Deployment of 50 pods, policies of a book, a Service's address, pods deleted, a node drained.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "base/core/text.h"
#include "base/json/value.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "gtest/gtest.h"
#include "test/e2e/kube_cluster.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReplicas = 50;
const kube::ResourceType kPodKind{"", "v1", "pods", "Pod", true};
const kube::ResourceType kHandleKind{"projectcalico.org", "v3", "ipamhandles", "IPAMHandle", false};

// PIDs 1 ignore what they do not handle: without it each pod would end 30 s after it was told to.
constexpr const char* kServe =
    "imagePullPolicy: Never, command: [sh, -c, 'for p in 80 8080 5432; do httpd -p $p -h /www; done; "
    "trap exit TERM; while :; do sleep 1; done']";

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Which of the addresses take a connection to port 80, from the calling thread's network.
std::set<std::string> reachable(const std::set<std::string>& addresses) {
  std::vector<pollfd> waiting;
  std::vector<std::string> names;
  for (const std::string& address : addresses) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(80);
    inet_pton(AF_INET, address.c_str(), &place.sin_addr);
    const int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)connect(caller, reinterpret_cast<sockaddr*>(&place), sizeof(place));
    waiting.push_back({caller, POLLOUT, 0});
    names.push_back(address);
  }
  std::set<std::string> out;
  const auto end = Clock::now() + milliseconds(30);
  while (Clock::now() < end && poll(waiting.data(), waiting.size(), 5) >= 0) {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if ((waiting[i].revents & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
      int problem = 0;
      socklen_t size = sizeof(problem);
      getsockopt(waiting[i].fd, SOL_SOCKET, SO_ERROR, &problem, &size);
      if (problem == 0) out.insert(names[i]);
      close(waiting[i].fd);
      waiting[i].fd = -1;
    }
  }
  for (const pollfd& each : waiting) {
    if (each.fd >= 0) close(each.fd);
  }
  return out;
}

// Pods, from the moment they have a node until they take connections.
class Stopwatch {
 public:
  Stopwatch(const std::string& kubeconfig, std::string name_space, const NetSpace& from)
      : client_(kubeconfig), name_space_(std::move(name_space)), from_(from) {}

  // Until so many take connections. False when time is over.
  bool run(std::size_t wanted) {
    start_ = Clock::now();
    return poll_until(
        seconds(90), [&] { return look() >= wanted; }, milliseconds(20));
  }
  // From the first call of run().
  [[nodiscard]] double whole_s() const { return in_seconds(last_ - start_); }
  // In order.
  [[nodiscard]] std::vector<double> each_s() const {
    std::vector<double> out;
    for (const auto& [name, pod] : pods_) out.push_back(in_seconds(pod.reached - pod.scheduled));
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  struct Pod {
    Clock::time_point scheduled, reached;
    bool is_reached = false;
  };
  static double in_seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

  std::size_t look() {
    const auto listed = client_.list(kPodKind, name_space_);
    if (!listed.ok()) return 0;
    const auto now = Clock::now();
    std::map<std::string, std::string> by_address;
    for (const json::Value& object : listed->items) {
      if (object.string_at({"spec", "nodeName"}).empty()) continue;
      const std::string name(object.string_at({"metadata", "name"}));
      Pod& pod = pods_.try_emplace(name, Pod{now, now}).first->second;
      const auto noted = split(object.string_at({"metadata", "annotations", "cni.projectcalico.org/podIP"}), '/')[0];
      if (!pod.is_reached && !noted.empty()) by_address[std::string(noted)] = name;
    }
    std::set<std::string> addresses;
    for (const auto& [address, name] : by_address) addresses.insert(address);
    std::set<std::string> reached;
    from_.call([&] { reached = reachable(addresses); });
    for (const std::string& address : reached) {
      Pod& pod = pods_.at(by_address.at(address));
      pod.is_reached = true;
      last_ = pod.reached = Clock::now();
    }
    return static_cast<std::size_t>(
        std::count_if(pods_.begin(), pods_.end(), [](const auto& each) { return each.second.is_reached; }));
  }

  SyncClient client_;
  const std::string name_space_;
  const NetSpace& from_;
  std::map<std::string, Pod> pods_;
  Clock::time_point start_, last_;
};

class RealNodes : public testing::Test {
 protected:
  void SetUp() override {
    auto scratch = netlink::ScratchNamespace::enter();
    if (!scratch.ok()) GTEST_SKIP() << scratch.error().message;
    scratch_.emplace(std::move(scratch).value());
    (void)run_program(
        {.argv = {"ip", "link", "set", "lo", "up"}, .environment = {}, .stdin_text = "", .output_path = ""});
    std::string why;
    cluster_ = KubeCluster::start(&why);
    if (cluster_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override {
    if (HasFailure() && cluster_ != nullptr) {
      for (const std::vector<std::string>& words : {std::vector<std::string>{"get", "pods", "-A", "-o", "wide"},
                                                    {"describe", "pods", "-A"},
                                                    {"get", "events", "-A"}}) {
        const ProgramResult asked = cluster_->kubectl(words);
        std::fprintf(stderr, "%s%s\n", asked.out.c_str(), asked.err.c_str());
      }
      std::fprintf(stderr, "%s\n", cluster_->logs().c_str());
    }
    cluster_.reset();
    scratch_.reset();
  }

  void kubectl(const std::vector<std::string>& words, const std::string& input = {}) const {
    const ProgramResult done = cluster_->kubectl(words, input);
    ASSERT_EQ(done.exit_status, 0) << join(words, " ") << "\n" << done.out << done.err;
  }
  [[nodiscard]] std::string asked(const std::vector<std::string>& words) const {
    return std::string(trim(cluster_->kubectl(words).out));
  }
  // Whether the pod of the shop, "NAMESPACE/NAME", gets an answer of the place.
  [[nodiscard]] bool gets(const std::string& from, const std::string& address, int port) const {
    const auto parts = split_once(from, '/');
    const std::string ask = concat("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 ", address, " ", port);
    const ProgramResult got =
        cluster_->kubectl({"exec", "-n", std::string(parts->first), std::string(parts->second), "--", "sh", "-c", ask});
    return got.out.ends_with("reached\n");
  }
  [[nodiscard]] bool reaches(const std::string& from, const std::string& address, int port) const {
    return poll_until(seconds(20), [&] { return gets(from, address, port); });
  }
  [[nodiscard]] std::string address_of(const std::string& pod) const {
    const auto parts = split_once(pod, '/');
    return asked(
        {"get", "pod", "-n", std::string(parts->first), std::string(parts->second), "-o", "jsonpath={.status.podIP}"});
  }
  [[nodiscard]] std::size_t handles() const {
    SyncClient client(cluster_->kubeconfig());
    const auto listed = client.list(kHandleKind, "");
    if (!listed.ok()) return 0;
    return static_cast<std::size_t>(
        std::count_if(listed->items.begin(), listed->items.end(), [](const json::Value& each) {
          return each.string_at({"metadata", "name"}).starts_with("k8s-pod-network.");
        }));
  }
  // Pods with a network of their own that are there.
  [[nodiscard]] std::size_t networked_pods() const {
    SyncClient client(cluster_->kubeconfig());
    const auto listed = client.list(kPodKind, "");
    if (!listed.ok()) return 0;
    return static_cast<std::size_t>(
        std::count_if(listed->items.begin(), listed->items.end(), [](const json::Value& each) {
          return each.find({"spec", "hostNetwork"}) == nullptr;
        }));
  }

  void install();
  void shop_and_policies();
  void deploy(const std::string& name, std::size_t replicas) const;
  void drain();
  void fifty_pods();
  void deletions();
  void complaints() const;

  std::optional<netlink::ScratchNamespace> scratch_;
  std::unique_ptr<KubeCluster> cluster_;
};

void RealNodes::install() {
  ASSERT_TRUE(poll_until(seconds(60), [&] { return split(asked({"get", "nodes", "-o", "name"}), '\n').size() == 2; }));
  kubectl({"apply", "--validate=false", "-f", source_path("manifests/base/margay.yaml")});
  kubectl({"wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s"});
  kubectl({"rollout", "status", "-n", "kube-system", "daemonset/margay-node", "--timeout=60s"});
  kubectl({"rollout", "status", "-n", "kube-system", "deployment/margay-controllers", "--timeout=60s"});
}

// At the end, when it has done all there is to do.
void RealNodes::complaints() const {
  const std::string log = asked({"logs", "-n", "kube-system", "daemonset/margay-node", "--tail=-1"});
  EXPECT_NE(log.find("msg=starting"), std::string::npos) << log;
  for (const std::string_view line : split(log, '\n')) {
    EXPECT_EQ(line.find("level=error"), std::string_view::npos) << line;
    EXPECT_EQ(line.find("Read-only"), std::string_view::npos) << line;
    EXPECT_EQ(line.find("forbidden"), std::string_view::npos) << line;
  }
  const std::string starts = asked({"get", "pods", "-n", "kube-system", "-l", "k8s-app=margay-node", "-o",
                                    "jsonpath={.items[*].status.containerStatuses[*].restartCount}"});
  EXPECT_EQ(starts, "0 0") << "the kubelet took it for dead";
}

void RealNodes::shop_and_policies() {
  const std::string pods = replaced(read_text(source_path("docs/examples/three-tier/1-pods.yaml")),
                                    "image: margay/echo", concat("image: '", kBusybox, "', ", kServe));
  kubectl({"apply", "-f", "-"}, pods);
  kubectl({"wait", "--for=condition=Ready", "pods", "-n", "shop", "--all", "--timeout=60s"});
  kubectl({"wait", "--for=condition=Ready", "pods", "-n", "other", "--all", "--timeout=60s"});
  kubectl({"expose", "pod", "backend", "-n", "shop", "--port=80", "--target-port=8080"});
  const std::string service = asked({"get", "service", "-n", "shop", "backend", "-o", "jsonpath={.spec.clusterIP}"});
  const std::string backend = address_of("shop/backend");
  const std::string database = address_of("shop/db");
  EXPECT_TRUE(reaches("other/stranger", database, 5432)) << "no policy yet";
  EXPECT_TRUE(reaches("other/stranger", service, 80)) << service;

  kubectl({"apply", "-f", source_path("docs/examples/three-tier/2-policy.yaml")});
  EXPECT_TRUE(poll_until(seconds(20), [&] { return !gets("other/stranger", database, 5432); }));
  EXPECT_TRUE(reaches("shop/backend", database, 5432));
  EXPECT_FALSE(gets("shop/web", database, 5432));
  EXPECT_TRUE(reaches("shop/web", backend, 8080));
  EXPECT_FALSE(gets("shop/web", backend, 5432)) << "a port that nobody opened";
  EXPECT_TRUE(reaches("other/stranger", address_of("shop/web"), 80)) << "a port that has a name";
  EXPECT_TRUE(reaches("shop/web", service, 80));
  EXPECT_FALSE(gets("other/stranger", service, 80));
}

void RealNodes::deploy(const std::string& name, std::size_t replicas) const {
  kubectl({"create", "namespace", name});
  const std::string labels = concat("{app: ", name, "}");
  kubectl({"apply", "-f", "-"},
          concat("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ", name, ", namespace: ", name, "}\nspec:\n",
                 "  replicas: ", replicas, "\n  selector: {matchLabels: ", labels, "}\n  template:\n",
                 "    metadata: {labels: ", labels, "}\n    spec:\n      containers:\n      - {name: serve, image: '",
                 kBusybox, "', ", kServe, "}\n"));
}

// All that can move is on the other node then, and is reached there.
void RealNodes::drain() {
  constexpr std::size_t kFew = 4;
  deploy("moved", kFew);
  ASSERT_TRUE(Stopwatch(cluster_->kubeconfig(), "moved", cluster_->space("node-1")).run(kFew));
  kubectl({"drain", "node-2", "--ignore-daemonsets", "--force", "--delete-emptydir-data", "--grace-period=1",
           "--timeout=180s"});
  const std::string left = asked({"get", "pods", "-A", "--field-selector=spec.nodeName=node-2", "-o", "name"});
  EXPECT_TRUE(left.starts_with("pod/margay-node-") && split(left, '\n').size() == 1) << left;
  EXPECT_TRUE(Stopwatch(cluster_->kubeconfig(), "moved", cluster_->space("node-2")).run(kFew));
  kubectl({"rollout", "status", "-n", "kube-system", "deployment/margay-controllers", "--timeout=60s"});
  kubectl({"uncordon", "node-2"});
}

void RealNodes::fifty_pods() {
  deploy("many", 0);
  Stopwatch watch(cluster_->kubeconfig(), "many", cluster_->space("node-1"));
  kubectl({"scale", "-n", "many", "deployment/many", concat("--replicas=", kReplicas)});
  ASSERT_TRUE(watch.run(kReplicas));
  const std::vector<double> each = watch.each_s();
  ASSERT_EQ(each.size(), kReplicas);
  std::printf(
      "%zu pods: %.1f s from scaled to the last reached; from scheduled to reachable median %.2f s, p99 %.2f s\n",
      kReplicas, watch.whole_s(), each[kReplicas / 2], each[kReplicas - 1]);
}

void RealNodes::deletions() {
  kubectl({"delete", "namespace", "shop", "other", "moved", "many", "--wait=false"});
  std::size_t pods = 0;
  std::size_t addresses = 0;
  EXPECT_TRUE(poll_until(
      seconds(90),
      [&] {
        pods = networked_pods();
        addresses = handles();
        return pods == 2 && addresses == pods;
      },
      milliseconds(200)))
      << pods << " pods, " << addresses << " addresses";
}

TEST_F(RealNodes, InstalledByTheManifestAndUsed) {
  const auto timed = [](const char* name, const auto& step) {
    const auto begin = Clock::now();
    step();
    std::printf("%s: %.1f s\n", name, std::chrono::duration<double>(Clock::now() - begin).count());
    return !HasFatalFailure();
  };
  (void)(timed("installed", [this] { install(); }) && timed("policies", [this] { shop_and_policies(); }) &&
         timed("drained", [this] { drain(); }) && timed("fifty pods", [this] { fifty_pods(); }) &&
         timed("deleted", [this] { deletions(); }));
  complaints();
}

}  // namespace
}  // namespace margay::test
