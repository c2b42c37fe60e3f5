// SimNetwork: connections in memory on a SimLoop, for testing what speaks over Streams without sockets. TLS works too.
//
// Like the kernel it has a window: what the reader has not taken stays in the writer's queued_bytes(). Destroying a
// stream lets what has left it arrive, then its peer's on_closed(ok) comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "base/loop/stream.h"

namespace margay::loop {

class SimEnd;
class TlsLayer;

class SimNetwork final : public Network {
 public:
  // How the network behaves from now on; may be changed at any time.
  struct Conditions {
    Duration delay = Duration::zero();      // of every byte, and of connecting
    std::size_t piece_bytes_max = 0;        // bytes arrive in pieces of random size up to this; 0: as they were written
    std::size_t window_bytes = 256 * 1024;  // that a reader lets be under way
    bool is_refusing = false;               // connecting fails
    bool is_silent = false;                 // connecting gets no answer until its timeout
  };

  SimNetwork(SimLoop& loop, std::uint64_t seed);
  ~SimNetwork() override;

  Conditions conditions;

  // Every open connection breaks: both sides see on_closed(kUnavailable), and what is under way is lost.
  void reset_all();
  // That have not been closed by both sides.
  [[nodiscard]] std::size_t connection_count() const;
  [[nodiscard]] std::size_t connects_seen() const { return connects_seen_; }

  std::unique_ptr<Handle> connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                  Connected done) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                           Accepted on_accepted) override;

 private:
  class Attempt;
  class SimListener;
  friend class SimEnd;

  Result<std::unique_ptr<Stream>> establish(const Endpoint& endpoint);

  SimLoop& loop_;
  SeededRandom random_;
  std::unique_ptr<TlsLayer> tls_;
  std::map<std::string, std::shared_ptr<Accepted>> listeners_;
  std::vector<std::weak_ptr<SimEnd>> ends_;
  std::uint16_t next_port_ = 20'000;
  std::size_t connects_seen_ = 0;
};

}  // namespace margay::loop
