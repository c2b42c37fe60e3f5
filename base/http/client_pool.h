// The connections of one client and the line of exchanges that wait for one. Internal to base/http.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "base/http/client.h"
#include "base/http/client_connection.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"

namespace margay::http {

class ClientPool final : public ClientConnection::Owner {
 public:
  ClientPool(loop::Loop& loop, loop::Network& network, ClientConfig config);

  void start(Request request, ExchangeOptions options, ExchangeEvents events, ExchangeLink& link);
  void abandon(ExchangeState& exchange);
  // Everything ends, silently. The memory stays until the pool is destroyed.
  void shut_down();

  void on_exchange_over(ExchangeState& exchange, Status outcome) override;
  void on_send_again(ExchangeState& exchange) override;
  void on_reusable(ClientConnection& connection) override;
  void on_unusable(ClientConnection& connection) override;

 private:
  // An attempt to connect.
  struct Attempt {
    std::unique_ptr<loop::Handle> handle;
  };

  void add_idle(ClientConnection& connection);
  void limit_idle();
  void dispatch();
  ClientConnection* take_idle(const ExchangeState& exchange);
  void begin(ClientConnection& connection, ExchangeState& exchange);
  void connect();
  void on_connected(Attempt& attempt, Result<std::unique_ptr<loop::Stream>> stream);
  void on_connect_failed(const Error& error);
  void on_exchange_timer(ExchangeState& exchange);
  void leave_line(const ExchangeState& exchange);
  void fail(ExchangeState& exchange, Error error);
  void on_idle_timer();
  static void end(ExchangeState& exchange);
  void retire(ExchangeState& exchange);
  [[nodiscard]] std::size_t connection_count() const { return connections_.size() + attempts_.size(); }

  loop::Loop& loop_;
  loop::Network& network_;
  ClientConfig config_;
  std::string host_;
  std::unique_ptr<loop::Timer> idle_timer_;
  std::map<ExchangeState*, std::unique_ptr<ExchangeState>> exchanges_;
  std::map<ClientConnection*, std::unique_ptr<ClientConnection>> connections_;
  std::map<Attempt*, std::unique_ptr<Attempt>> attempts_;
  std::deque<ExchangeState*> waiting_;
  std::deque<ClientConnection*> idle_;  // the one used last is last
  bool is_shut_down_ = false;
};

}  // namespace margay::http
