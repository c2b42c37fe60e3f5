#include "test/support/open_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/check.h"

namespace margay::test {
namespace {

constexpr timeval kAnswerHangs{10, 0};

int stream_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MARGAY_CHECK(fd >= 0);
  return fd;
}

bool carries_a_byte(int from, int to) {
  char byte = 0;
  return send(from, &byte, 1, MSG_NOSIGNAL) == 1 && recv(to, &byte, 1, 0) == 1;
}

}  // namespace

OpenConnections::OpenConnections(const Path& path, std::size_t count) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(path.port);
  where.sin_addr.s_addr = htonl(path.address.v4_value());
  const auto* generic = reinterpret_cast<const sockaddr*>(&where);
  int listener = -1;
  path.to->call([&] {
    listener = stream_socket();
    MARGAY_CHECK(bind(listener, generic, sizeof(where)) == 0 && listen(listener, 4096) == 0);
  });
  path.from->call([&] {
    for (std::size_t i = 0; i < count; ++i) {
      clients_.push_back(stream_socket());
      MARGAY_CHECK(connect(clients_.back(), generic, sizeof(where)) == 0);
      servers_.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      MARGAY_CHECK(servers_.back() >= 0);
      for (const int fd : {clients_.back(), servers_.back()}) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerHangs, sizeof(kAnswerHangs));
      }
    }
  });
  close(listener);
  thread_ = std::thread([this] { run(); });
}

OpenConnections::~OpenConnections() {
  is_ending_ = true;
  if (thread_.joinable()) thread_.join();
  for (const auto* list : {&clients_, &servers_}) {
    for (const int fd : *list) close(fd);
  }
}

// With 1,000 of them each speaks about ten times a second.
void OpenConnections::run() {
  while (!is_ending_) {
    for (std::size_t i = 0; i < clients_.size() && !is_ending_; ++i) {
      if (!carries_a_byte(clients_[i], servers_[i]) || !carries_a_byte(servers_[i], clients_[i])) ++broken_;
      if (i % 10 == 9) (void)poll(nullptr, 0, 1);
    }
    ++rounds_;
  }
}

OpenConnections::Outcome OpenConnections::stop() {
  is_ending_ = true;
  thread_.join();
  Outcome out{.rounds = rounds_, .retransmitted = 0, .broken = broken_};
  for (const auto* list : {&clients_, &servers_}) {
    for (const int fd : *list) {
      tcp_info info{};
      socklen_t size = sizeof(info);
      if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_ESTABLISHED) ++out.broken;
      out.retransmitted += info.tcpi_total_retrans;
    }
  }
  return out;
}

}  // namespace margay::test
