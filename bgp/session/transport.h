// Transport: TCP as BGP needs it. Real sockets (SocketTransport) or byte pipes in virtual time (SimTransport, tests).
//
// Thread: the loop's. Handles close at once when destroyed, and no callback runs afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes/reader.h"
#include "base/core/result.h"
#include "base/core/task.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/prefix.h"
#include "bgp/rib/rib.h"

namespace margay::bgp::session {

struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

// What differs from peer to peer on the socket.
struct PeerSocketOptions {
  std::optional<std::uint8_t> ttl_security;  // hops: sent with 255, received with at least 256 - hops (RFC 5082 §3)
  std::optional<std::uint8_t> ttl;           // of sent packets, without ttl_security
  std::string password;                      // TCP MD5; empty: none
  friend bool operator==(const PeerSocketOptions&, const PeerSocketOptions&) = default;
};

class Connection {
 public:
  struct Events {
    // Bytes arrived; all of them are consumed by the callee (it keeps what is half a message).
    Callback<void(bytes::View)> on_bytes;
    // The queue fell under the low mark: more may be written.
    Callback<void()> on_writable;
    Callback<void(std::string why)> on_closed;  // once, last
  };
  virtual ~Connection() = default;
  virtual void start(Events events) = 0;
  // Queues without copying; goes out in as few system calls as possible (writev).
  virtual void write(std::vector<rib::Packet> packets) = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // When something last left, or nothing waited: for the send hold timer.
  [[nodiscard]] virtual TimePoint last_progress() const = 0;
  // Sends what is queued (for a second at most), then closes; the caller lets go of it.
  virtual void close_gracefully() = 0;
  [[nodiscard]] virtual SocketAddress local() const = 0;
  [[nodiscard]] virtual SocketAddress remote() const = 0;
};

struct ConnectRequest {
  SocketAddress remote;
  std::optional<IpAddress> source;
  PeerSocketOptions options;
  Duration timeout = std::chrono::seconds(30);
};

class Handle {
 public:
  virtual ~Handle() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // `done` runs once, never from inside connect().
  virtual std::unique_ptr<Handle> connect(const ConnectRequest& request,
                                          Callback<void(Result<std::unique_ptr<Connection>>)> done) = 0;
  // Listens on each address (empty: all); replaces what was. Errors name the address. The backlog is large: many peers
  // connect at once after a restart.
  virtual Status listen(std::vector<IpAddress> addresses, std::uint16_t port,
                        std::function<void(std::unique_ptr<Connection>)> on_accepted) = 0;
  virtual void stop_listening() = 0;
  // Connections closed gracefully whose last words are still on their way.
  [[nodiscard]] virtual std::size_t leaving_count() const { return 0; }
  // For connections to come, by where from: MD5 keys must be known to the listener before. Of overlapping ranges the
  // longest counts. Replaces all; saying the same again tries again what was refused.
  virtual void set_peer_options(std::map<IpPrefix, PeerSocketOptions> peers) = 0;
  // Those whose key some listener could not be given. Until it can, connections from there are not accepted.
  [[nodiscard]] virtual std::map<IpPrefix, Error> refused_peer_options() const { return {}; }
  // The interface addresses of this machine that a connection from `local` could use as next hop of the other family,
  // and whether `remote` is on a common link. Empty where unknown.
  struct LinkFacts {
    std::optional<IpAddress> ipv4, ipv6, ipv6_link_local;
    bool is_directly_connected = false;
  };
  [[nodiscard]] virtual LinkFacts link_facts(const IpAddress& local, const IpAddress& remote) const = 0;
};

}  // namespace margay::bgp::session
