// An HTTP/1.1 client for one server: keep-alive pool, streamed response bodies, deadlines. One loop.
//
// Errors: kUnavailable - no connection, or closed before the response's head (see may_have_been_sent());
// kTimeout - a deadline passed; kInvalid - the server sent something that is not HTTP or over a limit. HTTP statuses
// are not errors here: they are answers. kInvalid and kPermissionDenied also come from connecting, when trying again
// cannot help: bad TLS settings, a socket that may not be opened.
//
// Sent again by itself, once: a GET, HEAD, OPTIONS or TRACE on a kept-alive connection that turns out closed without an
// answer. Other methods are not, because nobody can tell whether the server acted on them; they go only on connections
// that were in use within the last seconds, so that this hardly happens.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/http/message.h"
#include "base/loop/stream.h"

namespace margay::http {

struct ClientConfig {
  loop::Endpoint endpoint;
  std::optional<loop::TlsClientConfig> tls;
  // Asked before each connection, when set, for what to use instead of `tls` (certificates rotate); not null.
  std::function<std::shared_ptr<const loop::TlsClientConfig>()> renewed_tls = {};
  std::string host_header;                // empty: from the endpoint ("localhost" for a unix socket)
  std::size_t connections_max = 8;        // further exchanges wait in line; streaming watches count, so size for them
  std::size_t idle_connections_max = 16;  // a burst finds the connections of the burst before
  Duration idle_timeout = std::chrono::seconds(60);
  Duration connect_timeout = std::chrono::seconds(5);
  std::size_t head_bytes_max = 64 * 1024;
};

struct ExchangeOptions {
  // From start() until the response's head is there; nullopt: as long as it takes.
  std::optional<Duration> head_timeout = std::chrono::seconds(30);
  // Longest silence inside the body; nullopt for a watch.
  std::optional<Duration> body_idle_timeout = std::chrono::seconds(30);
};

struct ExchangeEvents {
  Callback<void(ResponseHead head)> on_head;
  // De-chunked bytes in pieces as they arrive.
  Callback<void(std::string_view bytes)> on_body;
  // Once, last: ok when the body is complete. A body cut short is kUnavailable.
  Callback<void(Status outcome)> on_done;
};

// One request and its response. Destroying it abandons the exchange (and closes its connection if the body was not
// complete); no callback runs afterwards.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Flow control towards the server.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // False: no byte of the request was given to a connection, so the server cannot have acted on it and any method may
  // be sent again. Asked from on_done.
  [[nodiscard]] virtual bool may_have_been_sent() const { return true; }
};

class Client {
 public:
  virtual ~Client() = default;
  // Callbacks never run from inside start().
  virtual std::unique_ptr<Exchange> start(Request request, ExchangeOptions options, ExchangeEvents events) = 0;
};

// `loop` and `network` outlive the client. Destroying the client ends its exchanges silently; their handles may be
// destroyed later.
std::unique_ptr<Client> make_client(loop::Loop& loop, loop::Network& network, ClientConfig config);

}  // namespace margay::http
