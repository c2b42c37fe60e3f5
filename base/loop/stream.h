// Byte streams: TCP, unix sockets, TLS over either. Callbacks run on the loop's thread.
//
// A Stream is owned by whoever uses it; destroying it closes the connection at once and no callback runs afterwards.
// Flow control: reading can be paused, so that a slow consumer bounds memory; write() queues without limit, and
// queued_bytes() with on_drained lets the writer bound it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::loop {

// Where to connect or listen.
//   tcp://127.0.0.1:6443  tcp://[::1]:0  tcp://[fe80::1%eth0]:179  unix:///run/margay/api.sock
// A host name is allowed when connecting; a listener takes addresses only. Port 0 lets the kernel choose.
struct Endpoint {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;  // kTcp: address without brackets, or name; "fe80::1%eth0" with the zone (RFC 4007)
  std::uint16_t port = 0;
  std::string path;  // kUnix

  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  // The host as others know it, without the zone, which means something on this machine only (RFC 6874 section 4).
  [[nodiscard]] std::string_view host_without_zone() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Who the other side of a TLS connection has proved to be: the subject of its certificate (RFC 5280 section 4.1.2.6).
struct PeerCertificate {
  std::string common_name;                 // of several the last
  std::vector<std::string> organizations;  // in order
  WallTime not_after{};                    // good until then
};

class Stream {
 public:
  struct Events {
    Callback<void(std::string_view bytes)> on_data;
    // Nothing left in the send queue.
    Callback<void()> on_drained;
    // The other side closed (ok: in order, after a TLS close_notify or FIN) or the connection failed. Comes once, and
    // nothing but on_drained and on_lost after it. After an end in order the peer may still read: what is written goes
    // out, and on_drained goes on.
    Callback<void(Status reason)> on_closed;
    // After an end in order: the peer has gone altogether, and what is queued with it. Comes once, last. Over TCP a
    // peer that has gone looks like one that only stopped sending, until it answers what we send with a reset.
    Callback<void(Error reason)> on_lost = {};
  };

  virtual ~Stream() = default;
  // Reading begins here. Must be called once, before anything arrives can be seen.
  virtual void start(Events events) = 0;
  virtual void write(std::string bytes) = 0;
  // Sends what is queued, then FIN (and close_notify); the stream can still receive.
  virtual void shutdown_write() = 0;
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // "127.0.0.1:4711", "unix"; for logs.
  [[nodiscard]] virtual std::string peer_name() const = 0;
  // nullopt: no TLS, or the peer showed no certificate, or it was not checked.
  [[nodiscard]] virtual std::optional<PeerCertificate> peer_certificate() const { return std::nullopt; }
};

// TLS settings; PEM text, not file names, so that rotation is the owner's decision.
struct TlsClientConfig {
  std::string ca_pem;           // empty: the system's trust store
  std::string certificate_pem;  // client certificate and key, both or neither
  std::string key_pem;
  std::string server_name;  // checked against the certificate and sent as SNI; empty: the endpoint's host
  bool insecure_skip_verify = false;
};
struct TlsServerConfig {
  std::string certificate_pem;  // chain, leaf first
  std::string key_pem;
  std::string client_ca_pem;  // empty: client certificates are not asked for; else one of this authority is demanded
  bool is_client_certificate_optional = false;  // not demanded, but what is shown must be of that authority
  // Asked before each handshake, when set: the settings from now on (certificates rotate). Null, or what cannot be used
  // (check_tls), changes nothing.
  std::function<std::shared_ptr<const TlsServerConfig>()> renewed = {};
};
// kInvalid: the PEM text cannot be read, or key and certificate do not belong together.
Status check_tls(const TlsClientConfig& config);
Status check_tls(const TlsServerConfig& config);

// A connection attempt or a listener in progress; destroying it gives up.
class Handle {
 public:
  virtual ~Handle() = default;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // The address listened on, with the port the kernel chose.
  [[nodiscard]] virtual Endpoint local() const = 0;
};

// Makes connections. One per loop.
class Network {
 public:
  using Connected = Callback<void(Result<std::unique_ptr<Stream>>)>;
  using Accepted = std::function<void(std::unique_ptr<Stream>)>;

  virtual ~Network() = default;
  // `done` runs once, never from inside connect(). With `tls` the stream is ready when the handshake is done.
  virtual std::unique_ptr<Handle> connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                          Connected done) = 0;
  // A unix socket's path is created with mode 0600 (replacing a stale socket nobody listens on) and removed again when
  // the listener is destroyed. Streams are handed over once their TLS handshake is done.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                   Accepted on_accepted) = 0;
};

}  // namespace margay::loop
