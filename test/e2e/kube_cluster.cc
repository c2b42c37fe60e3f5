#include "test/e2e/kube_cluster.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr const char* kServerAddress = "10.99.0.1";
constexpr const char* kServer = "https://10.99.0.1:6443";
constexpr const char* kGroups = "/sys/fs/cgroup";
constexpr const char* kGroupPrefix = "margay-e2e-";

ProgramResult run_words(std::vector<std::string> argv, seconds deadline = seconds(60)) {
  return run_program({.argv = std::move(argv), .environment = {}, .stdin_text = "", .output_path = ""}, deadline);
}
ProgramResult shell(const std::string& text) { return run_words({"sh", "-c", text}); }

// Who comes with which token: kubelets and kube-proxy as Kubernetes names them, so that its own roles are theirs.
constexpr const char* kTokens = R"(admin,admin,admin,system:masters
node-1,system:node:node-1,node-1,system:nodes
node-2,system:node:node-2,node-2,system:nodes
proxy,system:kube-proxy,proxy
manager,system:kube-controller-manager,manager
scheduler,system:kube-scheduler,scheduler
)";

constexpr const char* kContainerd = R"(version = 2
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
disable_tcp_service = true
sandbox_image = "docker.io/margay/busybox:test"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
)";

constexpr const char* kKubelet = R"(apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failSwapOn: false
enforceNodeAllocatable: []
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
resolvConf: /node/resolv.conf
oomScoreAdj: 0
syncFrequency: 5s
imageGCHighThresholdPercent: 100
evictionHard: {}
kubeAPIQPS: 50
kubeAPIBurst: 100
)";

// The limits of connection tracking are the machine's; they stay.
constexpr const char* kProxy = R"(apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: /node/kubeconfig-proxy}
mode: iptables
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
oomScoreAdj: 0
)";

std::string missing_programs() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "images hold what is shipped, and sanitizers are not";
#endif
  if (std::string missing = missing_for_net_spaces(); !missing.empty()) return missing;
  for (const char* program : {"containerd", "ctr", "runc", "busybox", "unshare", "conntrack", "openssl"}) {
    if (shell(concat("command -v ", program)).exit_status != 0) return concat(program, " is not installed");
  }
  if (access("/usr/lib/cni/loopback", X_OK) != 0) return "containernetworking-plugins is not installed";
  // Version 1, each controller where it always is, and ours to write.
  if (shell(concat("test -w ", kGroups, "/memory && test -w ", kGroups, "/cpuset && test -w ", kGroups, "/pids"))
          .exit_status != 0) {
    return "cgroups (version 1) cannot be written";
  }
  if (shell("grep -qw overlay /proc/filesystems").exit_status != 0) return "this kernel has no overlayfs";
  return {};
}

void remove_group(const std::string& name) {
  (void)shell(concat("find ", kGroups, " -mindepth 2 -depth -type d -path '", kGroups, "/*/", name,
                     "*' -exec rmdir {} + 2>/dev/null"));
}

// Groups of runs that were killed.
void remove_left_groups() {
  const std::string names = shell(concat("ls ", kGroups, "/memory")).out;
  for (const std::string_view name : split(names, '\n')) {
    if (!name.starts_with(kGroupPrefix)) continue;
    const auto pid = parse_number<pid_t>(split(name, '-')[2]);
    if (pid && kill(*pid, 0) != 0 && errno == ESRCH) remove_group(std::string(name));
  }
}

}  // namespace

struct KubeCluster::Node {
  std::string name;
  std::string address;
  std::string folder;
  std::string group;
  NetSpace space;
  std::unique_ptr<ChildProcess> process;
};

KubeCluster::KubeCluster() = default;

KubeCluster::~KubeCluster() {
  for (const auto& node : nodes_) node->process.reset();
  servers_.clear();
  for (const auto& node : nodes_) {
    // The kernel takes its time to end what was in them.
    (void)poll_until(seconds(10), [&] {
      remove_group(node->group);
      return shell(concat("ls -d ", kGroups, "/*/", node->group, " 2>/dev/null")).out.empty();
    });
  }
}

std::unique_ptr<KubeCluster> KubeCluster::start(std::string* why) {
  *why = missing_programs();
  if (!why->empty()) return nullptr;
  std::unique_ptr<KubeCluster> made(new KubeCluster());
  const auto asked = run_words({source_path("scripts/kube-binaries"), "--check"});
  if (asked.exit_status != 0) return *why = "the programs are not built (scripts/kube-binaries builds them)", nullptr;
  made->kubernetes_ = std::string(trim(asked.out));
  remove_left_groups();
  if (!made->make_images(why)) return nullptr;
  made->etcd_ = Etcd::start(why);
  if (made->etcd_ == nullptr || !made->start_servers(why)) return nullptr;
  int number = 10;
  for (const std::string& name : nodes()) {
    made->nodes_.push_back(std::make_unique<Node>());
    Node& node = *made->nodes_.back();
    node.name = name;
    node.address = concat("10.99.0.", ++number);
    node.folder = made->dir_.file(name);
    node.group = concat(kGroupPrefix, getpid(), "-", name);
    made->start_node(node);
  }
  return made;
}

bool KubeCluster::make_images(std::string* why) const {
  const std::string build = program_path("");
  const auto made = run_words({"python3", "-B", source_path("test/e2e/images.py"), concat(build, ".."), dir_.path()});
  if (made.exit_status != 0) *why = concat("no images: ", made.err);
  return made.exit_status == 0;
}

void KubeCluster::write_kubeconfig(const std::string& path, const std::string& user, const std::string& ca) const {
  write_text(path,
             concat("apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters:\n- name: test\n  cluster:\n",
                    "    server: ", kServer, "\n    certificate-authority: ", ca, "\ncontexts:\n- name: test\n",
                    "  context: {cluster: test, user: test}\nusers:\n- name: test\n  user: {token: ", user, "}\n"));
}

void KubeCluster::run_server(const std::string& name, std::vector<std::string> flags) {
  flags.insert(flags.begin(), program(name));
  servers_.push_back(std::make_unique<ChildProcess>(ProcessOptions{
      .argv = flags, .environment = {}, .stdin_text = "", .output_path = dir_.file(concat(name, ".log"))}));
}

bool KubeCluster::start_servers(std::string* why) {
  const std::string key = dir_.file("sa.key");
  const std::string ca = dir_.file("certs/apiserver.crt");
  if (run_words({"openssl", "genrsa", "-out", key, "2048"}).exit_status != 0)
    return *why = "openssl makes no key", false;
  (void)run_words({"ip", "link", "add", "nodes", "type", "bridge"});
  (void)run_words({"ip", "addr", "add", concat(kServerAddress, "/24"), "dev", "nodes"});
  (void)run_words({"ip", "link", "set", "nodes", "up"});
  write_text(dir_.file("tokens"), kTokens);
  run_server(
      "kube-apiserver",
      {concat("--etcd-servers=", etcd_->client_url()), "--secure-port=6443", concat("--bind-address=", kServerAddress),
       concat("--advertise-address=", kServerAddress), concat("--cert-dir=", dir_.file("certs")),
       concat("--service-account-key-file=", key), concat("--service-account-signing-key-file=", key),
       "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.96.0.0/16",
       "--authorization-mode=Node,RBAC", concat("--token-auth-file=", dir_.file("tokens")), "--allow-privileged",
       "--kubelet-preferred-address-types=InternalIP"});
  write_kubeconfig(kubeconfig(), "admin", ca);
  if (!poll_until(
          seconds(90),
          [this] {
            return kubectl({"get", "--raw", "/readyz"}).exit_status == 0;
          },
          std::chrono::milliseconds(200))) {
    return *why = concat("kube-apiserver does not run here: ", logs()), false;
  }
  write_kubeconfig(dir_.file("manager"), "manager", ca);
  write_kubeconfig(dir_.file("scheduler"), "scheduler", ca);
  run_server("kube-controller-manager",
             {concat("--kubeconfig=", dir_.file("manager")), concat("--service-account-private-key-file=", key),
              concat("--root-ca-file=", ca), "--use-service-account-credentials", "--leader-elect=false",
              "--bind-address=127.0.0.1", "--port=0", concat("--cert-dir=", dir_.file("certs-manager"))});
  run_server("kube-scheduler",
             {concat("--kubeconfig=", dir_.file("scheduler")), "--leader-elect=false", "--bind-address=127.0.0.1",
              "--port=0", concat("--cert-dir=", dir_.file("certs-scheduler"))});
  return true;
}

void KubeCluster::start_node(Node& node) {
  MARGAY_CHECK(mkdir(node.folder.c_str(), 0755) == 0);
  const auto file = [&](const std::string& name) { return concat(node.folder, "/", name); };
  write_text(file("name"), node.name);
  write_text(file("address"), node.address);
  write_text(file("cgroup"), node.group);
  write_text(file("resolv.conf"), "");
  write_text(file("ca.crt"), read_text(dir_.file("certs/apiserver.crt")));
  write_text(file("containerd.toml"), kContainerd);
  write_text(file("kubelet.yaml"), kKubelet);
  write_text(file("kube-proxy.yaml"), concat(kProxy, "hostnameOverride: ", node.name, "\n"));
  write_kubeconfig(file("kubeconfig-kubelet"), node.name, "/node/ca.crt");
  write_kubeconfig(file("kubeconfig-proxy"), "proxy", "/node/ca.crt");
  for (const char* image : {"node.tar", "controllers.tar", "busybox.tar"}) {
    MARGAY_CHECK(link(dir_.file(image).c_str(), file(image).c_str()) == 0);
  }
  // The network between the nodes is a bridge where the servers are.
  (void)run_words({"ip", "link", "add", node.name, "type", "veth", "peer", "name", "uplink"});
  (void)run_words({"ip", "link", "set", node.name, "master", "nodes", "up"});
  (void)run_words({"ip", "link", "set", "uplink", "netns", node.space.path()});
  node.space.ip({concat("addr add ", node.address, "/24 dev uplink"), "link set uplink up",
                 concat("route add default via ", kServerAddress)});
  node.process = node.space.start({.argv = {"unshare", "--mount", "--pid", "--fork", "--kill-child", "sh",
                                            source_path("test/e2e/kube_node.sh"), node.folder, kubernetes_},
                                   .environment = {},
                                   .stdin_text = "",
                                   .output_path = file("init.log")});
}

ProgramResult KubeCluster::kubectl(std::vector<std::string> words, const std::string& input, seconds deadline) const {
  words.insert(words.begin(), {program("kubectl"), "--kubeconfig", kubeconfig()});
  return run_program({.argv = words, .environment = {{"HOME", dir_.path()}}, .stdin_text = input, .output_path = ""},
                     deadline);
}

const NetSpace& KubeCluster::space(const std::string& node) const {
  for (const auto& each : nodes_) {
    if (each->name == node) return each->space;
  }
  MARGAY_CHECK(false);
}

std::string KubeCluster::logs() const {
  return shell(concat("tail -n 15 ", dir_.path(), "/*.log ", dir_.path(), "/node-*/*.log 2>/dev/null")).out;
}

}  // namespace margay::test
