#include "agent/status/status_server.h"

#include <utility>

#include "base/core/text.h"
#include "base/telemetry/exposition.h"

namespace margay::status {
namespace {

constexpr std::string_view kDataplane = "dataplane";

http::Response text_response(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

// As kube-apiserver's: "[+]name ok", "[-]name detail".
std::string lines_of(const Report& report, std::string_view probe) {
  std::string text;
  for (const Check& check : report.checks) {
    text += concat(check.is_ok ? "[+]" : "[-]", check.name, " ", check.is_ok ? "ok" : "failed");
    if (!check.detail.empty()) text += concat(": ", check.detail);
    text += "\n";
  }
  return text + concat(probe, report.is_ok ? " check passed\n" : " check failed\n");
}

std::optional<ServerTls> tls_of(const model::FelixProcess& process) {
  // One without the other is a mistake, and no reason to go without TLS.
  if (process.prometheus_metrics_cert_file.empty() && process.prometheus_metrics_key_file.empty()) return std::nullopt;
  ServerTls tls;
  tls.certificate_file = process.prometheus_metrics_cert_file;
  tls.key_file = process.prometheus_metrics_key_file;
  const std::string& auth = process.prometheus_metrics_client_auth;
  if (auth.empty() || auth == "NoClientCert") return tls;
  // RequireAnyClientCert asks for one without checking it: it is checked all the same.
  tls.asks_clients = true;
  tls.client_ca_file = process.prometheus_metrics_ca_file;
  tls.is_client_certificate_optional = auth == "VerifyClientCertIfGiven";
  return tls;
}

ServerPlace place_of(const std::string& host, const std::optional<Port>& port) {
  return {.host = host, .port = port ? port->value() : std::uint16_t{0}};
}

http::Handler only_get(std::function<http::Response(const http::Request&)> answer) {
  return [answer = std::move(answer)](const http::Request& request, const http::PeerInfo&,
                                      std::unique_ptr<http::Responder> responder) {
    if (request.method != "GET" && request.method != "HEAD") {
      return responder->send(text_response(405, "only GET\n"));
    }
    responder->send(answer(request));
  };
}

}  // namespace

StatusServer::StatusServer(const LiveServer::Parts& parts, Health& health, const telemetry::Registry& metrics,
                           std::function<void()> before_scrape)
    : health_(health),
      registry_(metrics),
      before_scrape_(std::move(before_scrape)),
      health_server_(parts, "health", only_get([this](const http::Request& request) { return this->health(request); })),
      metrics_server_(parts, "metrics",
                      only_get([this](const http::Request& request) { return this->metrics(request); })) {}

void StatusServer::apply(const config::Settings& settings) {
  const model::FelixProcess& process = settings.process;
  if (process.dataplane_watchdog_timeout) {
    health_.set_timeout(std::string(kDataplane), *process.dataplane_watchdog_timeout);
  }
  health_.set_timeouts(process.health_timeout_overrides);

  std::optional<ServerPlace> health_place, metrics_place;
  if (process.health_enabled.value_or(false)) health_place = place_of(process.health_host, process.health_port);
  if (process.prometheus_metrics_enabled.value_or(false)) {
    metrics_place = place_of(process.prometheus_metrics_host, process.prometheus_metrics_port);
    metrics_place->tls = tls_of(process);
  }
  health_server_.set_place(std::move(health_place));
  metrics_server_.set_place(std::move(metrics_place));
}

http::Response StatusServer::health(const http::Request& request) const {
  const auto target = http::parse_target(request.target);
  if (!target.ok()) return text_response(400, target.error().message + "\n");
  const bool is_live = target->path == "/livez" || target->path == "/liveness";
  const bool is_ready = target->path == "/readyz" || target->path == "/readiness" || target->path == "/healthz";
  if (!is_live && !is_ready) return text_response(404, "/livez, /readyz, /liveness, /readiness\n");
  const Report report = is_live ? health_.liveness() : health_.readiness();
  const bool is_verbose = target->parameter("verbose").has_value() || !report.is_ok;
  return text_response(report.is_ok ? 200 : 503,
                       is_verbose ? lines_of(report, target->path.substr(1)) : std::string("ok\n"));
}

http::Response StatusServer::metrics(const http::Request& request) const {
  const auto target = http::parse_target(request.target);
  if (!target.ok() || target->path != "/metrics") return text_response(404, "/metrics\n");
  if (before_scrape_) before_scrape_();
  const auto format = telemetry::choose_exposition(request.headers.get("Accept"));
  http::Response response;
  response.headers.set("Content-Type", std::string(telemetry::content_type(format)));
  response.body = telemetry::render(registry_, format);
  return response;
}

}  // namespace margay::status
