#include "test/support/api_servers.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr const char* kAdminToken = "margay-test-admin";

bool is_executable(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

std::string find_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : split(path == nullptr ? "" : path, ':')) {
    std::string candidate = concat(folder, "/", name);
    if (is_executable(candidate)) return candidate;
  }
  return "";
}

// The folder that a script of ours keeps programs in; "" when they are not there.
std::string kept_by(const std::vector<std::string>& command) {
  const auto asked = run_program({command, {}, "", ""});
  return asked.exit_status == 0 ? std::string(trim(asked.out)) : std::string();
}

std::string kubernetes_dir() {
  static const std::string dir =
      kept_by({source_path("scripts/kube-binaries"), "--check", "kube-apiserver", "kubectl"});
  return dir;
}

bool answers_ok(const std::string& url, const std::string& token = "") {
  std::vector<std::string> argv{"curl", "-sk", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}"};
  if (!token.empty()) argv.insert(argv.end(), {"-H", "Authorization: Bearer " + token});
  argv.push_back(url);
  return run_program({.argv = argv, .environment = {}, .stdin_text = "", .output_path = ""}).out == "200";
}

std::string kubeconfig_text(const std::string& server, const std::string& ca_file, const std::string& token) {
  std::string cluster = "    server: " + server + "\n";
  if (!ca_file.empty()) cluster += "    certificate-authority: " + ca_file + "\n";
  return "apiVersion: v1\nkind: Config\nclusters:\n- name: test\n  cluster:\n" + cluster +
         "contexts:\n- name: test\n  context:\n    cluster: test\n    user: admin\ncurrent-context: test\n" +
         "users:\n- name: admin\n  user:\n    token: " + token + "\n";
}

class MargayServer final : public ApiServer {
 public:
  MargayServer(std::string name, std::unique_ptr<Etcd> etcd) : name_(std::move(name)), etcd_(std::move(etcd)) {}

  bool start(const MargayServerOptions& options, std::string* why) {
    const std::string binary = program_path("margay-apiserver");
    if (!is_executable(binary)) return *why = binary + " is not built", false;
    const std::string listen = options.unix_socket ? "unix://" + dir_.file("api.sock") : "tcp://127.0.0.1:0";
    const std::string memory = options.has_snapshot ? "memory:" + dir_.file("objects") : "memory";
    const std::string store = etcd_ == nullptr ? memory : "etcd://" + etcd_->client_url().substr(7);
    argv_ = {binary, "--listen", listen, "--store", store, "--write-kubeconfig", kubeconfig()};
    argv_.insert(argv_.end(), options.flags.begin(), options.flags.end());
    run();
    return true;
  }

  void run() {
    std::remove(kubeconfig().c_str());
    process_ = std::make_unique<ChildProcess>(ProcessOptions{argv_, {}, "", dir_.file("log")});
    // The kubeconfig is written, whole, once the server listens.
    const bool ready =
        poll_until(seconds(30), [&] { return !read_text(kubeconfig()).empty() || !process_->is_running(); });
    MARGAY_CHECK(ready && process_->is_running());
  }

  ChildProcess* process() override { return process_.get(); }
  void restart() override {
    process_->stop();
    run();
  }
  std::string name() const override { return name_; }
  std::string kubeconfig() const override { return dir_.file("kubeconfig"); }
  std::string logs() const override { return read_text(dir_.file("log")); }

 private:
  std::string name_;
  TempDir dir_;
  std::unique_ptr<Etcd> etcd_;
  std::vector<std::string> argv_;
  std::unique_ptr<ChildProcess> process_;
};

class KubeApiserver final : public ApiServer {
 public:
  explicit KubeApiserver(std::unique_ptr<Etcd> etcd) : etcd_(std::move(etcd)), port_(free_port()) {}

  void start() {
    make_service_account_key();
    write_text(dir_.file("tokens"), concat(kAdminToken, ",admin,admin,system:masters\n",
                                           account_line("margay-controllers"), account_line("margay-node")));
    process_ = std::make_unique<ChildProcess>(
        ProcessOptions{{kubernetes_dir() + "/kube-apiserver", "--etcd-servers=" + etcd_->client_url(),
                        concat("--secure-port=", port_), "--bind-address=127.0.0.1", "--cert-dir=" + dir_.file("certs"),
                        "--service-account-key-file=" + dir_.file("sa.key"),
                        "--service-account-signing-key-file=" + dir_.file("sa.key"),
                        "--service-account-issuer=https://kubernetes.default.svc",
                        "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC",
                        "--token-auth-file=" + dir_.file("tokens"), "--disable-admission-plugins=ServiceAccount"},
                       {},
                       "",
                       dir_.file("log")});
    MARGAY_CHECK(poll_until(seconds(120), [&] { return answers_ok(url() + "/readyz", kAdminToken); }));
    write_text(kubeconfig(), kubeconfig_text(url(), dir_.file("certs/apiserver.crt"), kAdminToken));
    install_crds();
  }

  std::string name() const override { return "kubernetes"; }
  std::string kubeconfig() const override { return dir_.file("kubeconfig"); }
  std::string kubeconfig_of(const std::string& account) override {
    std::string path = dir_.file("kubeconfig-" + account);
    if (!read_text(path).empty()) return path;
    for (const char* file : {"manifests/rbac-controllers.yaml", "manifests/rbac-node.yaml"}) {
      const auto applied = kubectl({"apply", "-f", source_path(file)});
      if (applied.exit_status != 0) write_text("/dev/stderr", applied.out + applied.err);
      MARGAY_CHECK(applied.exit_status == 0);
    }
    write_text(path, kubeconfig_text(url(), dir_.file("certs/apiserver.crt"), account + "-token"));
    return path;
  }
  std::string logs() const override { return read_text(dir_.file("log")); }

 private:
  // As the server itself names who comes with the token of a ServiceAccount.
  static std::string account_line(const std::string& account) {
    return concat(account, "-token,system:serviceaccount:kube-system:", account, ",", account,
                  ",\"system:serviceaccounts,system:serviceaccounts:kube-system\"\n");
  }
  std::string url() const { return concat("https://127.0.0.1:", port_); }

  void make_service_account_key() const {
    const auto made = run_program({{"openssl", "genrsa", "-out", dir_.file("sa.key"), "2048"}, {}, "", ""});
    MARGAY_CHECK(made.exit_status == 0);
  }

  [[nodiscard]] ProgramResult kubectl(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{old_kubectl(), "--kubeconfig", kubeconfig()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program({argv, {{"HOME", dir_.path()}}, "", ""}, seconds(120));
  }

  // kubectl of this age does not know the newest schema keywords, so its own validation is off; the server's is not.
  void install_crds() const {
    const auto applied = kubectl({"apply", "--validate=false", "-f", source_path("crds")});
    if (applied.exit_status != 0) write_text("/dev/stderr", applied.out + applied.err);
    MARGAY_CHECK(applied.exit_status == 0);
    const auto established = kubectl({"wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"});
    MARGAY_CHECK(established.exit_status == 0);
  }

  TempDir dir_;
  std::unique_ptr<Etcd> etcd_;
  std::uint16_t port_;
  std::unique_ptr<ChildProcess> process_;
};

std::unique_ptr<ApiServer> start_margay(const std::string& name, std::unique_ptr<Etcd> etcd,
                                        const MargayServerOptions& options, std::string* why) {
  auto server = std::make_unique<MargayServer>(name, std::move(etcd));
  if (!server->start(options, why)) return nullptr;
  return server;
}

}  // namespace

struct Etcd::Impl {
  TempDir dir;
  std::uint16_t client_port = free_port();
  std::uint16_t peer_port = free_port();
  std::unique_ptr<ChildProcess> process;
};

Etcd::Etcd() : impl_(std::make_unique<Impl>()) {}
Etcd::~Etcd() = default;

std::unique_ptr<Etcd> Etcd::start(std::string* why) {
  if (find_in_path("etcd").empty()) return *why = "etcd is not installed", nullptr;
  std::unique_ptr<Etcd> etcd(new Etcd());
  etcd->start_again();
  return etcd;
}

std::string Etcd::client_url() const { return concat("http://127.0.0.1:", impl_->client_port); }

void Etcd::kill_now() { impl_->process.reset(); }

void Etcd::start_again() {
  const std::string peer_url = concat("http://127.0.0.1:", impl_->peer_port);
  impl_->process = std::make_unique<ChildProcess>(ProcessOptions{
      {"etcd", "--data-dir", impl_->dir.file("data"), "--listen-client-urls", client_url(), "--advertise-client-urls",
       client_url(), "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url, "--initial-cluster",
       "default=" + peer_url, "--unsafe-no-fsync"},
      {},
      "",
      impl_->dir.file("log")});
  MARGAY_CHECK(poll_until(seconds(60), [&] { return answers_ok(client_url() + "/health"); }));
}

std::unique_ptr<ApiServer> start_memory_server(const MargayServerOptions& options, std::string* why) {
  return start_margay("memory", nullptr, options, why);
}

std::unique_ptr<ApiServer> start_etcd_server(const MargayServerOptions& options, std::string* why) {
  std::unique_ptr<Etcd> etcd = Etcd::start(why);
  if (etcd == nullptr) return nullptr;
  return start_margay("etcd", std::move(etcd), options, why);
}

std::unique_ptr<ApiServer> start_kube_apiserver(std::string* why) {
  if (!is_executable(kubernetes_dir() + "/kube-apiserver")) {
    return *why = "kube-apiserver is not built (scripts/kube-binaries builds it)", nullptr;
  }
  std::unique_ptr<Etcd> etcd = Etcd::start(why);
  if (etcd == nullptr) return nullptr;
  auto server = std::make_unique<KubeApiserver>(std::move(etcd));
  server->start();
  return server;
}

std::string old_kubectl() {
  const std::string path = kubernetes_dir() + "/kubectl";
  return is_executable(path) ? path : new_kubectl();
}

std::string new_kubectl() {
  static const std::string fetched = kept_by({source_path("scripts/kube-clients"), "--check"});
  return fetched.empty() ? find_in_path("kubectl") : fetched + "/kubectl";
}

}  // namespace margay::test
