// An HTTP/1.1 server: keep-alive, pipelined requests answered in order, streamed responses, limits. One loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/http/message.h"
#include "base/loop/stream.h"

namespace margay::http {

struct ServerLimits {
  std::size_t head_bytes_max = 64 * 1024;        // 431
  std::size_t body_bytes_max = 3 * 1024 * 1024;  // 413
  std::size_t connections_max = 10'000;          // closed at once
  // From the connection, or a request's first byte, to a whole head: 408.
  Duration head_timeout = std::chrono::seconds(10);
  // For a whole body: 408. Also for a reader that takes nothing of a complete response.
  Duration body_timeout = std::chrono::seconds(60);
  Duration idle_timeout = std::chrono::seconds(120);  // between requests
};

// Who sent a request, as far as the transport knows.
struct PeerInfo {
  std::string name;  // "127.0.0.1:4711", "unix"
  bool is_unix_socket = false;
  std::optional<loop::PeerCertificate> certificate = {};  // that was shown in TLS and checked
};

// The way to answer one request. May be kept and used later; after the connection is gone its methods do nothing and
// is_open() is false. Destroying it unanswered sends 500 (or cuts a started stream short).
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void send(Response response) = 0;   // whole answer, Content-Length
  virtual void start(ResponseHead head) = 0;  // then write() any number of times, then finish(): chunked
  virtual void write(std::string bytes) = 0;
  virtual void finish() = 0;
  // Closes the connection without ending the response properly (fault injection, a watcher that is too slow).
  virtual void abort() = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
  // Bytes written but not yet taken by the kernel.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // `task` runs each time the last queued byte has been taken by the kernel: the writer's cue to go on.
  virtual void on_drained(Callback<void()> task) = 0;
  // Runs once when the client goes away before the response is complete, or Server::stop() ends it; not after abort(),
  // nor when the server is destroyed. If that has happened already, it runs on the next turn.
  virtual void on_closed(Task task) = 0;
  // Runs once when the client has closed its sending side while the response is under way: it may only have nothing
  // more to ask (RFC 9112 section 9.6), or be gone, which TCP does not tell before something is sent. A response that
  // ends by itself goes on; an endless one should finish() now. If that has happened already, it runs on the next turn.
  virtual void on_input_end(Task task) = 0;
};

using Handler = std::function<void(Request request, const PeerInfo& peer, std::unique_ptr<Responder> responder)>;

class Server {
 public:
  virtual ~Server() = default;
  // `tls` null: plain. The endpoint returned has the port that was chosen. May be called several times.
  virtual Result<loop::Endpoint> listen(const loop::Endpoint& endpoint, const loop::TlsServerConfig* tls) = 0;
  // Accepts no more connections, lets answers under way finish for at most `grace`, then closes all and calls `done`.
  virtual void stop(Duration grace, Task done) = 0;
};

std::unique_ptr<Server> make_server(loop::Loop& loop, loop::Network& network, ServerLimits limits, Handler handler);

}  // namespace margay::http
