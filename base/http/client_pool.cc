#include "base/http/client_pool.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/http/codec.h"

namespace margay::http {
namespace {

// A request that must not be sent twice goes only on a connection that was in use lately: servers close idle ones, and
// whether such a request was done before the connection turned out closed, nobody can tell.
constexpr Duration kIdleForUnsafeMax = std::chrono::seconds(3);

std::string host_of(const ClientConfig& config) {
  if (!config.host_header.empty()) return config.host_header;
  if (config.endpoint.kind == loop::Endpoint::Kind::kUnix) return "localhost";
  loop::Endpoint named = config.endpoint;
  named.host = named.host_without_zone();
  return named.to_string().substr(std::string_view("tcp://").size());
}

// No connection is kUnavailable, unless trying again cannot help.
Error connect_error(const Error& error) {
  const bool is_final = error.code == ErrorCode::kInvalid || error.code == ErrorCode::kPermissionDenied;
  return Error{is_final ? error.code : ErrorCode::kUnavailable, error.message};
}

// What may still be on the call stack lives until the loop's next turn.
template <class T>
void bury(loop::Loop& loop, std::map<T*, std::unique_ptr<T>>& owned, T& dead) {
  auto node = owned.extract(&dead);
  if (!node.empty()) loop.post([body = std::move(node.mapped())] {});
}

}  // namespace

ClientPool::ClientPool(loop::Loop& loop, loop::Network& network, ClientConfig config)
    : loop_(loop), network_(network), config_(std::move(config)), host_(host_of(config_)) {
  idle_timer_ = loop_.make_timer([this] { on_idle_timer(); });
}

void ClientPool::start(Request request, ExchangeOptions options, ExchangeEvents events, ExchangeLink& link) {
  auto owned = std::make_unique<ExchangeState>();
  ExchangeState& exchange = *owned;
  exchanges_.emplace(&exchange, std::move(owned));
  exchange.link = &link;
  link.state = &exchange;
  exchange.request = std::move(request);
  exchange.options = options;
  exchange.events = std::move(events);
  exchange.timer = loop_.make_timer([this, &exchange] { on_exchange_timer(exchange); });
  if (auto head = format_request_head(exchange.request, host_); !head) {
    exchange.early_failure = head.error();
    exchange.timer->arm(Duration::zero());
    return;
  }
  if (options.head_timeout) exchange.timer->arm(*options.head_timeout);
  waiting_.push_back(&exchange);
  dispatch();
}

void ClientPool::abandon(ExchangeState& exchange) {
  if (exchange.is_over) return;
  ClientConnection* connection = exchange.connection;
  leave_line(exchange);
  retire(exchange);
  if (connection != nullptr) on_unusable(*connection);
  dispatch();
}

void ClientPool::shut_down() {
  is_shut_down_ = true;
  idle_timer_.reset();
  attempts_.clear();
  waiting_.clear();
  idle_.clear();
  for (auto& [connection, owned] : connections_) connection->retire();
  for (auto& [exchange, owned] : exchanges_) {
    end(*exchange);
  }
}

void ClientPool::on_exchange_over(ExchangeState& exchange, Status outcome) {
  if (exchange.is_over) return;
  retire(exchange);
  if (exchange.events.on_done) exchange.events.on_done(std::move(outcome));
  dispatch();
}

void ClientPool::on_send_again(ExchangeState& exchange) {
  exchange.was_sent_again = true;
  waiting_.push_front(&exchange);
  dispatch();
}

void ClientPool::on_reusable(ClientConnection& connection) {
  add_idle(connection);
  limit_idle();
}

void ClientPool::add_idle(ClientConnection& connection) {
  connection.idle_since = loop_.now();
  idle_.push_back(&connection);
  if (!idle_timer_->is_armed()) idle_timer_->arm(config_.idle_timeout);
}

void ClientPool::limit_idle() {
  if (idle_.size() > config_.idle_connections_max) on_unusable(*idle_.front());
}

void ClientPool::on_unusable(ClientConnection& connection) {
  std::erase(idle_, &connection);
  connection.retire();
  bury(loop_, connections_, connection);
  dispatch();
}

// Hands connections to the line, and opens as many more as it needs.
void ClientPool::dispatch() {
  if (is_shut_down_) return;
  while (!waiting_.empty()) {
    ClientConnection* connection = take_idle(*waiting_.front());
    if (connection == nullptr) break;
    ExchangeState& exchange = *waiting_.front();
    waiting_.pop_front();
    begin(*connection, exchange);
  }
  while (attempts_.size() < waiting_.size() && connection_count() < config_.connections_max) connect();
}

ClientConnection* ClientPool::take_idle(const ExchangeState& exchange) {
  if (idle_.empty()) return nullptr;
  ClientConnection* newest = idle_.back();
  const bool is_recent = loop_.now() - newest->idle_since <= kIdleForUnsafeMax;
  if (is_recent || is_safe_method(exchange.request.method)) {
    idle_.pop_back();
    return newest;
  }
  if (connection_count() >= config_.connections_max) {
    ClientConnection& oldest = *idle_.front();
    idle_.pop_front();
    oldest.retire();
    bury(loop_, connections_, oldest);
  }
  return nullptr;
}

void ClientPool::begin(ClientConnection& connection, ExchangeState& exchange) {
  auto head = format_request_head(exchange.request, host_);
  MARGAY_CHECK(head.ok());
  connection.begin(exchange, std::move(head).value());
}

void ClientPool::connect() {
  auto owned = std::make_unique<Attempt>();
  Attempt& attempt = *owned;
  attempts_.emplace(&attempt, std::move(owned));
  const auto renewed = config_.renewed_tls ? config_.renewed_tls() : nullptr;
  const loop::TlsClientConfig* tls = renewed != nullptr ? renewed.get() : config_.tls ? &*config_.tls : nullptr;
  attempt.handle = network_.connect(config_.endpoint, tls, config_.connect_timeout,
                                    [this, &attempt](auto stream) { on_connected(attempt, std::move(stream)); });
}

void ClientPool::on_connected(Attempt& attempt, Result<std::unique_ptr<loop::Stream>> stream) {
  attempt.handle.reset();
  attempts_.erase(&attempt);
  if (!stream) return on_connect_failed(connect_error(stream.error()));
  auto owned = std::make_unique<ClientConnection>(loop_, *this, std::move(stream).value(), config_.head_bytes_max);
  ClientConnection& connection = *owned;
  connections_.emplace(&connection, std::move(owned));
  connection.start();
  add_idle(connection);
  dispatch();
  if (connection.is_idle()) connection.note_kept_alive();
  limit_idle();  // only now: it was made for somebody in the line
}

void ClientPool::on_connect_failed(const Error& error) {
  std::deque<ExchangeState*> failed;
  if (connections_.empty() && attempts_.empty()) {
    failed.swap(waiting_);
  } else if (!waiting_.empty()) {
    failed.push_back(waiting_.front());
    waiting_.pop_front();
  }
  for (ExchangeState* exchange : failed) on_exchange_over(*exchange, error);
}

void ClientPool::on_exchange_timer(ExchangeState& exchange) {
  if (exchange.early_failure) return on_exchange_over(exchange, *exchange.early_failure);
  fail(exchange, Error{ErrorCode::kTimeout, concat(exchange.request.method, " ", exchange.request.target,
                                                   ": no answer from the server in time")});
}

void ClientPool::fail(ExchangeState& exchange, Error error) {
  ClientConnection* connection = exchange.connection;
  leave_line(exchange);
  if (connection != nullptr) on_unusable(*connection);
  on_exchange_over(exchange, std::move(error));
}

void ClientPool::leave_line(const ExchangeState& exchange) {
  waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), &exchange), waiting_.end());
}

void ClientPool::on_idle_timer() {
  const TimePoint limit = loop_.now() - config_.idle_timeout;
  while (!idle_.empty() && idle_.front()->idle_since <= limit) on_unusable(*idle_.front());
  if (!idle_.empty()) idle_timer_->arm(idle_.front()->idle_since + config_.idle_timeout - loop_.now());
}

void ClientPool::end(ExchangeState& exchange) {
  exchange.is_over = true;
  exchange.timer.reset();
  if (exchange.link != nullptr) exchange.link->state = nullptr;
  exchange.link = nullptr;
}

void ClientPool::retire(ExchangeState& exchange) {
  end(exchange);
  bury(loop_, exchanges_, exchange);
}

}  // namespace margay::http
