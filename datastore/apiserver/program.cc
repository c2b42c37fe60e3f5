#include "datastore/apiserver/program.h"

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "base/http/server.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/process/build_info.h"
#include "base/process/process_metrics.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/wall_clock.h"
#include "datastore/apiserver/certificates.h"
#include "datastore/apiserver/crd_dir.h"
#include "datastore/apiserver/kubeconfig.h"
#include "datastore/apiserver/store_choice.h"
#include "datastore/schema/registry.h"
#include "datastore/server/api_server.h"

namespace margay::apiserver {
namespace {

// How long requests under way may take when the server stops.
constexpr Duration kStopGrace = std::chrono::seconds(10);

class Program {
 public:
  Program(const Flags& flags, const telemetry::Logger& log) : flags_(flags), log_(log) {}

  Status start();
  // Until a signal, or an error that shows only when it serves.
  Status run() {
    loop_.run();
    return outcome_;
  }
  // After run().
  Status close();

 private:
  Status read_tls();
  Status write_kubeconfig();
  Result<server::Access> read_access() const;
  Status listen();
  void serving();
  void stop();

  const Flags& flags_;
  const telemetry::Logger log_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  SeededRandom random_{system_seed()};
  telemetry::Registry metrics_;
  std::optional<process::ServiceNotifier> notifier_;
  std::unique_ptr<process::SignalWatch> signals_;
  std::optional<process::ProcessMetrics> process_metrics_{std::in_place, metrics_};
  std::unique_ptr<Certificates> certificates_;  // null: no TLS
  std::string admin_token_;
  std::unique_ptr<ChosenStore> store_;
  std::unique_ptr<server::ApiServer> server_;
  std::unique_ptr<http::Server> http_;
  std::vector<loop::Endpoint> bound_;
  Status outcome_ = ok_status();
};

Status Program::read_tls() {
  if (flags_.tls_cert.empty()) return ok_status();
  MARGAY_ASSIGN_OR_RETURN(
      certificates_, Certificates::read({flags_.tls_cert, flags_.tls_key, flags_.client_ca_file}, log_, loop_.now()));
  // Clients trust what the kubeconfig holds.
  certificates_->set_on_changed([this] {
    if (const Status written = write_kubeconfig(); !written.ok())
      log_.error("the kubeconfig cannot be written", {{"error", written.error()}});
  });
  return ok_status();
}

Result<server::Access> Program::read_access() const {
  if (!flags_.token_file.empty()) {
    MARGAY_ASSIGN_OR_RETURN(const std::string text, file::read_file(flags_.token_file));
    auto access = server::Access::parse(text);
    if (!access) return access.error().within(flags_.token_file);
    return access;
  }
  if (!flags_.client_ca_file.empty()) return server::Access::certificates_only();
  for (const loop::Endpoint& endpoint : flags_.listen)
    if (!is_local_only(endpoint))
      return invalid(concat("--listen ", endpoint.to_string(),
                            " can be reached from other machines: give --token-file or --client-ca-file, ",
                            "or listen on 127.0.0.1, [::1] or a unix socket"));
  return server::Access::open();
}

Status Program::start() {
  MARGAY_ASSIGN_OR_RETURN(notifier_, process::ServiceNotifier::from_environment(process::process_environment));
  MARGAY_ASSIGN_OR_RETURN(signals_, process::SignalWatch::make(loop_, {SIGTERM, SIGINT}, [this](int signal) {
                            log_.info("stopping", {{"signal", process::signal_name(signal)}});
                            stop();
                          }));
  MARGAY_RETURN_IF_ERROR(read_tls());
  MARGAY_ASSIGN_OR_RETURN(server::Access access, read_access());
  admin_token_ = access.admin_token();
  std::unique_ptr<schema::Registry> registry = schema::make_registry();
  if (!flags_.crd_dir.empty()) {
    MARGAY_ASSIGN_OR_RETURN(const std::size_t count, load_crd_dir(flags_.crd_dir, *registry));
    if (count == 0) log_.warn("no definitions in the files of --crd-dir", {{"folder", flags_.crd_dir}});
    if (count != 0) log_.info("kinds loaded", {{"folder", flags_.crd_dir}, {"definitions", count}});
  }
  MARGAY_ASSIGN_OR_RETURN(store_, choose_store({loop_, network_, random_, metrics_, log_}, flags_.store));
  if (flags_.enable_fault_injection)
    log_.warn(
        "FAULT INJECTION IS ENABLED: administrators can make this server fail; for tests only, never in production",
        {{"flag", "--enable-fault-injection"}, {"path", "/debug/faults"}});
  server_ = std::make_unique<server::ApiServer>(
      server::ApiServer::Dependencies{loop_, random_, store_->store(), metrics_, log_}, std::move(registry),
      server::ApiServerConfig{std::move(access), flags_.enable_fault_injection});
  MARGAY_RETURN_IF_ERROR(listen());
  server_->start([this] { serving(); });
  return ok_status();
}

Status Program::listen() {
  http_ = http::make_server(
      loop_, network_, {},
      [this](http::Request request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder) {
        server_->handle(std::move(request), peer, std::move(responder));
      });
  loop::TlsServerConfig tls;
  if (certificates_ != nullptr) {
    tls = *certificates_->settings();
    tls.renewed = [this] { return certificates_->renew(loop_.now()); };
  }
  for (const loop::Endpoint& endpoint : flags_.listen) {
    const bool is_tls = certificates_ != nullptr && endpoint.kind == loop::Endpoint::Kind::kTcp;
    auto bound = http_->listen(endpoint, is_tls ? &tls : nullptr);
    if (!bound) return bound.error().within(concat("--listen ", endpoint.to_string()));
    if (!is_tls && !is_local_only(endpoint))
      log_.warn("tokens travel in the clear: give --tls-cert", {{"listen", bound.value()}});
    bound_.push_back(std::move(bound).value());
  }
  return ok_status();
}

Status Program::write_kubeconfig() {
  if (flags_.write_kubeconfig.empty() || bound_.empty()) return ok_status();
  const bool is_tls = certificates_ != nullptr && bound_.front().kind == loop::Endpoint::Kind::kTcp;
  const std::string trusted = is_tls ? certificates_->settings()->certificate_pem : std::string();
  const std::string text = kubeconfig_text({bound_.front(), trusted, admin_token_});
  return file::write_file_atomically(flags_.write_kubeconfig, text, 0600);
}

void Program::serving() {
  std::vector<std::string> urls;
  for (const loop::Endpoint& endpoint : bound_) urls.push_back(endpoint.to_string());
  if (const Status written = write_kubeconfig(); !written.ok()) {
    outcome_ = written.error().within("--write-kubeconfig");
    return stop();
  }
  log_.info("serving",
            {{"listen", join(urls, ",")}, {"store", store_->name()}, {"version", process::build_info().version}});
  (void)notifier_->ready();
}

void Program::stop() {
  (void)notifier_->stopping();
  server_->stop();
  http_->stop(kStopGrace, [this] { loop_.stop(); });
}

Status Program::close() {
  http_.reset();
  server_.reset();
  Status closed = store_->close();
  store_.reset();
  return closed;
}

}  // namespace

int run_program(const Flags& flags) {
  telemetry::FdSink sink(2, flags.log_format);
  telemetry::LogOutput output(sink, telemetry::system_wall_clock, flags.log_level);
  const telemetry::Logger log(output);
  std::signal(SIGPIPE, SIG_IGN);
  Program program(flags, log);
  if (const Status started = program.start(); !started.ok()) {
    log.error("cannot start", {{"error", started.error()}});
    return 1;
  }
  const Status outcome = program.run();
  if (!outcome.ok()) log.error("cannot serve", {{"error", outcome.error()}});
  if (const Status closed = program.close(); !closed.ok()) {
    log.error("the store could not be closed in order", {{"error", closed.error()}});
    return 1;
  }
  log.info("stopped");
  return outcome.ok() ? 0 : 1;
}

}  // namespace margay::apiserver
