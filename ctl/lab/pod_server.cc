#include "ctl/lab/pod_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/core/check.h"
#include "base/core/text.h"
#include "ctl/lab/net_space.h"
#include "dataplane/netlink/netlink.h"

namespace margay::lab {
namespace {

// How long an answered connection is kept for its other side to close: the answer must not be lost to a reset.
constexpr int kRoundMs = 250;
constexpr int kLingerRounds = 8;

Result<int> listen_on(const ServedPort& port) {
  const int type = port.is_udp ? SOCK_DGRAM : SOCK_STREAM;
  const int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return netlink::error_of(errno, "a socket");
  const int off = 0;
  const int on = 1;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port.number);
  const bool is_bound = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
                        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                        (port.is_udp || listen(fd, 128) == 0);
  if (is_bound) return fd;
  const int number = errno;
  close(fd);
  return netlink::error_of(number, concat("port ", port.number));
}

}  // namespace

std::string greeting_of(const std::string& pod, const std::string& node) { return concat(pod, " on ", node, "\n"); }

PodServer::PodServer() : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  MARGAY_CHECK(wake_fd_ >= 0);
  thread_ = std::thread([this] { run(); });
}

PodServer::~PodServer() {
  is_over_ = true;
  wake();
  thread_.join();
  for (const Listener& listener : listeners_) close(listener.fd);
  for (const Lingering& connection : lingering_) close(connection.fd);
  close(wake_fd_);
}

void PodServer::wake() const {
  const std::uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof(one));
}

Status PodServer::serve(const std::string& pod, const std::string& space, const std::vector<ServedPort>& ports,
                        const std::string& greeting) {
  end(pod);
  std::vector<Listener> made;
  Status done = run_in_space(space, [&]() -> Status {
    for (const ServedPort& port : ports) {
      MARGAY_ASSIGN_OR_RETURN(const int fd, listen_on(port));
      made.push_back({fd, port.is_udp, pod, greeting});
    }
    return ok_status();
  });
  {
    const std::lock_guard lock(mutex_);
    listeners_.insert(listeners_.end(), made.begin(), made.end());
  }
  wake();
  return done;
}

void PodServer::end(const std::string& pod) {
  const std::lock_guard lock(mutex_);
  for (const Listener& listener : listeners_) {
    if (listener.pod != pod) continue;
    // The thread may be waiting for it: the socket would live, and take connections, as long as that.
    (void)shutdown(listener.fd, SHUT_RDWR);
    close(listener.fd);
  }
  std::erase_if(listeners_, [&](const Listener& listener) { return listener.pod == pod; });
  wake();
}

void PodServer::run() {
  std::vector<pollfd> watched;
  while (!is_over_) {
    watched.assign(1, {wake_fd_, POLLIN, 0});
    std::size_t count = 0;
    {
      const std::lock_guard lock(mutex_);
      count = listeners_.size();
      for (const Listener& listener : listeners_) watched.push_back({listener.fd, POLLIN, 0});
    }
    for (const Lingering& connection : lingering_) watched.push_back({connection.fd, POLLIN, 0});
    (void)poll(watched.data(), watched.size(), lingering_.empty() ? -1 : kRoundMs);
    if ((watched[0].revents & POLLIN) != 0) {
      std::uint64_t ignored = 0;
      (void)!read(wake_fd_, &ignored, sizeof(ignored));
      continue;  // the listeners may be others now
    }
    for (std::size_t i = 0; i < lingering_.size(); ++i) {
      if (watched[1 + count + i].revents != 0) read_rest(lingering_[i]);
      if (--lingering_[i].rounds_left > 0) continue;
      close(lingering_[i].fd);
      lingering_[i].fd = -1;
    }
    std::erase_if(lingering_, [](const Lingering& connection) { return connection.fd < 0; });
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < std::min(count, listeners_.size()); ++i) {
      if (watched[1 + i].revents != 0 && listeners_[i].fd == watched[1 + i].fd) answer(listeners_[i]);
    }
  }
}

void PodServer::answer(const Listener& listener) {
  if (listener.is_udp) {
    std::array<char, 2048> buffer{};
    sockaddr_in6 from{};
    socklen_t size = sizeof(from);
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    if (recvfrom(listener.fd, buffer.data(), buffer.size(), 0, address, &size) < 0) return;
    (void)sendto(listener.fd, listener.greeting.data(), listener.greeting.size(), 0, address, size);
    return;
  }
  const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  const std::string text =
      concat("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ", listener.greeting.size(), "\r\n\r\n",
             listener.greeting);
  (void)send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  (void)shutdown(fd, SHUT_WR);
  lingering_.push_back({fd, kLingerRounds});
}

void PodServer::read_rest(Lingering& connection) {
  std::array<char, 4096> buffer{};
  const ssize_t got = read(connection.fd, buffer.data(), buffer.size());
  if (got == 0 || (got < 0 && errno != EAGAIN)) connection.rounds_left = 0;
}

}  // namespace margay::lab
