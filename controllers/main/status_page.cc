#include "controllers/main/status_page.h"

#include <chrono>
#include <utility>

#include "base/telemetry/exposition.h"

namespace margay::controllers {
namespace {

constexpr Duration kListenRetry = std::chrono::seconds(5);
constexpr Duration kGrace = std::chrono::seconds(1);

}  // namespace

StatusPage::StatusPage(Parts parts, std::function<std::string()> why_not_ready)
    : parts_(std::move(parts)),
      why_not_ready_(std::move(why_not_ready)),
      retry_(parts_.loop.make_timer([this] { (void)try_listen(); })) {}

StatusPage::~StatusPage() = default;

Status StatusPage::listen(std::vector<loop::Endpoint> places) {
  if (places == places_) return ok_status();
  places_ = std::move(places);
  retry_->disarm();
  leave();
  return try_listen();
}

Status StatusPage::try_listen() {
  if (places_.empty()) return ok_status();
  Error last{ErrorCode::kInternal, "there is no place to listen"};
  for (const loop::Endpoint& place : places_) {
    server_ =
        http::make_server(parts_.loop, parts_.network, {},
                          [this](const http::Request& request, const http::PeerInfo&,
                                 const std::unique_ptr<http::Responder>& responder) { serve(request, *responder); });
    const auto bound = server_->listen(place, nullptr);
    if (bound.ok()) {
      parts_.log.info("metrics and health", {{"endpoint", bound->to_string()}});
      return ok_status();
    }
    last = bound.error().within(place.to_string());
  }
  server_.reset();
  parts_.log.warn("cannot listen; it is tried again", {{"error", last}});
  retry_->arm(kListenRetry);
  return last;
}

void StatusPage::leave() {
  if (server_ == nullptr) return;
  http::Server* const old = server_.get();
  leaving_.push_back(std::move(server_));
  old->stop(kGrace, [this, old] {
    // Not from inside its own call; the loop does not outlive this.
    parts_.loop.post([this, old] { std::erase_if(leaving_, [old](const auto& each) { return each.get() == old; }); });
  });
}

void StatusPage::stop(Task done) {
  retry_->disarm();
  if (server_ == nullptr) return done();
  server_->stop(kGrace, std::move(done));
}

void StatusPage::serve(const http::Request& request, http::Responder& responder) {
  const auto target = http::parse_target(request.target);
  const std::string path = target.ok() ? target->path : std::string();
  http::Response response;
  if (path == "/metrics") {
    const telemetry::Exposition format = telemetry::choose_exposition(request.headers.get("Accept"));
    response.headers.set("Content-Type", std::string(telemetry::content_type(format)));
    response.body = telemetry::render(parts_.metrics, format);
  } else if (has_health_ && (path == "/livez" || path == "/liveness")) {
    response.body = "ok\n";
  } else if (has_health_ && (path == "/readyz" || path == "/readiness")) {
    const std::string why_not = why_not_ready_();
    response.status = why_not.empty() ? 200 : 503;
    response.body = why_not.empty() ? "ok\n" : why_not + "\n";
  } else {
    response.status = 404;
  }
  responder.send(std::move(response));
}

}  // namespace margay::controllers
