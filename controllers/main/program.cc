#include "controllers/main/program.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/http/server.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/process/build_info.h"
#include "base/process/process_metrics.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "base/telemetry/exposition.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/wall_clock.h"
#include "controllers/defaults/default_objects.h"
#include "controllers/policy/policy_controller.h"
#include "controllers/runtime/event_recorder.h"
#include "controllers/runtime/leader_election.h"
#include "datastore/kube/make_client.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kLeaseName = "margay-controllers";
constexpr Duration kStopGrace = std::chrono::seconds(1);

std::string host_name() {
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 ? std::string(buffer.data()) : std::string("unknown");
}

class Program {
 public:
  Program(const Flags& flags, const telemetry::Logger& log) : flags_(flags), log_(log) {}

  Status start();
  void run() { loop_.run(); }

 private:
  Status connect();
  void build(const std::string& identity);
  Status listen();
  void lead(bool is_leading);
  void serve(const http::Request& request, http::Responder& responder);
  void stop();

  const Flags& flags_;
  const telemetry::Logger log_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  SeededRandom random_{system_seed()};
  telemetry::Registry metrics_;
  process::ProcessMetrics process_metrics_{metrics_};
  telemetry::Gauge leading_ = metrics_.gauge({"margay_controllers_leading", "1: this replica writes", ""});
  telemetry::Gauge policies_wanted_ = metrics_.gauge({"margay_controllers_policies", "Policies made of others", ""});
  std::optional<process::ServiceNotifier> notifier_;
  std::unique_ptr<process::SignalWatch> signals_;
  std::unique_ptr<kube::Client> client_;
  std::optional<watch::ClusterWatch> cluster_;
  std::optional<EventRecorder> events_;
  std::optional<DefaultObjects> defaults_;
  std::optional<PolicyController> policies_;
  std::optional<LeaderElection> election_;
  std::unique_ptr<http::Server> http_;
};

Status Program::connect() {
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig config,
                          kube::choose_connection(flags_.server, kube::Environment::of_process()));
  kube::ClientOptions options;
  options.user_agent = concat("margay-controllers/", process::build_info().version);
  // As Calico's controllers have it.
  options.requests_per_second = 500;
  options.burst = 500;
  options.log = log_.with({{"scope", "client"}});
  options.metrics = &metrics_;
  client_ = kube::make_client(loop_, network_, random_, config, options);
  log_.info("API server", {{"from", config.origin}});
  return ok_status();
}

void Program::build(const std::string& identity) {
  cluster_.emplace(watch::WatchEnvironment{loop_, random_, *client_, log_.with({{"scope", "watch"}}), &metrics_},
                   [this](bool is_in_sync) {
                     policies_->on_turn(is_in_sync);
                     policies_wanted_.set(static_cast<double>(policies_->wanted_count()));
                   });
  const WriterParts parts{loop_, *client_, random_, log_.with({{"scope", "writes"}})};
  events_.emplace(
      EventRecorder::Parts{loop_, *client_, random_, log_.with({{"scope", "events"}}), "margay-controllers", identity});
  defaults_.emplace(parts);
  policies_.emplace(parts, *cluster_, *events_);
  LeaseConfig lease;
  lease.identity = identity;
  election_.emplace(LeaderElection::Parts{loop_, *client_, log_.with({{"scope", "lease"}})},
                    kube::ObjectName{flags_.lease_namespace, std::string(kLeaseName)}, lease,
                    LeaderElection::Events{[this] { lead(true); }, [this] { lead(false); }});
}

Status Program::listen() {
  if (!flags_.listen) return ok_status();
  http_ = http::make_server(loop_, network_, {},
                            [this](const http::Request& request, const http::PeerInfo&,
                                   const std::unique_ptr<http::Responder>& responder) { serve(request, *responder); });
  auto bound = http_->listen(*flags_.listen, nullptr);
  if (!bound) return bound.error().within(concat("--listen ", flags_.listen->to_string()));
  return ok_status();
}

Status Program::start() {
  MARGAY_ASSIGN_OR_RETURN(notifier_, process::ServiceNotifier::from_environment(process::process_environment));
  MARGAY_ASSIGN_OR_RETURN(signals_, process::SignalWatch::make(loop_, {SIGTERM, SIGINT}, [this](int signal) {
                            log_.info("stopping", {{"signal", process::signal_name(signal)}});
                            stop();
                          }));
  MARGAY_RETURN_IF_ERROR(connect());
  const std::string identity = flags_.identity.empty() ? concat(host_name(), "_", random_.next()) : flags_.identity;
  build(identity);
  MARGAY_RETURN_IF_ERROR(listen());
  cluster_->start();
  flags_.elects ? election_->start() : lead(true);
  log_.info("running", {{"identity", identity}, {"version", process::build_info().version}});
  (void)notifier_->ready();
  return ok_status();
}

void Program::lead(bool is_leading) {
  leading_.set(is_leading ? 1 : 0);
  defaults_->lead(is_leading);
  policies_->lead(is_leading);
}

// Live: the loop turns. Ready: this replica knows the cluster and could take over.
void Program::serve(const http::Request& request, http::Responder& responder) {
  const auto target = http::parse_target(request.target);
  const std::string path = target.ok() ? target->path : std::string();
  http::Response response;
  if (path == "/metrics") {
    const telemetry::Exposition format = telemetry::choose_exposition(request.headers.get("Accept"));
    response.headers.set("Content-Type", std::string(telemetry::content_type(format)));
    response.body = telemetry::render(metrics_, format);
  } else if (path == "/livez" || path == "/liveness") {
    response.body = "ok\n";
  } else if (path == "/readyz" || path == "/readiness") {
    response.status = cluster_->is_in_sync() ? 200 : 503;
    response.body = cluster_->is_in_sync() ? "ok\n" : "not in sync with the API server\n";
  } else {
    response.status = 404;
  }
  responder.send(std::move(response));
}

void Program::stop() {
  (void)notifier_->stopping();
  election_->stop([this] {
    if (http_ == nullptr) return loop_.stop();
    http_->stop(kStopGrace, [this] { loop_.stop(); });
  });
}

}  // namespace

int run_program(const Flags& flags) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  telemetry::FdSink sink(STDERR_FILENO, flags.log_format);
  telemetry::LogOutput output(sink, telemetry::system_wall_clock, flags.log_level);
  const telemetry::Logger log(output);
  Program program(flags, log);
  if (const Status started = program.start(); !started.ok()) {
    log.error("cannot start", {{"error", started.error()}});
    return 1;
  }
  program.run();
  log.info("stopped");
  return 0;
}

}  // namespace margay::controllers
