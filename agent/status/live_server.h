// LiveServer: an HTTP server whose address, or absence, may change while it runs. One loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/http/server.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"

namespace margay::status {

struct ServerTls {
  std::string certificate_file;
  std::string key_file;
  bool asks_clients = false;  // for a certificate of the authorities in client_ca_file
  std::string client_ca_file;
  bool is_client_certificate_optional = false;

  friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

struct ServerPlace {
  std::string host;  // an address, "localhost" (127.0.0.1), or "" for all
  std::uint16_t port = 0;
  std::optional<ServerTls> tls{};  // files are read again when they change

  friend bool operator==(const ServerPlace&, const ServerPlace&) = default;
};

class LiveServer {
 public:
  struct Parts {
    loop::Loop& loop;
    loop::Network& network;
    telemetry::Logger log{};
  };
  // `name`: for the log, "health".
  LiveServer(Parts parts, std::string name, http::Handler handler);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  // nullopt: none. Answers under way are finished, then the old place is left. What cannot be had (the port is taken, a
  // certificate cannot be read) is tried again until it can.
  void set_place(std::optional<ServerPlace> place);

  // Where it listens, with the port that was chosen; nullopt: nowhere.
  [[nodiscard]] std::optional<loop::Endpoint> listening() const;
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  struct Running;
  void leave();
  void try_listen();
  Result<std::unique_ptr<Running>> start(const ServerPlace& place);

  Parts parts_;
  std::string name_;
  std::shared_ptr<const http::Handler> handler_;
  std::optional<ServerPlace> place_;
  std::unique_ptr<Running> running_;
  std::vector<std::unique_ptr<Running>> leaving_;  // whose answers under way are not all sent
  std::unique_ptr<loop::Timer> retry_;
  std::string last_error_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::status
