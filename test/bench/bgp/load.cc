// bgp_load: senders and receivers for measuring a BGP speaker from outside. One thread, epoll, messages made
// beforehand, nothing of the product inside, so that it favours and forgives nobody.
//
//   bgp_load relay   --target IP --prefixes N [--single]        one sender, one receiver
//   bgp_load late    --target IP --prefixes N [--single]        a receiver that comes when the table is full
//   bgp_load reflect --target IP --clients K [--cold] [--drop] [--change]   K clients with 64 prefixes each
//
// Sessions start from 10.99.1.1, 10.99.1.2, … (10.99.0.0/16 must be on an interface here). AS numbers: the target is
// 65000, sender 65001, receiver 65002; clients of a reflector 65000. Prints one line of key=value pairs; times in
// seconds.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
double now_s() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "bgp_load: %s\n", why.c_str());
  std::exit(1);
}

// --- making messages ---

void put16(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

std::string message(unsigned char type, const std::string& body) {
  std::string out(16, '\xff');
  put16(out, static_cast<unsigned>(19 + body.size()));
  out.push_back(static_cast<char>(type));
  return out + body;
}

std::string open_message(std::uint32_t asn, std::uint32_t router_id) {
  std::string capabilities;
  capabilities += std::string("\x01\x04\x00\x01\x00\x01", 6);  // IPv4 unicast
  capabilities += std::string("\x02\x00", 2);                  // route refresh
  capabilities += std::string("\x41\x04", 2);                  // four-octet AS
  put32(capabilities, asn);
  std::string body("\x04", 1);
  put16(body, asn);
  put16(body, 180);
  put32(body, router_id);
  body.push_back(static_cast<char>(capabilities.size() + 2));
  body.push_back(2);
  body.push_back(static_cast<char>(capabilities.size()));
  return message(1, body + capabilities);
}

// Prefix number i: 1.0.0.0 and up by /24; every fourth is a /22, which overlaps its neighbours but is another prefix.
constexpr std::uint32_t kFirstNetwork = 65536;
unsigned length_of(std::uint32_t network) { return network % 4 == 0 ? 22 : 24; }

void put_prefix(std::string& out, std::uint32_t number) {
  const std::uint32_t network = kFirstNetwork + number;
  out.push_back(static_cast<char>(length_of(network)));
  out.push_back(static_cast<char>(network >> 16));
  out.push_back(static_cast<char>(network >> 8));
  out.push_back(static_cast<char>(network));
}

struct AttributeMaker {
  std::mt19937 engine{42};
  std::uint32_t next_hop = 0;
  std::uint32_t first_as = 0;  // 0: iBGP

  std::uint32_t number() { return static_cast<std::uint32_t>(engine()); }

  std::string make() {
    std::string out("\x40\x01\x01\x00", 4);
    std::vector<std::uint32_t> path;
    if (first_as != 0) path.push_back(first_as);
    const unsigned hops = first_as == 0 ? 0 : 2 + number() % 4;
    for (unsigned i = 0; i < hops; ++i) path.push_back(1000 + number() % 60000);
    out += std::string("\x40\x02", 2);
    out.push_back(static_cast<char>(path.empty() ? 0 : 2 + 4 * path.size()));
    if (!path.empty()) {
      out.push_back(2);
      out.push_back(static_cast<char>(path.size()));
      for (const std::uint32_t asn : path) put32(out, asn);
    }
    out += std::string("\x40\x03\x04", 3);
    put32(out, next_hop);
    if (first_as == 0) {
      out += std::string("\x40\x05\x04", 3);
      put32(out, 100);
    }
    out += std::string("\xc0\x08\x08", 3);
    put32(out, 0xfde80000U | (number() & 0xffff));
    put32(out, 0xfde90000U | (number() & 0xffff));
    return out;
  }
};

std::string update(const std::string& attributes, const std::string& nlri) {
  std::string body;
  put16(body, 0);
  put16(body, static_cast<unsigned>(attributes.size()));
  return message(2, body + attributes + nlri);
}

// All messages of a sender in one string.
std::string stream_of(std::uint32_t first, std::uint32_t count, bool is_single, AttributeMaker& maker) {
  std::string out;
  if (is_single) {
    std::vector<std::string> pool;
    for (std::uint32_t i = 0; i < std::max(1U, count / 7); ++i) pool.push_back(maker.make());
    for (std::uint32_t i = 0; i < count; ++i) {
      std::string nlri;
      put_prefix(nlri, first + i);
      out += update(pool[maker.number() % pool.size()], nlri);
    }
    return out;
  }
  for (std::uint32_t i = 0; i < count;) {
    std::string nlri;
    for (std::uint32_t left = std::min<std::uint32_t>(4 + maker.number() % 7, count - i); left > 0; --left) {
      put_prefix(nlri, first + i++);
    }
    out += update(maker.make(), nlri);
  }
  return out;
}

// --- sessions ---

class Session {
 public:
  Session(int epoll, std::uint32_t target, std::uint32_t source, std::uint32_t asn, std::size_t prefixes)
      : epoll_(epoll), target_(target), source_(source), asn_(asn), held_(prefixes, false) {}
  ~Session() { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void connect() {
    close();
    in_.clear();
    out_ = open_message(asn_, source_);
    sent_ = 0;
    is_up = false;
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(source_);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&local), sizeof(local)) != 0) die("no address 10.99.1.x here");
    sockaddr_in remote{};
    remote.sin_family = AF_INET;
    remote.sin_addr.s_addr = htonl(target_);
    remote.sin_port = htons(179);
    ::connect(fd_, reinterpret_cast<sockaddr*>(&remote), sizeof(remote));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = this;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
    wants_out_ = true;
  }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    is_up = false;
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  void send(const std::string& data) {
    if (sent_ == out_.size()) {
      out_.clear();
      sent_ = 0;
    }
    out_ += data;
    flush();
  }

  void on_event(std::uint32_t events) {
    if ((events & (EPOLLOUT)) != 0) flush();
    if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_all();
  }

  // What the speaker has told this session.
  bool is_up = false;
  std::size_t held = 0;
  std::size_t updates = 0;
  std::size_t bytes = 0;
  double last_change = 0;
  std::size_t refusals = 0;
  std::string last_notification;

 private:
  void flush() {
    while (sent_ < out_.size()) {
      const ssize_t put = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (put <= 0) break;
      sent_ += static_cast<std::size_t>(put);
    }
    const bool wants = sent_ < out_.size();
    if (wants == wants_out_ || fd_ < 0) return;
    wants_out_ = wants;
    epoll_event event{};
    event.events = EPOLLIN | (wants ? EPOLLOUT : 0U);
    event.data.ptr = this;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
  }

  void read_all() {
    static char buffer[1 << 18];
    while (fd_ >= 0) {
      const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
      if (got > 0) {
        in_.append(buffer, static_cast<std::size_t>(got));
        parse();
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      ++refusals;
      close();
    }
  }

  void parse() {
    std::size_t at = 0;
    const auto* p = reinterpret_cast<const unsigned char*>(in_.data());
    while (in_.size() - at >= 19) {
      const std::size_t size = static_cast<std::size_t>(p[at + 16]) << 8 | p[at + 17];
      if (size < 19) die("a message shorter than its header");
      if (in_.size() - at < size) break;
      handle(p + at, size);
      at += size;
    }
    in_.erase(0, at);
  }

  void handle(const unsigned char* p, std::size_t size) {
    bytes += size;
    switch (p[18]) {
      case 1: send(message(4, "")); break;
      case 2: take_update(p, size); break;
      case 3: last_notification = std::to_string(p[19]) + "/" + std::to_string(p[20]); break;
      case 4:
        if (!is_up) is_up = true;
        break;
      default: break;
    }
  }

  void take_update(const unsigned char* p, std::size_t size) {
    const unsigned char* end = p + size;
    p += 19;
    const std::size_t withdrawn = static_cast<std::size_t>(p[0]) << 8 | p[1];
    p += 2;
    take_prefixes(p, p + withdrawn, false);
    p += withdrawn;
    const std::size_t attributes = static_cast<std::size_t>(p[0]) << 8 | p[1];
    p += 2 + attributes;
    take_prefixes(p, end, true);
    if (withdrawn + attributes == 0) return;  // End-of-RIB
    ++updates;
    last_change = now_s();
  }

  void take_prefixes(const unsigned char* p, const unsigned char* end, bool is_there) {
    while (p < end) {
      const unsigned length = p[0];
      std::uint32_t network = 0;
      const unsigned octets = (length + 7) / 8;
      for (unsigned i = 0; i < octets; ++i) network = network << 8 | p[1 + i];
      if (octets < 3) network <<= 8 * (3 - octets);
      p += 1 + octets;
      const std::uint32_t number = network - kFirstNetwork;
      if (number >= held_.size() || held_[number] == is_there) continue;
      held_[number] = is_there;
      held += is_there ? 1U : std::size_t(-1);
    }
  }

  int epoll_;
  std::uint32_t target_, source_, asn_;
  int fd_ = -1;
  std::string in_, out_;
  std::size_t sent_ = 0;
  bool wants_out_ = false;
  std::vector<bool> held_;
};

class Driver {
 public:
  explicit Driver(std::uint32_t target) : target_(target), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  Session& add(std::uint32_t asn, std::size_t prefixes) {
    const std::uint32_t source = 0x0a630101U + static_cast<std::uint32_t>(sessions_.size());
    sessions_.push_back(std::make_unique<Session>(epoll_, target_, source, asn, prefixes));
    return *sessions_.back();
  }

  // Handles events until the condition holds; false after the limit.
  bool run_until(const std::function<bool()>& condition, double limit_s) {
    const double end = now_s() + limit_s;
    double next_try = 0;
    while (!condition()) {
      const double now = now_s();
      if (now > end) return false;
      if (reconnects && now > next_try) {
        next_try = now + 0.02;
        for (const auto& session : sessions_) {
          if (!session->is_open()) session->connect();
        }
      }
      epoll_event events[256];
      const int count = epoll_wait(epoll_, events, 256, 5);
      for (int i = 0; i < count; ++i) static_cast<Session*>(events[i].data.ptr)->on_event(events[i].events);
    }
    return true;
  }

  void settle(double seconds) {
    run_until([] { return false; }, seconds);
  }

  bool all_up() const {
    return std::all_of(sessions_.begin(), sessions_.end(), [](const auto& s) { return s->is_up; });
  }
  const std::vector<std::unique_ptr<Session>>& sessions() const { return sessions_; }

  bool reconnects = true;

 private:
  std::uint32_t target_;
  int epoll_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

struct Options {
  std::uint32_t target = 0;
  std::uint32_t prefixes = 100000;
  std::uint32_t clients = 200;
  double settle_s = 1;
  double hold_s = 0;
  bool is_single = false, is_cold = false, drops = false, changes = false;
};

constexpr double kLimit = 300;
constexpr std::uint32_t kPerClient = 64;

void relay(Driver& driver, const Options& options, bool is_late) {
  Session& sender = driver.add(65001, 0);
  AttributeMaker maker;
  maker.next_hop = 0x0a630101U;
  maker.first_as = 65001;
  const std::string stream = stream_of(0, options.prefixes, options.is_single, maker);
  const auto settled = [&] {
    if (!driver.run_until([&] { return driver.all_up(); }, 60)) die("sessions did not come up");
    driver.settle(options.settle_s);
  };
  if (is_late) {
    settled();
    sender.send(stream);
    driver.settle(options.settle_s + options.prefixes / 100000.0);
  }
  Session& receiver = driver.add(65002, options.prefixes);
  double start = 0;
  if (is_late) {
    if (!driver.run_until([&] { return receiver.is_up; }, 60)) die("the late session did not come up");
    start = now_s();
  } else {
    settled();
    start = now_s();
    sender.send(stream);
  }
  if (!driver.run_until([&] { return receiver.held == options.prefixes; }, kLimit)) {
    die("only " + std::to_string(receiver.held) + " prefixes arrived " + receiver.last_notification);
  }
  const double arrived = now_s() - start;
  const std::size_t updates = receiver.updates;
  driver.settle(options.hold_s);  // so that a slower consumer behind the speaker (the kernel) gets there too
  driver.reconnects = false;
  const double cut = now_s();
  sender.close();
  const bool gone = driver.run_until([&] { return receiver.held == 0; }, 60);
  std::printf("seconds=%.4f updates=%zu bytes=%zu withdrawn_seconds=%.4f\n", arrived, updates, receiver.bytes,
              gone ? now_s() - cut : -1.0);
}

using Sessions = std::vector<std::unique_ptr<Session>>;

// One prefix of the first client changes: until the last of the others has the new route; the median of 21 rounds.
double change_seconds(Driver& driver, const Sessions& sessions) {
  std::vector<double> times;
  AttributeMaker maker;
  maker.next_hop = 0x0a630101U;
  for (int round = 0; round < 21; ++round) {
    std::string nlri;
    put_prefix(nlri, 0);
    const std::string change = update(maker.make(), nlri);
    std::vector<std::size_t> before;
    for (const auto& session : sessions) before.push_back(session->updates);
    const double begin = now_s();
    sessions[0]->send(change);
    driver.run_until(
        [&] {
          for (std::size_t i = 1; i < sessions.size(); ++i) {
            if (sessions[i]->updates == before[i]) return false;
          }
          return true;
        },
        10);
    times.push_back(now_s() - begin);
    driver.settle(0.02);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// The first client drops: until all others were told of the withdrawals.
double drop_seconds(Driver& driver, const Sessions& sessions) {
  driver.reconnects = false;
  std::vector<std::size_t> before;  // a speaker may have told clients their own routes as well
  for (const auto& session : sessions) before.push_back(session->held);
  const double begin = now_s();
  sessions[0]->close();
  driver.run_until(
      [&] {
        for (std::size_t i = 1; i < sessions.size(); ++i) {
          if (sessions[i]->held + kPerClient > before[i]) return false;
        }
        return true;
      },
      60);
  return now_s() - begin;
}

bool all_hold(const Sessions& sessions, std::size_t least) {
  return std::all_of(sessions.begin(), sessions.end(), [&](const auto& s) { return s->held >= least; });
}

// Every client sends when its session is up, as nodes do.
void reflect_cold(Driver& driver, const std::vector<std::string>& streams, std::size_t expected) {
  const Sessions& sessions = driver.sessions();
  std::vector<bool> has_sent(streams.size(), false);
  const double start = now_s();
  const auto step = [&] {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (!sessions[i]->is_up || has_sent[i]) continue;
      has_sent[i] = true;
      sessions[i]->send(streams[i]);
    }
    return all_hold(sessions, expected);
  };
  if (!driver.run_until(step, kLimit)) die("not all routes were reflected");
  std::printf("seconds=%.4f\n", now_s() - start);
}

void reflect(Driver& driver, const Options& options) {
  const std::uint32_t total = options.clients * kPerClient;
  std::vector<std::string> streams;
  for (std::uint32_t i = 0; i < options.clients; ++i) {
    driver.add(65000, total);
    AttributeMaker maker;
    maker.engine.seed(i);
    maker.next_hop = 0x0a630101U + i;
    std::string nlri;
    for (std::uint32_t j = 0; j < kPerClient; ++j) put_prefix(nlri, i * kPerClient + j);
    streams.push_back(update(maker.make(), nlri));
  }
  const Sessions& sessions = driver.sessions();
  const std::size_t expected = total - kPerClient;
  if (options.is_cold) return reflect_cold(driver, streams, expected);
  if (!driver.run_until([&] { return driver.all_up(); }, kLimit)) die("sessions did not come up");
  driver.settle(options.settle_s);
  const double start = now_s();
  for (std::uint32_t i = 0; i < options.clients; ++i) sessions[i]->send(streams[i]);
  if (!driver.run_until([&] { return all_hold(sessions, expected); }, kLimit)) die("not all routes were reflected");
  const double converged = now_s() - start;
  driver.settle(options.settle_s);
  std::size_t updates = 0, bytes = 0, reflected_to_self = 0;
  for (const auto& session : sessions) {
    updates += session->updates;
    bytes += session->bytes;
    reflected_to_self += session->held - std::min<std::size_t>(session->held, expected);
  }
  std::printf("seconds=%.4f updates=%zu bytes=%zu reflected_to_self=%zu", converged, updates, bytes, reflected_to_self);
  if (options.changes) std::printf(" change_seconds=%.6f", change_seconds(driver, sessions));
  if (options.drops) std::printf(" drop_seconds=%.4f", drop_seconds(driver, sessions));
  std::printf("\n");
  std::fflush(stdout);
  driver.settle(options.hold_s);  // the sessions stay up: what the speaker costs when nothing happens
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) die("usage: bgp_load relay|late|reflect --target IP …");
  const std::string mode = argv[1];
  Options options;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] {
      if (++i >= argc) die(word + " needs a value");
      return argv[i];
    };
    if (word == "--target") {
      in_addr address{};
      if (inet_pton(AF_INET, value(), &address) != 1) die("--target is no IPv4 address");
      options.target = ntohl(address.s_addr);
    } else if (word == "--prefixes") {
      options.prefixes = static_cast<std::uint32_t>(std::atol(value()));
    } else if (word == "--clients") {
      options.clients = static_cast<std::uint32_t>(std::atol(value()));
    } else if (word == "--settle") {
      options.settle_s = std::atof(value());
    } else if (word == "--hold") {
      options.hold_s = std::atof(value());
    } else if (word == "--single") {
      options.is_single = true;
    } else if (word == "--cold") {
      options.is_cold = true;
    } else if (word == "--drop") {
      options.drops = true;
    } else if (word == "--change") {
      options.changes = true;
    } else {
      die("unknown option " + word);
    }
  }
  Driver driver(options.target);
  if (mode == "relay") {
    relay(driver, options, false);
  } else if (mode == "late") {
    relay(driver, options, true);
  } else if (mode == "reflect") {
    reflect(driver, options);
  } else {
    die("unknown mode " + mode);
  }
  return 0;
}
