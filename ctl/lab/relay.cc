#include "ctl/lab/relay.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

#include "base/core/text.h"
#include "ctl/lab/net_space.h"
#include "dataplane/netlink/netlink.h"

namespace margay::lab {
namespace {

constexpr int kWhileMs = 1000;

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};
using Shared = std::shared_ptr<Descriptor>;

Result<int> listen_here(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return netlink::error_of(errno, "a socket");
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, 128) == 0)
    return fd;
  const int number = errno;
  close(fd);
  return netlink::error_of(number, concat("port ", port));
}

int connect_to(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), concat(port).c_str(), &hints, &found) != 0) return -1;
  int fd = -1;
  for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next) {
    fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, each->ai_addr, each->ai_addrlen) == 0) continue;
    close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  return fd;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

// Until one side has ended; an end is passed on, an error ends both ways.
void copy(const Shared& from, const Shared& to) {
  std::array<char, 64 * 1024> buffer{};
  while (true) {
    const ssize_t got = recv(from->fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) return void(shutdown(to->fd, SHUT_WR));
    if (got > 0 && send_all(to->fd, buffer.data(), static_cast<std::size_t>(got))) continue;
    shutdown(from->fd, SHUT_RDWR);
    shutdown(to->fd, SHUT_RDWR);
    return;
  }
}

void relay(int accepted, const std::string& host, std::uint16_t port) {
  const auto near = std::make_shared<Descriptor>(accepted);
  const auto far = std::make_shared<Descriptor>(connect_to(host, port));
  if (far->fd < 0) return;
  std::thread back([near, far] { copy(far, near); });
  copy(near, far);
  back.join();
}

}  // namespace

Relay::Relay(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

Relay::~Relay() {
  for (const int fd : listeners_) close(fd);
}

Status Relay::listen_in(const std::vector<std::string>& spaces) {
  Status first = ok_status();
  for (const std::string& space : spaces) {
    if (spaces_.contains(space)) continue;
    const Status done = run_in_space(space, [this]() -> Status {
      MARGAY_ASSIGN_OR_RETURN(const int fd, listen_here(port_));
      listeners_.push_back(fd);
      return ok_status();
    });
    if (done.ok()) spaces_.insert(space);
    if (!done.ok() && first.ok()) first = done.error().within(space);
  }
  return first;
}

void Relay::run_for_a_while() {
  std::vector<pollfd> watched;
  watched.reserve(listeners_.size());
  for (const int fd : listeners_) watched.push_back({fd, POLLIN, 0});
  if (poll(watched.data(), watched.size(), kWhileMs) <= 0) return;
  for (const pollfd& each : watched) {
    if (each.revents == 0) continue;
    const int accepted = accept4(each.fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted >= 0) std::thread(relay, accepted, host_, port_).detach();
  }
}

}  // namespace margay::lab
