// Traffic between namespaces: TCP connections, and a stream of numbered datagrams of which each that is lost is known.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/support/net_space.h"

namespace margay::test {

// A descriptor that is closed with the object.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// Accepts what comes, by the kernel alone: a connection is there once the handshake is over.
class TcpServer {
 public:
  TcpServer(const NetSpace& where, const std::string& address, std::uint16_t port);

 private:
  Socket listener_;
};

// Whether a new connection comes about within `limit`.
bool can_connect(const NetSpace& from, const std::string& address, std::uint16_t port,
                 std::chrono::milliseconds limit = std::chrono::milliseconds(300));

// Numbered datagrams from one namespace to another, one each two milliseconds, until stop().
class Prober {
 public:
  Prober(const NetSpace& from, const NetSpace& to, const std::string& address, std::uint16_t port);
  ~Prober();
  struct Outcome {
    std::size_t sent = 0;
    std::vector<std::uint32_t> lost;
  };
  // Waits for what is still on its way.
  Outcome stop();
  [[nodiscard]] std::size_t received() const { return received_.load(); }

 private:
  void send();
  void receive();

  Socket sender_, receiver_;
  std::atomic<bool> is_stopping_ = false, is_over_ = false;
  std::atomic<std::size_t> received_ = 0;
  std::uint32_t sent_ = 0;
  std::vector<bool> seen_;
  std::thread sending_, receiving_;
};

// Routes that are removed in a namespace from the constructor on, by ip-monitor(8).
class RouteMonitor {
 public:
  explicit RouteMonitor(const NetSpace& where);
  // One line each, of BGP's and ours.
  [[nodiscard]] std::string removed() const;

 private:
  TempDir dir_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace margay::test
