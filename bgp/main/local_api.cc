#include "bgp/main/local_api.h"

#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "base/telemetry/exposition.h"
#include "bgp/answer/route_query.h"
#include "bgp/speaker/snapshot_json.h"

namespace margay::bgpd {
namespace {

http::Response respond(int status, const json::Value& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = json::dump(body) + "\n";
  return response;
}

http::Response failure(int status, std::string message) {
  json::Object body;
  body["error"] = std::move(message);
  return respond(status, body);
}

int status_of(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return 404;
  return error.code == ErrorCode::kInvalid ? 400 : 409;
}

http::Response done(const Status& status) {
  if (!status.ok()) return failure(status_of(status.error()), status.error().message);
  return respond(200, json::Object{});
}

}  // namespace

LocalApi::LocalApi(Parts parts)
    : parts_(std::move(parts)),
      server_(http::make_server(
          parts_.loop, parts_.network, {},
          [this](const http::Request& request, const http::PeerInfo&, std::unique_ptr<http::Responder> responder) {
            serve(request, std::move(responder));
          })) {}

Status LocalApi::listen(const std::string& socket_path) {
  loop::Endpoint endpoint;
  endpoint.kind = loop::Endpoint::Kind::kUnix;
  endpoint.path = socket_path;
  const auto bound = server_->listen(endpoint, nullptr);
  if (!bound.ok()) return bound.error();
  return ok_status();
}

void LocalApi::serve(const http::Request& request, std::unique_ptr<http::Responder> responder) {
  const auto target = http::parse_target(request.target);
  if (!target.ok()) return responder->send(failure(400, target.error().message));
  if (request.method == "GET" && target->path == "/routes") return serve_routes(*target, std::move(responder));
  responder->send(answer(request, *target));
}

http::Response LocalApi::answer(const http::Request& request, const http::Target& target) {
  const bool is_get = request.method == "GET", is_post = request.method == "POST";
  if (is_get && target.path == "/peers") return peers();
  if (is_get && target.path == "/metrics") return metrics(request);
  if (is_post && target.path == "/reload") return reload();
  if (is_post && (target.path == "/reset" || target.path == "/refresh")) return on_peer(target);
  return failure(404, concat("there is no ", request.method, " ", target.path));
}

void LocalApi::serve_routes(const http::Target& target, std::unique_ptr<http::Responder> responder) {
  const auto query = bgp::route_query(target);
  if (!query.ok()) return responder->send(failure(400, query.error().message));
  auto cursor = parts_.speaker.routes(*query);
  if (!cursor.ok()) return responder->send(done(cursor.error()));
  auto source = [routes = std::shared_ptr<bgp::RouteCursor>(std::move(cursor).value())](auto done) {
    bgp::RoutePiece piece;
    piece.has_more = routes->next(piece.routes);
    done(std::move(piece));
  };
  auto stream = std::make_shared<bgp::RouteStream>(parts_.loop, std::move(source), std::move(responder));
  streams_.insert(stream);
  // Not from inside one of its own callbacks.
  stream->start([this, weak = std::weak_ptr<bgp::RouteStream>(stream)] {
    parts_.loop.post([weak_self = std::weak_ptr<bool>(alive_), this, weak] {
      const auto ended = weak.lock();
      if (!weak_self.expired() && ended != nullptr) streams_.erase(ended);
    });
  });
}

http::Response LocalApi::peers() const {
  const bgp::SpeakerSnapshot snapshot = parts_.speaker.snapshot({});
  json::Array peers;
  for (const bgp::PeerSnapshot& peer : snapshot.peers) peers.push_back(bgp::to_json(peer));
  json::Object body;
  body["speaker"] = bgp::speaker_json(snapshot);
  body["peers"] = std::move(peers);
  return respond(200, body);
}

http::Response LocalApi::metrics(const http::Request& request) const {
  parts_.speaker.update_metrics();
  const auto format = telemetry::choose_exposition(request.headers.get("Accept"));
  http::Response response;
  response.headers.set("Content-Type", std::string(telemetry::content_type(format)));
  response.body = telemetry::render(parts_.metrics, format);
  return response;
}

http::Response LocalApi::reload() {
  const std::vector<std::string> problems = parts_.reload();
  if (problems.empty()) return respond(200, json::Object{});
  json::Array list;
  for (const std::string& problem : problems) list.emplace_back(problem);
  json::Object body;
  body["error"] = "the configuration is as it was";
  body["problems"] = std::move(list);
  return respond(422, body);
}

http::Response LocalApi::on_peer(const http::Target& target) {
  const auto peer = IpAddress::parse(target.parameter("peer").value_or(""));
  if (!peer.ok()) return failure(400, concat("peer: ", peer.error().message));
  if (target.path == "/reset") return done(parts_.speaker.reset(*peer, target.parameter("text").value_or("")));
  if (target.parameter("out")) return done(parts_.speaker.refresh_out(*peer));
  return done(parts_.speaker.refresh_in(*peer));
}

}  // namespace margay::bgpd
