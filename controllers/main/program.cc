#include "controllers/main/program.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/process/build_info.h"
#include "base/process/heap.h"
#include "base/process/process_metrics.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/wall_clock.h"
#include "controllers/defaults/default_objects.h"
#include "controllers/ipam/ipam_controller.h"
#include "controllers/loadbalancer/load_balancer_controller.h"
#include "controllers/main/status_page.h"
#include "controllers/node/node_controller.h"
#include "controllers/policy/policy_controller.h"
#include "controllers/runtime/controller_set.h"
#include "controllers/runtime/event_gate.h"
#include "controllers/runtime/leader_election.h"
#include "controllers/runtime/settings_keeper.h"
#include "controllers/status/programmed_controller.h"
#include "controllers/status/status_controller.h"
#include "datastore/kube/make_client.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kLeaseName = "margay-controllers";
// A start needs for a moment what nobody needs afterwards; so does whatever makes all be listed or written again.
constexpr Duration kReturnMemoryFirst = std::chrono::seconds(10);
constexpr Duration kReturnMemory = std::chrono::minutes(1);

std::string host_name() {
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 ? std::string(buffer.data()) : std::string("unknown");
}

// LogSeverity has more words than there are levels.
telemetry::Level level_of(model::LogSeverity severity) {
  switch (severity) {
    case model::LogSeverity::kTrace:
    case model::LogSeverity::kDebug: return telemetry::Level::kDebug;
    case model::LogSeverity::kInfo: return telemetry::Level::kInfo;
    case model::LogSeverity::kWarning: return telemetry::Level::kWarn;
    case model::LogSeverity::kError:
    case model::LogSeverity::kFatal:
    case model::LogSeverity::kPanic: return telemetry::Level::kError;
    case model::LogSeverity::kNone: return telemetry::Level::kOff;
  }
  return telemetry::Level::kInfo;
}

// All of them, in the order in which they hear of changes.
std::vector<ControllerEntry> all_controllers() {
  return {default_objects_controller(), policy_controller(), load_balancer_controller(), status_controller(),
          programmed_controller(),      node_controller(),   ipam_controller()};
}

class Program {
 public:
  Program(const Flags& flags, telemetry::LogOutput& output) : flags_(flags), output_(output), log_(output) {}

  Status start();
  void run() { loop_.run(); }

 private:
  Status connect();
  void build(const std::string& identity);
  void apply(const Settings& settings);
  Status listen(const Settings& settings);
  void lead(bool is_leading);
  void stop();
  void return_memory();

  const Flags& flags_;
  telemetry::LogOutput& output_;
  const telemetry::Logger log_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  SeededRandom random_{system_seed()};
  telemetry::Registry metrics_;
  process::ProcessMetrics process_metrics_{metrics_};
  telemetry::Gauge leading_ = metrics_.gauge({"margay_controllers_leading", "1: this replica writes", ""});
  std::optional<process::ServiceNotifier> notifier_;
  std::unique_ptr<process::SignalWatch> signals_;
  std::unique_ptr<kube::Client> client_;
  std::optional<EventGate> events_;
  std::optional<ControllerSet> controllers_;
  std::optional<SettingsKeeper> settings_;
  std::optional<LeaderElection> election_;
  std::unique_ptr<loop::Timer> memory_timer_ = loop_.make_timer([this] { return_memory(); });
  StatusPage page_{
      {loop_, network_, metrics_, log_}, [this] {
        return std::string(controllers_ && controllers_->is_in_sync() ? "" : "not in sync with the API server");
      }};
};

Status Program::connect() {
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig config,
                          kube::choose_connection(flags_.server, kube::Environment::of_process()));
  kube::ClientOptions options;
  options.user_agent = concat("margay-controllers/", process::build_info().version);
  // Calico's controllers have 500; 5,000 policies of a cold start are to be there in less than ten seconds.
  options.requests_per_second = 1000;
  options.burst = 1000;
  options.log = log_.with({{"scope", "client"}});
  options.metrics = &metrics_;
  client_ = kube::make_client(loop_, network_, random_, config, options);
  log_.info("API server", {{"from", config.origin}});
  return ok_status();
}

void Program::build(const std::string& identity) {
  const watch::WatchEnvironment environment{loop_, random_, *client_, log_.with({{"scope", "watch"}}), &metrics_};
  const WriterParts parts{loop_, *client_, random_, log_.with({{"scope", "writes"}})};
  events_.emplace(EventGate::Parts{loop_, random_, *client_, log_.with({{"scope", "events"}})}, identity);
  controllers_.emplace(ControllerParts{parts, *events_, metrics_}, environment, all_controllers());
  settings_.emplace(parts, environment, process::process_environment,
                    [this](const Settings& settings) { apply(settings); });
  LeaseConfig lease;
  lease.identity = identity;
  election_.emplace(LeaderElection::Parts{loop_, *client_, log_.with({{"scope", "lease"}})},
                    kube::ObjectName{flags_.lease_namespace, std::string(kLeaseName)}, lease,
                    LeaderElection::Events{[this] { lead(true); }, [this] { lead(false); }});
}

void Program::apply(const Settings& settings) {
  if (!flags_.log_level) output_.set_level(level_of(*settings.spec.log_severity_screen));
  (void)listen(settings);  // it is tried again, and in the log
  controllers_->apply(settings);
}

// The command line's word is the stronger one.
Status Program::listen(const Settings& settings) {
  page_.set_health(settings.spec.health_checks == model::Switch::kEnabled);
  if (flags_.listens_nowhere) return ok_status();
  if (flags_.listen) return page_.listen({*flags_.listen});
  const Port port = settings.spec.prometheus_metrics_port.value_or(Port(0));
  if (port == Port(0)) return page_.listen({});
  // Both families, or IPv4 where there is no IPv6.
  std::vector<loop::Endpoint> places;
  for (const char* host : {"::", "0.0.0.0"}) {
    places.push_back({.kind = loop::Endpoint::Kind::kTcp, .host = host, .port = port.value(), .path = ""});
  }
  return page_.listen(std::move(places));
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
  // Until the object is read: what the environment and the defaults say.
  const Status listening = listen(settle(nullptr, process::process_environment));
  if (flags_.listen) MARGAY_RETURN_IF_ERROR(listening);
  settings_->start();
  flags_.elects ? election_->start() : lead(true);
  log_.info("running", {{"identity", identity}, {"version", process::build_info().version}});
  (void)notifier_->ready();
  memory_timer_->arm(kReturnMemoryFirst);
  return ok_status();
}

void Program::return_memory() {
  process::return_free_memory();
  memory_timer_->arm(kReturnMemory);
}

void Program::lead(bool is_leading) {
  leading_.set(is_leading ? 1 : 0);
  events_->lead(is_leading);
  settings_->lead(is_leading);
  controllers_->lead(is_leading);
}

void Program::stop() {
  (void)notifier_->stopping();
  election_->stop([this] { page_.stop([this] { loop_.stop(); }); });
}

}  // namespace

int run_program(const Flags& flags) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  process::keep_heap_small();
  telemetry::FdSink sink(STDERR_FILENO, flags.log_format);
  telemetry::LogOutput output(sink, telemetry::system_wall_clock, flags.log_level.value_or(telemetry::Level::kInfo));
  const telemetry::Logger log(output);
  Program program(flags, output);
  if (const Status started = program.start(); !started.ok()) {
    log.error("cannot start", {{"error", started.error()}});
    return 1;
  }
  program.run();
  log.info("stopped");
  return 0;
}

}  // namespace margay::controllers
