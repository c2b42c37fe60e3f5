// SocketTransport: TCP sockets of the kernel as the Transport of a speaker.
//
// Keys of set_peer_options() are known to every listener, also to those made later. Connections share turns of bounded
// length (turn_queue.h).
#pragma once

#include <memory>
#include <vector>

#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "bgp/session/link_facts.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

class SocketTransport final : public Transport {
 public:
  SocketTransport(loop::Loop& loop, loop::FdWatcher& watcher, telemetry::Logger log = {},
                  LinkAddresses addresses = machine_addresses);
  ~SocketTransport() override;

  std::unique_ptr<Handle> connect(const ConnectRequest& request,
                                  Callback<void(Result<std::unique_ptr<Connection>>)> done) override;
  Status listen(std::vector<IpAddress> addresses, std::uint16_t port,
                std::function<void(std::unique_ptr<Connection>)> on_accepted) override;
  void stop_listening() override;
  [[nodiscard]] std::size_t leaving_count() const override;
  void set_peer_options(std::map<IpPrefix, PeerSocketOptions> peers) override;
  [[nodiscard]] std::map<IpPrefix, Error> refused_peer_options() const override;
  [[nodiscard]] LinkFacts link_facts(const IpAddress& local, const IpAddress& remote) const override;

  // Where it listens, with the ports the kernel chose for port 0.
  [[nodiscard]] std::vector<SocketAddress> listening() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::bgp::session
