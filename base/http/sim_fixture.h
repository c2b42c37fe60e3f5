// Both ends of HTTP on a simulated network, for the tests of the other end. Not part of any library.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "base/http/client.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"

namespace margay::http {

// One end of a connection, written and read by hand.
struct Wire {
  std::unique_ptr<loop::Stream> stream;
  std::string received;
  bool is_closed = false;
  bool is_closed_in_order = false;

  void adopt(std::unique_ptr<loop::Stream> made) {
    stream = std::move(made);
    stream->start({.on_data = [this](std::string_view bytes) { received.append(bytes); },
                   .on_drained = {},
                   .on_closed =
                       [this](const Status& reason) {
                         is_closed = true;
                         is_closed_in_order = reason.ok();
                       }});
  }
  void write(std::string_view text) { stream->write(std::string(text)); }
};

// What a client's callbacks saw.
struct Outcome {
  std::string log;  // "head 200", "body", "done" in order, for checking sequences
  int status = 0;
  Headers headers;
  std::string body;
  bool is_done = false;
  std::optional<Error> error;

  ExchangeEvents events() {
    return {.on_head =
                [this](ResponseHead head) {
                  log += "head ";
                  status = head.status;
                  headers = std::move(head.headers);
                },
            .on_body =
                [this](std::string_view bytes) {
                  if (!log.ends_with("body ")) log += "body ";
                  body.append(bytes);
                },
            .on_done =
                [this](const Status& outcome) {
                  log += "done ";
                  is_done = true;
                  if (!outcome.ok()) error = outcome.error();
                }};
  }
};

struct Sim {
  loop::SimLoop loop;
  loop::SimNetwork network{loop, 1};

  void settle() { loop.advance(std::chrono::milliseconds(10)); }
};

inline loop::Endpoint sim_endpoint() { return {loop::Endpoint::Kind::kTcp, "10.0.0.1", 80, ""}; }

inline constexpr std::string_view kEmptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

// A client, and servers written by hand.
class ClientBed {
 public:
  ClientBed() { listen(); }

  void listen() {
    auto listener = sim_.network.listen(sim_endpoint(), nullptr, [this](std::unique_ptr<loop::Stream> stream) {
      servers_.emplace_back();
      servers_.back().adopt(std::move(stream));
    });
    listener_ = std::move(listener).value();
  }

  Client& client(const std::function<void(ClientConfig&)>& change = {}) {
    ClientConfig config{.endpoint = sim_endpoint(), .tls = {}, .host_header = {}};
    if (change) change(config);
    client_ = make_client(sim_.loop, sim_.network, config);
    return *client_;
  }

  std::unique_ptr<Exchange> get(Outcome& outcome, std::string target = "/", ExchangeOptions options = {}) {
    return client_->start({.method = "GET", .target = std::move(target), .headers = {}, .body = {}}, options,
                          outcome.events());
  }
  std::unique_ptr<Exchange> post(Outcome& outcome, std::string body) {
    return client_->start({.method = "POST", .target = "/", .headers = {}, .body = std::move(body)}, {},
                          outcome.events());
  }

  // A request and its answer, leaving the connection in the pool.
  void warm_up() {
    Outcome outcome;
    auto exchange = get(outcome, "/warm");
    sim_.settle();
    servers_.back().write(kEmptyAnswer);
    sim_.settle();
    MARGAY_CHECK(outcome.is_done && !outcome.error);
    servers_.back().received.clear();
  }

  Sim sim_;
  std::deque<Wire> servers_;  // connections as the server sees them, in order
  std::unique_ptr<loop::Listener> listener_;
  std::unique_ptr<Client> client_;
};

}  // namespace margay::http
