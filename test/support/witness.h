// Witness: sends datagrams from one namespace to another all the time, from a thread of its own, and counts what
// arrived: each with a source port of its own (each is a new connection), or all over one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/ip/address.h"
#include "test/support/net_space.h"

namespace margay::test {

class Witness {
 public:
  enum class Ports : std::uint8_t { kNewEach, kOne };
  struct Path {
    const NetSpace* from = nullptr;
    const NetSpace* to = nullptr;
    IpAddress source, destination;
    std::uint16_t port = 7000;
  };
  // One datagram each millisecond.
  Witness(const Path& path, Ports ports);
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  struct Count {
    std::size_t sent = 0, arrived = 0;
    [[nodiscard]] std::size_t lost() const { return sent - arrived; }
  };
  // Nothing is on its way; goes on afterwards.
  Count pause_and_count();
  // Sends nothing until told to go on.
  void pause();
  void go_on();
  // As of now; what is on its way counts as lost.
  [[nodiscard]] Count count() const { return {sent_.load(), arrived_.load()}; }

 private:
  void run();
  void send_one();
  void receive();

  Path path_;
  Ports ports_;
  int sender_ = -1, receiver_ = -1;
  std::atomic<bool> is_ending_ = false, is_paused_ = false, is_idle_ = false;
  std::atomic<std::size_t> sent_ = 0, arrived_ = 0;
  std::uint32_t next_port_ = 0;
  std::thread thread_;
};

}  // namespace margay::test
