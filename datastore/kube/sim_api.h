// For tests: API servers made of one function each, on a simulated network, and a client that talks to them in virtual
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/http/server.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"
#include "datastore/kube/make_client.h"

namespace margay::kube {

class SimServer {
 public:
  using Answer = std::function<void(const http::Request& request, std::unique_ptr<http::Responder> responder)>;

  SimServer(loop::Loop& loop, loop::Network& network, const std::string& endpoint) {
    server_ = http::make_server(
        loop, network, {},
        [this](const http::Request& request, const http::PeerInfo&, std::unique_ptr<http::Responder> responder) {
          if (request.target == "/readyz") {
            ++probes;
            if (is_ready) responder->send({.status = *is_ready ? 200 : 500, .headers = {}, .body = "ok"});
            if (!is_ready) held.push_back(std::move(responder));
            return;
          }
          requests.push_back(request);
          answer(request, std::move(responder));
        });
    MARGAY_CHECK(server_->listen(*loop::Endpoint::parse(endpoint), nullptr).ok());
  }

  // What is asked for, /readyz aside.
  std::vector<http::Request> requests;
  Answer answer = [this](const http::Request&, std::unique_ptr<http::Responder> responder) {
    held.push_back(std::move(responder));  // never answers
  };
  std::optional<bool> is_ready = true;  // nullopt: does not answer
  int probes = 0;
  std::vector<std::unique_ptr<http::Responder>> held;

  // Answers everything with this.
  void always(int status, const std::string& body, const http::Headers& headers = {}) {
    answer = [=](const http::Request&, std::unique_ptr<http::Responder> responder) {
      responder->send({.status = status, .headers = headers, .body = body});
    };
  }

 private:
  std::unique_ptr<http::Server> server_;
};

// A loop, a network, and what a call ends with.
struct SimWorld {
  explicit SimWorld(std::uint64_t seed = 1) : network(loop, seed), random(seed) {}

  ConnectionConfig config(const std::string& servers) {
    ConnectionConfig out;
    out.servers = *parse_servers(servers);
    return out;
  }
  std::unique_ptr<Client> client(const ConnectionConfig& connection, const ClientOptions& options = {}) {
    auto make_http = [this](const ServerUrl& url) {
      return http::make_client(loop, network, {.endpoint = url.endpoint, .tls = {}, .host_header = url.host_header});
    };
    auto read = [this](const std::string& path) -> Result<std::string> {
      const auto found = files.find(path);
      if (found == files.end()) return Error{ErrorCode::kNotFound, path};
      return found->second;
    };
    return make_client(loop, random, connection, options, make_http, read);
  }

  loop::SimLoop loop;
  loop::SimNetwork network;
  SeededRandom random;
  std::map<std::string, std::string> files;
};

// The end of a call; keeps it alive.
template <class T>
struct Outcome {
  std::optional<ApiResult<T>> result;
  OperationPtr operation;

  Callback<void(ApiResult<T>)> done() {
    return [this](ApiResult<T> value) {
      MARGAY_CHECK(!result);  // once
      result = std::move(value);
    };
  }
  [[nodiscard]] bool is_over() const { return result.has_value(); }
  [[nodiscard]] const ApiError& error() const { return result->error(); }
};

inline const ResourceType kPods{"", "v1", "pods", "Pod", true};
inline const ResourceType kPools{"projectcalico.org", "v3", "ippools", "IPPool", false};

}  // namespace margay::kube
