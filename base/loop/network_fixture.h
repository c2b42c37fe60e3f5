// The networks that tests of streams run over: sockets and simulated, plain and with TLS. Not part of any library.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "base/loop/sim_loop.h"
#include "base/loop/sim_network.h"
#include "base/loop/test_certificates.h"

namespace margay::loop {

struct NetworkKind {
  const char* name;
  bool is_sim = false;
  bool is_unix = false;
  bool has_tls = false;
  friend std::ostream& operator<<(std::ostream& out, const NetworkKind& kind) { return out << kind.name; }
};

inline constexpr NetworkKind kAllNetworks[] = {
    {.name = "Sim", .is_sim = true},
    {.name = "SimTls", .is_sim = true, .has_tls = true},
    {.name = "Tcp"},
    {.name = "Unix", .is_unix = true},
    {.name = "TcpTls", .has_tls = true},
    {.name = "UnixTls", .is_unix = true, .has_tls = true},
};

inline const TestAuthority& test_authority() {
  static const TestAuthority authority("margay test authority");
  return authority;
}

class NetworkUnderTest {
 public:
  explicit NetworkUnderTest(const NetworkKind& kind) : kind_(kind) {
    if (kind.is_sim) {
      sim_network_.conditions = {.delay = std::chrono::microseconds(100), .piece_bytes_max = 10'000};
    }
    if (kind.is_unix) {
      char name[] = "/tmp/margay-net-XXXXXX";
      folder_ = ::mkdtemp(name);
    }
    if (kind.has_tls) {
      const TestAuthority::Issued issued = test_authority().issue({});
      server_tls_ = TlsServerConfig{issued.certificate_pem, issued.key_pem, {}};
      client_tls_.emplace();
      client_tls_->ca_pem = test_authority().ca_pem();
    }
  }
  ~NetworkUnderTest() {
    if (!folder_.empty()) (void)::rmdir(folder_.c_str());
  }

  [[nodiscard]] Loop& loop() { return kind_.is_sim ? static_cast<Loop&>(sim_loop_) : asio_loop_; }
  [[nodiscard]] Network& network() { return kind_.is_sim ? static_cast<Network&>(sim_network_) : asio_network_; }
  [[nodiscard]] Endpoint to_listen() const {
    if (kind_.is_unix) return {Endpoint::Kind::kUnix, "", 0, concat(folder_, "/socket")};
    return {Endpoint::Kind::kTcp, "127.0.0.1", 0, ""};
  }
  [[nodiscard]] const TlsServerConfig* server_tls() const { return server_tls_ ? &*server_tls_ : nullptr; }
  [[nodiscard]] const TlsClientConfig* client_tls() const { return client_tls_ ? &*client_tls_ : nullptr; }

  // Virtual or real seconds: a failure's price, never a success's.
  bool run(const std::function<bool()>& condition) {
    constexpr Duration kLimit = std::chrono::seconds(30);
    return kind_.is_sim ? sim_loop_.run_until(condition, kLimit) : asio_loop_.run_until(condition, kLimit);
  }
  // Lets what is under way arrive, for checking that something does not happen.
  void settle() {
    constexpr Duration kWhile = std::chrono::milliseconds(20);
    if (kind_.is_sim) {
      sim_loop_.advance(kWhile);
    } else {
      asio_loop_.run_for(kWhile);
    }
  }

 private:
  NetworkKind kind_;
  std::string folder_;
  SimLoop sim_loop_;
  AsioLoop asio_loop_;
  SimNetwork sim_network_{sim_loop_, 1};
  AsioNetwork asio_network_{asio_loop_};
  std::optional<TlsServerConfig> server_tls_;
  std::optional<TlsClientConfig> client_tls_;
};

}  // namespace margay::loop
