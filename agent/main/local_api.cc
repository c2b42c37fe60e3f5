#include "agent/main/local_api.h"

#include <utility>

#include "agent/main/status_json.h"
#include "base/core/text.h"
#include "base/json/value.h"
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

http::Response peers_response(const BgpSnapshot& snapshot) {
  json::Array peers;
  for (const bgp::PeerSnapshot& peer : snapshot.speaker.peers) peers.push_back(bgp::to_json(peer));
  json::Object body{{"running", snapshot.is_running}, {"gateOpen", snapshot.is_gate_open}};
  if (!snapshot.refused.empty()) body["refused"] = snapshot.refused;
  if (snapshot.is_running) body["speaker"] = bgp::speaker_json(snapshot.speaker);
  body["peers"] = std::move(peers);
  return respond(200, body);
}

}  // namespace

LocalApi::LocalApi(loop::Loop& loop, loop::Network& network, Agent& agent)
    : agent_(agent),
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
  responder->send(answer(request, target->path));
}

void LocalApi::serve_peers(std::unique_ptr<http::Responder> responder) {
  agent_.bgp()->snapshot({}, [responder = std::move(responder)](const BgpSnapshot& snapshot) mutable {
    responder->send(peers_response(snapshot));
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
