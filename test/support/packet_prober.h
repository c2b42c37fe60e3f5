// PacketProber: asks a real network, in bulk, which new connections come about. Thousands a second, without waiting for
// those that do not.
//
// All packets are sent from one thread bound to one processor. A packet between namespaces goes from queue to queue of
// that processor, each in order, so that whatever was sent before a fence (a datagram over as many hops that nothing
// may stop) has arrived, or will not, when the fence has. What did not come about and was expected to is asked again
// with time for it; what came about and was not expected to counts at once.
//
// TCP: a connection by the kernel's sockets. UDP: a datagram and its answer. SCTP: INIT and INIT ACK by raw sockets, as
// netfilter knows the protocol where the kernel's own stack has been left out. ICMP: an echo request, answered by the
// kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ip/address.h"
#include "test/support/net_space.h"

namespace margay::test {

enum class ProbeProtocol : std::uint8_t { kTcp, kUdp, kSctp, kIcmp };

struct ProbeQuestion {
  const NetSpace* from = nullptr;
  const NetSpace* to = nullptr;
  IpAddress source, destination;
  ProbeProtocol protocol = ProbeProtocol::kTcp;
  std::uint16_t destination_port = 0;
  std::uint16_t source_port = 0;  // 0: any
  bool is_expected = false;       // to come about
};

enum class ProbeAnswer : std::uint8_t {
  kNothing,   // nothing arrived
  kOneWay,    // it arrived, its answer did not
  kAnswered,  // it came about
};

class PacketProber {
 public:
  // `node` routes between all that are asked for. Its connection tracking is emptied before each round.
  explicit PacketProber(const NetSpace& node);
  ~PacketProber();
  PacketProber(const PacketProber&) = delete;
  PacketProber& operator=(const PacketProber&) = delete;

  // In the order of the questions.
  std::vector<ProbeAnswer> ask(const std::vector<ProbeQuestion>& questions);
  // Questions that had to be asked again, so far.
  [[nodiscard]] std::size_t repeated() const { return repeated_; }

 private:
  class Round;
  struct Fence;
  void forget_connections() const;
  void ask_some(const std::vector<ProbeQuestion>& questions, const std::vector<std::size_t>& which,
                std::vector<ProbeAnswer>& answers);

  const NetSpace& node_;
  std::unique_ptr<Fence> fence_;
  std::size_t repeated_ = 0;
};

}  // namespace margay::test
