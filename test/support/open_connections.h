// OpenConnections: many TCP connections between two namespaces that all speak, one byte and its answer in turn, from a
// thread of its own; and what became of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/ip/address.h"
#include "test/support/net_space.h"

namespace margay::test {

class OpenConnections {
 public:
  struct Path {
    const NetSpace* from = nullptr;
    const NetSpace* to = nullptr;
    IpAddress address{};  // of `to`, IPv4
    std::uint16_t port = 8000;
  };
  // Aborts the test program if they do not come about.
  OpenConnections(const Path& path, std::size_t count);
  ~OpenConnections();
  OpenConnections(const OpenConnections&) = delete;
  OpenConnections& operator=(const OpenConnections&) = delete;

  // How often all of them have spoken.
  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  struct Outcome {
    std::size_t rounds = 0;
    std::size_t retransmitted = 0;  // segments that were sent again: a packet was lost, or late
    std::size_t broken = 0;         // connections that are no more, or of which somebody was not answered
  };
  Outcome stop();

 private:
  void run();

  std::vector<int> clients_, servers_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<std::size_t> rounds_ = 0;
  std::size_t broken_ = 0;
  std::thread thread_;
};

}  // namespace margay::test
