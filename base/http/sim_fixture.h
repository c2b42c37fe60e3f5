// Both ends of HTTP on a simulated network, for the tests of the other end. Not part of any library.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

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
                [this](Status outcome) {
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

}  // namespace margay::http
