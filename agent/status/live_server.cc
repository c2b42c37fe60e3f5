#include "agent/status/live_server.h"

#include <utility>

#include "agent/status/tls_files.h"
#include "base/core/text.h"

namespace margay::status {
namespace {

constexpr Duration kListenRetry = std::chrono::seconds(5);
constexpr Duration kGrace = std::chrono::seconds(5);

// Places to try, in order: "" is both families, or IPv4 where there is no IPv6.
std::vector<loop::Endpoint> endpoints_of(const ServerPlace& place) {
  std::vector<std::string> hosts = {place.host};
  if (place.host.empty()) hosts = {"::", "0.0.0.0"};
  if (place.host == "localhost") hosts = {"127.0.0.1", "::1"};
  std::vector<loop::Endpoint> endpoints;
  for (const std::string& host : hosts) {
    endpoints.push_back({.kind = loop::Endpoint::Kind::kTcp, .host = host, .port = place.port, .path = ""});
  }
  return endpoints;
}

}  // namespace

// A server at one place. Kept alive by its end, which may come later.
struct LiveServer::Running {
  std::unique_ptr<TlsFiles> tls;
  std::unique_ptr<http::Server> server;
  loop::Endpoint endpoint;
};

LiveServer::LiveServer(Parts parts, std::string name, http::Handler handler)
    : parts_(std::move(parts)),
      name_(std::move(name)),
      handler_(std::make_shared<const http::Handler>(std::move(handler))),
      retry_(parts_.loop.make_timer([this] { try_listen(); })) {}

LiveServer::~LiveServer() = default;

void LiveServer::set_place(std::optional<ServerPlace> place) {
  if (place == place_) return;
  place_ = std::move(place);
  retry_->disarm();
  last_error_.clear();
  leave();
  if (place_) try_listen();
}

std::optional<loop::Endpoint> LiveServer::listening() const {
  if (running_ == nullptr) return std::nullopt;
  return running_->endpoint;
}

void LiveServer::leave() {
  if (running_ == nullptr) return;
  parts_.log.info("server leaves", {{"server", name_}, {"endpoint", running_->endpoint.to_string()}});
  Running& old = *running_;
  leaving_.push_back(std::move(running_));
  // Not from inside its own call.
  old.server->stop(kGrace, [this, weak = std::weak_ptr<bool>(alive_), end = leaving_.back().get()] {
    parts_.loop.post([this, weak, end] {
      if (!weak.expired()) std::erase_if(leaving_, [end](const auto& each) { return each.get() == end; });
    });
  });
}

void LiveServer::try_listen() {
  auto started = start(*place_);
  if (started.ok()) {
    running_ = std::move(started).value();
    last_error_.clear();
    parts_.log.info("server listens", {{"server", name_}, {"endpoint", running_->endpoint.to_string()}});
    return;
  }
  if (last_error_ != started.error().message) {
    parts_.log.warn("server cannot listen; it is tried again", {{"server", name_}, {"error", started.error()}});
  }
  last_error_ = started.error().message;
  retry_->arm(kListenRetry);
}

Result<std::unique_ptr<LiveServer::Running>> LiveServer::start(const ServerPlace& place) {
  auto running = std::make_unique<Running>();
  loop::TlsServerConfig tls;
  if (place.tls) {
    MARGAY_ASSIGN_OR_RETURN(running->tls, TlsFiles::read(*place.tls, parts_.log, parts_.loop.now()));
    tls = *running->tls->current();
    tls.renewed = [&loop = parts_.loop, files = running->tls.get()] { return files->renew(loop.now()); };
  }
  running->server = http::make_server(parts_.loop, parts_.network, {},
                                      [handler = handler_](http::Request request, const http::PeerInfo& peer,
                                                           std::unique_ptr<http::Responder> responder) {
                                        (*handler)(std::move(request), peer, std::move(responder));
                                      });
  Error last{ErrorCode::kInternal, "there is no place to listen"};
  for (const loop::Endpoint& endpoint : endpoints_of(place)) {
    const auto bound = running->server->listen(endpoint, place.tls ? &tls : nullptr);
    if (bound.ok()) {
      running->endpoint = *bound;
      return running;
    }
    last = bound.error().within(endpoint.to_string());
  }
  return last;
}

}  // namespace margay::status
