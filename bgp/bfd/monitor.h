// Monitor: BFD over UDP for many peers (RFC 5881 single hop, RFC 5883 multihop): port 3784 or 4784, one receiving
// socket per port and family, one sending socket per peer.
//
// A watch begins Down and says nothing until it has been up: on_down runs each time an Up session goes down other than
// by the peer's administrator, and may destroy the watch (not the monitor), which ends the session without a word.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/core/task.h"
#include "base/ip/address.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "bgp/bfd/session.h"

namespace margay::bgp::bfd {

inline constexpr std::uint16_t kSingleHopPort = 3784;
inline constexpr std::uint16_t kMultihopPort = 4784;

struct Target {
  IpAddress peer;
  IpAddress local;  // packets leave from here
  bool is_multihop = false;
  std::optional<std::uint16_t> port;  // of the peer; nullopt: as the RFCs say
  friend auto operator<=>(const Target&, const Target&) = default;
};

// For people (`show`) and metrics.
struct SessionSnapshot {
  Target target;
  State state = State::kDown;
  State remote_state = State::kDown;
  Diagnostic diagnostic = Diagnostic::kNone;
  std::uint32_t local_discriminator = 0;
  std::uint32_t remote_discriminator = 0;
  Duration transmit_interval{};
  Duration detection_time{};
  std::uint64_t ups = 0;
};

struct MonitorParts {
  loop::Loop& loop;
  loop::FdWatcher& watcher;
  Random& random;
  telemetry::Logger log{};
};

class Monitor {
 public:
  struct Ports {  // to listen on; 0: any
    std::uint16_t single_hop = kSingleHopPort;
    std::uint16_t multihop = kMultihopPort;
  };
  class Watch {
   public:
    virtual ~Watch() = default;
    [[nodiscard]] virtual State state() const = 0;
    // Agreed on with the peer; the session stays up.
    virtual void set_config(const SessionConfig& config) = 0;
    virtual void set_admin_down(bool is_down) = 0;
  };

  explicit Monitor(MonitorParts parts);
  Monitor(MonitorParts parts, Ports ports);
  ~Monitor();  // watches that are left do nothing any more

  // Errors: an address that is not ours, a port in use, a second watch of the same target (kAlreadyExists).
  // `remote_is_independent`: the C bit of the peer (RFC 5882 §4.3).
  Result<std::unique_ptr<Watch>> watch(const Target& target, const SessionConfig& config,
                                       Callback<void(bool remote_is_independent)> on_down);

  [[nodiscard]] std::vector<SessionSnapshot> snapshot() const;
  // Where it listens; nullopt before the first watch of that kind.
  [[nodiscard]] std::optional<std::uint16_t> port(IpFamily family, bool is_multihop) const;
  // Datagrams that were not for us, wrong, or came from too far away.
  [[nodiscard]] std::uint64_t discarded() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::bgp::bfd
