#include "bgp/main/program.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "base/loop/asio_loop.h"
#include "base/loop/plain_network.h"
#include "base/process/build_info.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/wall_clock.h"
#include "bgp/liveness/bfd_liveness.h"
#include "bgp/main/config_file.h"
#include "bgp/main/kernel_routes.h"
#include "bgp/main/local_api.h"
#include "bgp/session/socket_transport.h"
#include "bgp/speaker/speaker.h"

namespace margay::bgpd {
namespace {

Result<std::string> read_whole(const std::string& path) { return file::read_file(path); }

void print_problems(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) std::fputs(concat(problem, "\n").c_str(), stderr);
}

class Program {
 public:
  Program(const Flags& flags, telemetry::Logger log) : flags_(flags), log_(std::move(log)) {}

  Status start(LoadedConfig config);
  void run() { loop_.run(); }

 private:
  Status install_routes(const LoadedConfig& config);
  void tell_routes_again() {
    if (speaker_) speaker_->tell_routes_again();
  }
  Status open_socket();
  std::vector<std::string> reload();
  void on_signal(int number);

  const Flags& flags_;
  const telemetry::Logger log_;
  loop::AsioLoop loop_;
  loop::PlainNetwork network_{loop_};
  SeededRandom random_{system_seed()};
  telemetry::Registry metrics_;
  std::optional<process::ServiceNotifier> notifier_;
  std::unique_ptr<process::SignalWatch> signals_;
  bgp::session::SocketTransport transport_{loop_, loop_, log_.with({{"scope", "bgp"}})};
  KernelRoutes kernel_{
      {.loop = loop_, .log = log_.with({{"scope", "routes"}}), .metrics = &metrics_, .tell_again = [this] {
         tell_routes_again();
       }}};
  bgp::BfdLiveness liveness_{{loop_, loop_, random_, log_.with({{"scope", "bfd"}})}};
  std::optional<bgp::Speaker> speaker_;
  std::unique_ptr<LocalApi> api_;
};

Status Program::install_routes(const LoadedConfig& config) {
  const Status status =
      kernel_.install(config.install_routes ? std::optional(RouteTableId(config.route_table)) : std::nullopt);
  if (!status.ok()) return status.error().within("routes of the kernel");
  return ok_status();
}

Status Program::open_socket() {
  api_ = std::make_unique<LocalApi>(LocalApi::Parts{loop_, network_, *speaker_, metrics_, [this] { return reload(); }});
  Status status = api_->listen(flags_.socket);
  if (status.ok()) return status;
  if (flags_.has_socket) return status.error().within(concat("--socket ", flags_.socket));
  // Nobody asked for this very socket: a second speaker on a machine, or no /run.
  log_.warn("no local socket", {{"socket", flags_.socket}, {"error", status.error()}});
  return ok_status();
}

Status Program::start(LoadedConfig config) {
  MARGAY_ASSIGN_OR_RETURN(notifier_, process::ServiceNotifier::from_environment(process::process_environment));
  MARGAY_ASSIGN_OR_RETURN(signals_, process::SignalWatch::make(loop_, {SIGTERM, SIGINT, SIGHUP},
                                                               [this](int number) { on_signal(number); }));
  MARGAY_RETURN_IF_ERROR(install_routes(config));
  const bool restarting = kernel_.has_routes();
  speaker_.emplace(
      bgp::SpeakerParts{loop_, random_, transport_, kernel_, log_.with({{"scope", "bgp"}}), &metrics_, &liveness_},
      restarting);
  const std::size_t peers = config.speaker.peers.size();
  MARGAY_RETURN_IF_ERROR(speaker_->apply(std::move(config.speaker)));
  MARGAY_RETURN_IF_ERROR(open_socket());
  log_.info("running", {{"peers", peers}, {"restarting", restarting}, {"version", process::build_info().version}});
  (void)notifier_->ready();
  return ok_status();
}

std::vector<std::string> Program::reload() {
  Loaded loaded = load_config(flags_.config, read_whole);
  if (loaded.problems.empty()) {
    // First what the system may refuse, as nothing has changed then.
    Status status = install_routes(loaded.config);
    if (status.ok()) status = speaker_->apply(std::move(loaded.config.speaker));
    if (!status.ok()) loaded.problems.push_back(concat(flags_.config, ": ", status.error().message));
  }
  for (const std::string& problem : loaded.problems) log_.error("configuration refused", {{"problem", problem}});
  if (loaded.problems.empty()) log_.info("configuration applied");
  return std::move(loaded.problems);
}

void Program::on_signal(int number) {
  if (number == SIGHUP) {
    (void)reload();
    return;
  }
  log_.info("stopping", {{"signal", process::signal_name(number)}});
  (void)notifier_->stopping();
  // SIGTERM is how services are restarted: peers with Graceful Restart keep our routes, and the kernel keeps theirs.
  if (number == SIGTERM) return loop_.stop();
  speaker_->stop("stopped by an admin", [this] { loop_.stop(); });
}

}  // namespace

int run_check(const Flags& flags) {
  const Loaded loaded = load_config(flags.config, read_whole);
  print_problems(loaded.problems);
  return loaded.problems.empty() ? 0 : 2;
}

int run_program(const Flags& flags) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  Loaded loaded = load_config(flags.config, read_whole);
  if (!loaded.problems.empty()) {
    print_problems(loaded.problems);
    return 2;
  }
  telemetry::FdSink sink(STDERR_FILENO, flags.log_format);
  telemetry::LogOutput output(sink, telemetry::system_wall_clock, flags.log_level);
  const telemetry::Logger log(output);
  Program program(flags, log);
  const Status started = program.start(std::move(loaded.config));
  if (!started.ok()) {
    std::fputs(concat("margay-bgpd: ", started.error().message, "\n").c_str(), stderr);
    return 1;
  }
  program.run();
  return 0;
}

}  // namespace margay::bgpd
