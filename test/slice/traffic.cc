#include "test/slice/traffic.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "test/support/patience.h"

namespace margay::test {
namespace {

constexpr const char* kTrial = "203.0.113.254";
constexpr std::size_t kProbesMax = 1U << 20U;

sockaddr_in address_of(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  MARGAY_CHECK(inet_pton(AF_INET, address.c_str(), &out.sin_addr) == 1);
  return out;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Of type SOCK_…, bound or connected (UDP) inside of the namespace.
Socket make_socket(const NetSpace& where, int type, const sockaddr_in& address, bool is_bound) {
  int fd = -1;
  where.call([&] {
    fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int one = 1;
    MARGAY_CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    const int done =
        is_bound ? bind(fd, generic(address), sizeof(address)) : connect(fd, generic(address), sizeof(address));
    MARGAY_CHECK(done == 0);
  });
  return Socket(fd);
}

bool wait_for(int fd, short events, std::chrono::milliseconds limit) {
  pollfd watched{fd, events, 0};
  return poll(&watched, 1, static_cast<int>(limit.count()) * patience()) == 1;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

TcpServer::TcpServer(const NetSpace& where, const std::string& address, std::uint16_t port)
    : listener_(make_socket(where, SOCK_STREAM, address_of(address, port), true)) {
  MARGAY_CHECK(listen(listener_.fd(), 1024) == 0);
}

bool can_connect(const NetSpace& from, const std::string& address, std::uint16_t port,
                 std::chrono::milliseconds limit) {
  bool is_connected = false;
  from.call([&] {
    const Socket made(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in target = address_of(address, port);
    if (connect(made.fd(), generic(target), sizeof(target)) == 0) return void(is_connected = true);
    if (!wait_for(made.fd(), POLLOUT, limit)) return;
    int error = 0;
    socklen_t size = sizeof(error);
    is_connected = getsockopt(made.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  });
  return is_connected;
}

Prober::Prober(const NetSpace& from, const NetSpace& to, const std::string& address, std::uint16_t port)
    : receiver_(make_socket(to, SOCK_DGRAM, address_of(address, port), true)), seen_(kProbesMax, false) {
  sender_ = make_socket(from, SOCK_DGRAM, address_of(address, port), false);
  receiving_ = std::thread([this] { receive(); });
  sending_ = std::thread([this] { send(); });
}

// The pace is that of poll(2) on nothing: a datagram each two milliseconds.
void Prober::send() {
  const int pause_ms = 2 * patience();
  while (!is_stopping_.load() && sent_ < kProbesMax) {
    if (::send(sender_.fd(), &sent_, sizeof(sent_), 0) == sizeof(sent_)) ++sent_;
    (void)poll(nullptr, 0, pause_ms);
  }
}

void Prober::receive() {
  while (!is_over_.load()) {
    if (!wait_for(receiver_.fd(), POLLIN, std::chrono::milliseconds(100))) continue;
    std::uint32_t number = 0;
    if (recv(receiver_.fd(), &number, sizeof(number), MSG_DONTWAIT) != sizeof(number)) continue;
    if (number >= seen_.size() || seen_[number]) continue;
    seen_[number] = true;
    received_.fetch_add(1);
  }
}

Prober::Outcome Prober::stop() {
  is_stopping_ = true;
  if (sending_.joinable()) sending_.join();
  (void)poll_until(std::chrono::seconds(1), [this] { return received_.load() >= sent_; });
  is_over_ = true;
  if (receiving_.joinable()) receiving_.join();
  Outcome outcome{.sent = sent_, .lost = {}};
  for (std::uint32_t number = 0; number < sent_; ++number) {
    if (!seen_[number]) outcome.lost.push_back(number);
  }
  return outcome;
}

Prober::~Prober() { stop(); }

RouteMonitor::RouteMonitor(const NetSpace& where) {
  const std::string file = dir_.file("routes");
  process_ =
      where.start({.argv = {"ip", "monitor", "route"}, .environment = {}, .stdin_text = "", .output_path = file});
  // It says nothing when it begins to listen.
  const bool is_listening = poll_until(std::chrono::seconds(10), [&] {
    where.ip({concat("route replace blackhole ", kTrial), concat("route del blackhole ", kTrial)});
    return read_text(file).find(kTrial) != std::string::npos;
  });
  MARGAY_CHECK(is_listening);
}

std::string RouteMonitor::removed() const {
  std::string out;
  const std::string text = read_text(dir_.file("routes"));
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("Deleted") && line.find(kTrial) == std::string_view::npos) out += concat(line, "\n");
  }
  return out;
}

}  // namespace margay::test
