#include "agent/main/local_api.h"

#include <utility>

#include "agent/main/status_json.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "bgp/answer/route_query.h"
#include "bgp/speaker/snapshot_json.h"

namespace margay::agent {
namespace {

http::Response respond(int status, const json::Value& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body = json::dump(body) + "\n";
  return response;
}

http::Response failure(int status, std::string message) {
  return respond(status, json::Object{{"error", std::move(message)}});
}

std::string_view to_string(PeerSource source) {
  switch (source) {
    case PeerSource::kNodeMesh: return "NodeMesh";
    case PeerSource::kNode: return "NodePeer";
    case PeerSource::kGlobal: return "GlobalPeer";
    case PeerSource::kLocalWorkload: return "LocalWorkload";
  }
  return {};
}

// `desired`: why each peer is there; nullptr: not known.
http::Response peers_response(const BgpSnapshot& snapshot, const BgpDesired* desired) {
  json::Array peers;
  for (const bgp::PeerSnapshot& peer : snapshot.speaker.peers) {
    json::Value& one = peers.emplace_back(bgp::to_json(peer));
    if (desired == nullptr) continue;
    const auto origin = desired->origins.find({peer.address, peer.port});
    if (origin != desired->origins.end()) one["source"] = to_string(origin->second.source);
  }
  json::Object body{{"running", snapshot.is_running}, {"gateOpen", snapshot.is_gate_open}};
  if (!snapshot.refused.empty()) body["refused"] = snapshot.refused;
  if (snapshot.is_running) body["speaker"] = bgp::speaker_json(snapshot.speaker);
  body["peers"] = std::move(peers);
  return respond(200, body);
}

}  // namespace

LocalApi::LocalApi(loop::Loop& loop, loop::Network& network, Agent& agent)
    : loop_(loop),
      agent_(agent),
      server_(http::make_server(
          loop, network, {},
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
  if (request.method == "GET" && target->path == "/peers") return serve_peers(std::move(responder));
  if (request.method == "GET" && target->path == "/routes") return serve_routes(*target, std::move(responder));
  responder->send(answer(request, target->path));
}

void LocalApi::serve_peers(std::unique_ptr<http::Responder> responder) {
  agent_.bgp()->snapshot({}, [this, alive = std::weak_ptr<bool>(alive_),
                              responder = std::move(responder)](const BgpSnapshot& snapshot) mutable {
    if (alive.expired()) return;
    responder->send(peers_response(snapshot, agent_.calculation().bgp().desired()));
  });
}

void LocalApi::serve_routes(const http::Target& target, std::unique_ptr<http::Responder> responder) {
  const auto query = bgp::route_query(target);
  if (!query.ok()) return responder->send(failure(400, query.error().message));
  agent_.bgp()->open_routes(*query, [this, alive = std::weak_ptr<bool>(alive_),
                                     responder = std::move(responder)](const Result<std::uint64_t>& reading) mutable {
    if (alive.expired()) return;
    if (!reading.ok()) {
      const int status = reading.error().code == ErrorCode::kNotFound ? 404 : 503;
      return responder->send(failure(status, reading.error().message));
    }
    stream_routes(*reading, std::move(responder));
  });
}

void LocalApi::stream_routes(std::uint64_t reading, std::unique_ptr<http::Responder> responder) {
  auto source = [this, alive = std::weak_ptr<bool>(alive_), reading](Callback<void(bgp::RoutePiece)> done) {
    if (alive.expired()) return;
    agent_.bgp()->read_routes(reading, [done = std::move(done)](RoutesRead read) mutable {
      done({std::move(read.routes), read.has_more});
    });
  };
  auto stream = std::make_shared<bgp::RouteStream>(loop_, std::move(source), std::move(responder));
  streams_.insert(stream);
  // Not from inside one of its own callbacks.
  stream->start([this, alive = std::weak_ptr<bool>(alive_), reading, weak = std::weak_ptr<bgp::RouteStream>(stream)] {
    loop_.post([this, alive, reading, weak] {
      if (alive.expired()) return;
      agent_.bgp()->close_routes(reading);
      if (const auto ended = weak.lock()) streams_.erase(ended);
    });
  });
}

http::Response LocalApi::answer(const http::Request& request, const std::string& path) {
  if (request.method == "GET") {
    if (path == "/status") return respond(200, status_json(agent_));
    if (path == "/endpoints") return respond(200, endpoints_json(agent_.endpoints()));
    if (path == "/tunnels") return respond(200, tunnels_json(agent_));
    if (path == "/problems") return respond(200, problems_json(agent_));
    if (path == "/settings") return respond(200, agent_.calculation().configuration().origins());
    if (path == "/metrics") return agent_.status_server().metrics(request);
    if (path == "/livez" || path == "/readyz") return agent_.status_server().health(request);
  }
  if (request.method == "POST" && path == "/resync") {
    agent_.resync();
    return respond(200, json::Object{});
  }
  return failure(404, concat("there is no ", request.method, " ", path));
}

}  // namespace margay::agent
