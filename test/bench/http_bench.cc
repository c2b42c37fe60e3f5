// HTTP between two threads of one process: round trips, one-way latency of a streamed event, throughput of large
// bodies; over TCP, a unix socket and TLS.
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/core/text.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/loop/test_certificates.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

constexpr int kRoundTrips = 20'000;
constexpr int kEvents = 5'000;
constexpr std::size_t kBodySize = 300'000'000;
constexpr std::size_t kPiece = 256 * 1024;

struct Setting {
  std::string name;
  loop::Endpoint endpoint;
  bool has_tls = false;
};

// The server's thread. Answers "/" at once, "/body" with one large body, "/chunks" with the same in chunks, and keeps
// "/watch" open.
class ServerThread {
 public:
  ServerThread(const Setting& setting, const loop::TlsServerConfig* tls) {
    server_ =
        http::make_server(loop_, network_, {}, [this](http::Request request, const http::PeerInfo&, auto responder) {
          answer(request.target, std::move(responder));
        });
    endpoint_ = server_->listen(setting.endpoint, tls).value();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~ServerThread() {
    loop_.post([this] {
      watch_.reset();
      stream_.reset();
      server_.reset();
      loop_.stop();
    });
    thread_.join();
  }

  [[nodiscard]] const loop::Endpoint& endpoint() const { return endpoint_; }
  // Sends one event with the time it was sent at.
  void send_event() {
    loop_.post([this] {
      sent_at_ = Clock::now().time_since_epoch().count();
      watch_->write(event_);
    });
  }
  [[nodiscard]] Clock::time_point sent_at() const { return Clock::time_point(Clock::duration(sent_at_.load())); }

 private:
  void answer(const std::string& target, std::unique_ptr<http::Responder> responder) {
    if (target == "/watch") {
      watch_ = std::move(responder);
      return watch_->start({.status = 200, .headers = {}});
    }
    if (target == "/chunks") return stream(std::move(responder));
    responder->send({.status = 200, .headers = {}, .body = std::string(target == "/body" ? kBodySize : 20, 'x')});
  }

  void stream(std::unique_ptr<http::Responder> responder) {
    stream_ = std::move(responder);
    left_ = kBodySize;
    stream_->on_drained([this] {
      if (left_ == 0) return stream_->finish();
      const std::size_t count = std::min(left_, kPiece);
      left_ -= count;
      stream_->write(std::string(count, 'x'));
    });
    stream_->start({.status = 200, .headers = {}});
  }

  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  std::unique_ptr<http::Server> server_;
  loop::Endpoint endpoint_;
  std::unique_ptr<http::Responder> watch_;
  std::unique_ptr<http::Responder> stream_;
  std::size_t left_ = 0;
  std::string event_ = std::string(500, 'e');
  std::atomic<Clock::rep> sent_at_{0};
  std::thread thread_;
};

class Bench {
 public:
  Bench(const Setting& setting, const loop::TlsServerConfig* server_tls,
        const std::optional<loop::TlsClientConfig>& tls)
      : name_(setting.name), server_(setting, server_tls) {
    client_ = http::make_client(loop_, network_, {.endpoint = server_.endpoint(), .tls = tls, .host_header = {}});
  }

  void run() {
    round_trips();
    events();
    body("/body", "one body of 300 MB");
    body("/chunks", "the same in chunks");
  }

 private:
  void exchange(const std::string& target, http::ExchangeEvents events) {
    exchange_ = client_->start({.method = "GET", .target = target, .headers = {}, .body = {}}, {}, std::move(events));
  }

  void round_trips() {
    Samples samples;
    Clock::time_point start;
    std::function<void()> next = [&] {
      start = Clock::now();
      exchange("/", {.on_head = {}, .on_body = {}, .on_done = [&](const Status&) {
                       samples.add(seconds_since(start));
                       if (samples.count() == kRoundTrips) return loop_.stop();
                       next();
                     }});
    };
    next();
    loop_.run();
    print_samples(concat(name_, ": request and answer"), samples, 1e6, "us");
  }

  void events() {
    Samples samples;
    exchange("/watch", {.on_head = [&](const http::ResponseHead&) { server_.send_event(); },
                        .on_body =
                            [&](std::string_view) {
                              samples.add(seconds_since(server_.sent_at()));
                              if (samples.count() == kEvents) return loop_.stop();
                              server_.send_event();
                            },
                        .on_done = {}});
    loop_.run();
    exchange_.reset();
    print_samples(concat(name_, ": streamed event, one way"), samples, 1e6, "us");
  }

  void body(const std::string& target, const std::string& what) {
    std::size_t received = 0;
    const auto start = Clock::now();
    exchange(target, {.on_head = {},
                      .on_body = [&](std::string_view bytes) { received += bytes.size(); },
                      .on_done = [&](const Status&) { loop_.stop(); }});
    loop_.run();
    print_figure(concat(name_, ": ", what), static_cast<double>(received) / seconds_since(start) / 1e6, "MB/s");
  }

  std::string name_;
  ServerThread server_;
  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<http::Exchange> exchange_;
};

// `only`: the name of one setting, or empty.
void run_all(const std::string& only) {
  char folder[] = "/tmp/margay-bench-XXXXXX";
  const std::string path = concat(std::string_view(::mkdtemp(folder)), "/socket");
  const loop::TestAuthority authority("bench");
  const auto issued = authority.issue({});
  const loop::TlsServerConfig server_tls{issued.certificate_pem, issued.key_pem, {}};
  loop::TlsClientConfig client_tls;
  client_tls.ca_pem = authority.ca_pem();
  const Setting settings[] = {
      {"tcp", {loop::Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}},
      {"unix", {loop::Endpoint::Kind::kUnix, "", 0, path}},
      {"tls", {loop::Endpoint::Kind::kTcp, "127.0.0.1", 0, ""}, true},
  };
  for (const Setting& setting : settings) {
    if (!only.empty() && only != setting.name) continue;
    if (setting.has_tls) {
      Bench(setting, &server_tls, client_tls).run();
    } else {
      Bench(setting, nullptr, std::nullopt).run();
    }
  }
  ::rmdir(folder);
}

}  // namespace
}  // namespace margay::bench

int main(int count, char** arguments) {
  margay::bench::run_all(count > 1 ? arguments[1] : "");
  return 0;
}
