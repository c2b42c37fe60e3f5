#include "ctl/lab/probe.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "base/core/text.h"
#include "ctl/lab/deadline.h"
#include "ctl/lab/net_space.h"
#include "dataplane/netlink/netlink.h"

namespace margay::lab {
namespace {

std::string late(Duration limit) {
  return concat("no answer within ", std::chrono::duration_cast<std::chrono::milliseconds>(limit).count(), " ms");
}

std::string words_of(int number) { return std::generic_category().message(number); }

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const ProbeTarget& target) {
  SocketAddress out;
  const auto bytes = target.address.bytes();
  if (target.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(target.port.number);
    v4.sin_addr.s_addr = htonl(target.address.v4_value());
    std::memcpy(&out.storage, &v4, sizeof(v4));
    out.size = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(target.port.number);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &v6, sizeof(v6));
    out.size = sizeof(v6);
  }
  return out;
}

// One probe under way.
struct Probe {
  int fd = -1;
  bool is_udp = false;
  ProbeAnswer answer;

  void finish(bool is_reached, std::string why) {
    answer.is_reached = is_reached;
    answer.why = std::move(why);
    close(fd);
    fd = -1;
  }
};

Probe begin(const ProbeTarget& target) {
  Probe probe{.fd = -1, .is_udp = target.port.is_udp, .answer = {}};
  const int type = target.port.is_udp ? SOCK_DGRAM : SOCK_STREAM;
  probe.fd = socket(target.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe.fd < 0) return probe.answer.why = words_of(errno), probe;
  const SocketAddress address = socket_address(target);
  if (connect(probe.fd, address.generic(), address.size) != 0 && errno != EINPROGRESS)
    return probe.finish(false, words_of(errno)), probe;
  if (probe.is_udp && send(probe.fd, "?", 1, MSG_NOSIGNAL) != 1) probe.finish(false, words_of(errno));
  return probe;
}

void look(Probe& probe) {
  if (probe.is_udp) {
    std::array<char, 2048> buffer{};
    const ssize_t got = recv(probe.fd, buffer.data(), buffer.size(), 0);
    return probe.finish(got >= 0, got >= 0 ? std::string() : words_of(errno));
  }
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(probe.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  probe.finish(error == 0, error == 0 ? std::string() : words_of(error));
}

// Until all have ended or the time is over.
void wait_for_all(std::vector<Probe>& probes, Duration limit) {
  Deadline deadline(limit);
  std::vector<pollfd> watched(probes.size() + 1);
  watched.back() = {deadline.fd(), POLLIN, 0};
  while (!deadline.has_passed()) {
    bool has_open = false;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      const int events = probes[i].is_udp ? POLLIN : POLLOUT;
      watched[i] = {probes[i].fd, static_cast<short>(events), 0};  // a negative descriptor is not looked at
      has_open = has_open || probes[i].fd >= 0;
    }
    if (!has_open || (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR)) break;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if (probes[i].fd >= 0 && watched[i].revents != 0) look(probes[i]);
    }
  }
  for (Probe& probe : probes) {
    if (probe.fd >= 0) probe.finish(false, late(limit));
  }
}

// False when the time was over first.
bool wait_for(int fd, short events, Deadline& deadline) {
  pollfd watched[] = {{fd, events, 0}, {deadline.fd(), POLLIN, 0}};
  while (poll(watched, 2, -1) < 0 && errno == EINTR) {
  }
  return watched[0].revents != 0;
}

// What the server says, without the head.
std::string read_greeting(int fd, bool is_datagram, Deadline& deadline) {
  std::string text;
  std::array<char, 1024> buffer{};
  while (text.size() < 64 * 1024) {
    if (!wait_for(fd, POLLIN, deadline)) break;
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (is_datagram) break;
  }
  const std::size_t head = text.find("\r\n\r\n");
  const std::string_view body = std::string_view(text).substr(head == std::string::npos ? 0 : head + 4);
  return std::string(body.substr(0, body.find('\n')));
}

// A connection, or a socket that is connected and has asked; then the answer.
ProbeAnswer ask_here(const ProbeTarget& target, Duration limit) {
  Deadline deadline(limit);
  Probe probe = begin(target);
  if (probe.fd < 0) return probe.answer;
  if (!wait_for(probe.fd, probe.is_udp ? POLLIN : POLLOUT, deadline))
    return probe.finish(false, late(limit)), probe.answer;
  int error = 0;
  socklen_t size = sizeof(error);
  (void)getsockopt(probe.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return probe.finish(false, words_of(error)), probe.answer;
  std::string said = read_greeting(probe.fd, probe.is_udp, deadline);
  probe.finish(true, {});
  probe.answer.said = std::move(said);
  return probe.answer;
}

}  // namespace

Result<std::vector<ProbeAnswer>> probe_all(const std::string& space, const std::vector<ProbeTarget>& targets,
                                           Duration limit) {
  std::vector<ProbeAnswer> answers;
  MARGAY_RETURN_IF_ERROR(run_in_space(space, [&] {
    std::vector<Probe> probes;
    probes.reserve(targets.size());
    for (const ProbeTarget& target : targets) probes.push_back(begin(target));
    wait_for_all(probes, limit);
    for (Probe& probe : probes) answers.push_back(std::move(probe.answer));
    return ok_status();
  }));
  return answers;
}

Result<ProbeAnswer> ask(const std::string& space, const ProbeTarget& target, Duration limit) {
  ProbeAnswer answer;
  MARGAY_RETURN_IF_ERROR(run_in_space(space, [&] {
    answer = ask_here(target, limit);
    return ok_status();
  }));
  return answer;
}

}  // namespace margay::lab
