#include "agent/main/program.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/main/agent.h"
#include "agent/main/local_api.h"
#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/folders.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/process/build_info.h"
#include "base/process/heap.h"
#include "base/process/process_metrics.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/wall_clock.h"
#include "datastore/kube/config.h"
#include "datastore/kube/make_client.h"

namespace margay::agent {
namespace {

constexpr std::string_view kSocketName = "/node.sock";
constexpr std::string_view kCniSocketName = "/cni.sock";

class Program {
 public:
  Program(const Flags& flags, telemetry::LogOutput& output) : flags_(flags), output_(output), log_(output) {}

  Status start();
  void run() { loop_.run(); }

 private:
  Status connect();
  Status open_socket();
  void on_signal(int number);

  const Flags& flags_;
  telemetry::LogOutput& output_;
  telemetry::Logger log_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  SeededRandom random_{system_seed()};
  telemetry::Registry metrics_;
  process::ProcessMetrics process_metrics_{metrics_};
  std::optional<process::ServiceNotifier> notifier_;
  std::unique_ptr<process::SignalWatch> signals_;
  std::unique_ptr<kube::Client> client_;
  std::optional<Agent> agent_;
  std::optional<LocalApi> api_;
};

Status Program::connect() {
  kube::ConnectionFlags flags;
  flags.servers = flags_.server;
  flags.kubeconfig = flags_.kubeconfig;
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig config,
                          kube::choose_connection(flags, kube::Environment::of_process()));
  kube::ClientOptions options;
  options.user_agent = process::version_line("margay-node");
  // A hundred pods that start at once are two writes each, and none of them should wait for a rate.
  options.requests_per_second = 100;
  options.burst = 500;
  options.log = log_.with({{"scope", "kube"}});
  options.metrics = &metrics_;
  client_ = kube::make_client(loop_, network_, random_, config, options);
  log_.info("API server", {{"from", config.origin}});
  return ok_status();
}

Status Program::open_socket() {
  MARGAY_RETURN_IF_ERROR(file::make_folders(flags_.run_dir, 0755));
  api_.emplace(loop_, network_, *agent_);
  const Status status = api_->listen(flags_.run_dir + std::string(kSocketName));
  if (!status.ok()) return status.error().within("local API");
  const Status plugin = agent_->cni().listen(flags_.run_dir + std::string(kCniSocketName));
  if (!plugin.ok()) return plugin.error().within("socket of the CNI plugin");
  return ok_status();
}

Status Program::start() {
  MARGAY_ASSIGN_OR_RETURN(notifier_, process::ServiceNotifier::from_environment(process::process_environment));
  // Before any thread is made: they inherit the mask.
  MARGAY_ASSIGN_OR_RETURN(signals_, process::SignalWatch::make(loop_, {SIGTERM, SIGINT, SIGHUP},
                                                               [this](int number) { on_signal(number); }));
  auto variables = startup::process_environment();
  if (!flags_.node_name.empty()) variables["NODENAME"] = flags_.node_name;
  startup::Environment environment = startup::read_environment(variables);
  for (const std::string& problem : environment.problems) log_.warn("environment", {{"problem", problem}});
  if (environment.node_name.empty()) return invalid("--node-name or NODENAME is needed");
  log_.info("starting", {{"node", environment.node_name}, {"version", process::build_info().version}});
  // What it keeps there is worth having, not worth failing for.
  const Status kept = file::make_folders(flags_.state_dir, 0755);
  if (!kept.ok()) log_.warn("state is not kept", {{"error", kept.error()}});
  MARGAY_RETURN_IF_ERROR(connect());
  agent_.emplace(Agent::Parts{.loop = loop_,
                              .network = network_,
                              .random = random_,
                              .client = *client_,
                              .log_output = output_,
                              .metrics = metrics_,
                              .process_metrics = process_metrics_,
                              .flags = flags_,
                              .environment = std::move(environment),
                              .variables = std::move(variables),
                              .on_ready = [this] { (void)notifier_->ready(); }});
  MARGAY_RETURN_IF_ERROR(agent_->start());
  return open_socket();
}

// Both leave everything in place: workloads go on without the agent.
void Program::on_signal(int number) {
  if (number == SIGHUP) return agent_->reload();
  log_.info("stopping; rules, routes and sessions stay", {{"signal", process::signal_name(number)}});
  (void)notifier_->stopping();
  loop_.stop();
}

}  // namespace

int run_program(const Flags& flags) {
  process::keep_heap_small();
  (void)std::signal(SIGPIPE, SIG_IGN);
  telemetry::FdSink sink(STDERR_FILENO, flags.log_format);
  telemetry::LogOutput output(sink, telemetry::system_wall_clock, flags.log_level);
  Program program(flags, output);
  const Status started = program.start();
  if (!started.ok()) {
    std::fputs(concat("margay-node: ", started.error().message, "\n").c_str(), stderr);
    return 1;
  }
  program.run();
  return 0;
}

}  // namespace margay::agent
