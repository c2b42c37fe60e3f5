#include "test/support/witness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/core/check.h"

namespace margay::test {
namespace {

constexpr int kPaceMs = 1;
constexpr std::uint32_t kFirstPort = 10000, kPorts = 50000;
constexpr int kWitnessRoomBytes = 1 << 22;

sockaddr_in v4_address(const IpAddress& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(address.v4_value());
  return out;
}

int datagram_socket(const IpAddress& address, std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_in where = v4_address(address, port);
  const int one = 1;  // two witnesses may send from one address
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  MARGAY_CHECK(fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
  return fd;
}

}  // namespace

Witness::Witness(const Path& path, Ports ports) : path_(path), ports_(ports) {
  path_.to->call([this] {
    receiver_ = datagram_socket(path_.destination, path_.port);
    (void)setsockopt(receiver_, SOL_SOCKET, SO_RCVBUFFORCE, &kWitnessRoomBytes, sizeof(kWitnessRoomBytes));
  });
  if (ports_ == Ports::kOne) path_.from->call([this] { sender_ = datagram_socket(path_.source, 0); });
  thread_ = std::thread([this] { path_.from->call([this] { run(); }); });
}

Witness::~Witness() {
  is_ending_ = true;
  thread_.join();
  if (sender_ >= 0) close(sender_);
  close(receiver_);
}

void Witness::run() {
  while (!is_ending_) {
    is_idle_ = is_paused_.load();
    if (!is_idle_) send_one();
    (void)poll(nullptr, 0, kPaceMs);
    receive();
  }
}

void Witness::send_one() {
  const bool is_new = ports_ == Ports::kNewEach;
  const auto port = static_cast<std::uint16_t>(kFirstPort + next_port_++ % kPorts);
  const int fd = is_new ? datagram_socket(path_.source, port) : sender_;
  const sockaddr_in to = v4_address(path_.destination, path_.port);
  const char payload = 0;
  // What the sender's own side refuses (its route is gone) is lost as well.
  (void)sendto(fd, &payload, 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  sent_.fetch_add(1);
  if (is_new) close(fd);
}

void Witness::receive() {
  char payload = 0;
  for (;;) {
    const ssize_t got = recv(receiver_, &payload, 1, 0);
    if (got >= 0) {
      arrived_.fetch_add(1);
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void Witness::pause() {
  is_paused_ = true;
  MARGAY_CHECK(poll_until(std::chrono::seconds(10), [this] { return is_idle_.load(); }));
}

void Witness::go_on() {
  is_paused_ = false;
  is_idle_ = false;
}

Witness::Count Witness::pause_and_count() {
  pause();
  (void)poll_until(std::chrono::seconds(1), [this] { return arrived_.load() >= sent_.load(); });
  const Count count{sent_.load(), arrived_.load()};
  go_on();
  return count;
}

}  // namespace margay::test
