#include "base/http/client_connection.h"

#include <utility>

#include "base/core/text.h"
#include "base/http/codec.h"

namespace margay::http {
namespace {

constexpr int kInterimResponsesMax = 16;

Error unavailable(std::string_view what, const Status& reason) {
  const std::string_view why =
      reason.ok() ? std::string_view("the server closed the connection") : reason.error().message;
  return Error{ErrorCode::kUnavailable, concat(what, ": ", why)};
}

}  // namespace

ClientConnection::ClientConnection(loop::Loop& loop, Owner& owner, std::unique_ptr<loop::Stream> stream,
                                   std::size_t head_bytes_max)
    : loop_(loop), owner_(owner), stream_(std::move(stream)), head_(head_bytes_max) {}

void ClientConnection::start() {
  drain_timer_ = loop_.make_timer([this] { drain(); });
  stream_->start({.on_data = [this](std::string_view bytes) { on_data(bytes); },
                  .on_drained = {},
                  .on_closed = [this](Status reason) { on_closed(std::move(reason)); }});
}

void ClientConnection::begin(ExchangeState& exchange, std::string head) {
  MARGAY_CHECK(is_idle() && stream_ != nullptr);
  exchange_ = &exchange;
  exchange.connection = this;
  if (exchange.link != nullptr) exchange.link->was_sent = true;
  is_reused_ = std::exchange(was_used_, true);
  is_in_body_ = false;
  interim_responses_ = 0;
  head_.reset();
  if (exchange.is_paused) stream_->pause_reading();
  stream_->write(std::move(head));
  // Kept while the request may have to be sent again.
  if (is_safe_method(exchange.request.method)) {
    stream_->write(exchange.request.body);
  } else {
    stream_->write(std::move(exchange.request.body));
  }
}

void ClientConnection::on_pause() {
  stream_->pause_reading();
  if (is_in_body_) exchange_->timer->disarm();
}

// What is pending is handed over on the next turn, not from inside the owner's call.
void ClientConnection::on_resume() {
  restart_idle_timer();
  if (is_consuming_) return stream_->resume_reading();
  drain_timer_->arm(Duration::zero());
}

void ClientConnection::retire() {
  if (exchange_ != nullptr) exchange_->connection = nullptr;
  exchange_ = nullptr;
  stream_.reset();
  drain_timer_.reset();
}

void ClientConnection::on_data(std::string_view bytes) {
  if (exchange_ == nullptr) return owner_.on_unusable(*this);  // an answer nobody asked for
  if (is_paused() || !pending_.empty()) {
    pending_.append(bytes);
    return;
  }
  restart_idle_timer();
  consume(bytes);
}

void ClientConnection::on_closed(Status reason) {
  if (exchange_ == nullptr) return owner_.on_unusable(*this);
  closed_ = std::move(reason);
  if (!is_paused() && pending_.empty()) ended(*closed_);
}

void ClientConnection::drain() {
  if (is_paused() || exchange_ == nullptr) return;
  const std::string bytes = std::exchange(pending_, {});
  consume(bytes);
  if (is_paused() || exchange_ == nullptr || stream_ == nullptr) return;
  if (closed_) return ended(*closed_);
  stream_->resume_reading();
}

void ClientConnection::consume(std::string_view bytes) {
  is_consuming_ = true;
  while (!is_paused() && step(bytes)) {
  }
  is_consuming_ = false;
  if (exchange_ != nullptr) pending_.assign(bytes);
}

// One step; false when there is nothing more to do with these bytes.
bool ClientConnection::step(std::string_view& bytes) {
  if (exchange_ == nullptr) return false;
  return is_in_body_ ? step_body(bytes) : step_head(bytes);
}

bool ClientConnection::step_head(std::string_view& bytes) {
  switch (head_.take(bytes)) {
    case HeadReader::State::kMore: return false;
    case HeadReader::State::kTooLarge: fail(invalid("the response's head is over the limit")); return false;
    case HeadReader::State::kMalformed: fail(invalid("malformed response head")); return false;
    case HeadReader::State::kComplete: return take_head();
  }
  return false;
}

bool ClientConnection::take_head() {
  auto parsed = parse_response_head(head_.text(), exchange_->request.method);
  head_.reset();
  if (!parsed) {
    fail(parsed.error());
    return false;
  }
  const int status = parsed->head.status;
  if (status < 200) {
    if (status != 101 && ++interim_responses_ <= kInterimResponsesMax) return true;
    fail(invalid(concat("unexpected response with status ", status)));
    return false;
  }
  body_ = BodyReader(parsed->framing);
  is_keep_alive_ = parsed->is_keep_alive;
  is_in_body_ = true;
  exchange_->timer->disarm();
  restart_idle_timer();
  if (exchange_->events.on_head) exchange_->events.on_head(std::move(parsed->head));
  return true;
}

bool ClientConnection::step_body(std::string_view& bytes) {
  if (body_.is_complete()) {
    complete(bytes.empty());
    return false;
  }
  if (bytes.empty()) return false;
  const auto piece = body_.next(bytes);
  if (!piece) {
    fail(piece.error());
    return false;
  }
  if (!piece->empty() && exchange_->events.on_body) exchange_->events.on_body(*piece);
  return true;
}

void ClientConnection::complete(bool is_clean) {
  ExchangeState& exchange = *std::exchange(exchange_, nullptr);
  exchange.connection = nullptr;
  if (is_clean && is_keep_alive_ && !closed_) {
    owner_.on_reusable(*this);
  } else {
    owner_.on_unusable(*this);
  }
  owner_.on_exchange_over(exchange, ok_status());
}

void ClientConnection::fail(Error error) {
  ExchangeState& exchange = *std::exchange(exchange_, nullptr);
  exchange.connection = nullptr;
  owner_.on_unusable(*this);
  owner_.on_exchange_over(exchange, std::move(error));
}

// The connection ended and everything that arrived before has been handed over.
void ClientConnection::ended(const Status& reason) {
  if (is_in_body_) {
    if (body_.ends_with_connection() && reason.ok()) return complete(false);
    return fail(unavailable("the response's body was cut short", reason));
  }
  const bool is_unanswered = !head_.has_begun() && interim_responses_ == 0;
  if (is_unanswered && is_reused_ && !exchange_->was_sent_again && is_safe_method(exchange_->request.method)) {
    ExchangeState& exchange = *std::exchange(exchange_, nullptr);
    exchange.connection = nullptr;
    owner_.on_unusable(*this);
    return owner_.on_send_again(exchange);
  }
  fail(unavailable("no response", reason));
}

void ClientConnection::restart_idle_timer() {
  if (exchange_ == nullptr || !is_in_body_) return;
  const auto& timeout = exchange_->options.body_idle_timeout;
  if (timeout) exchange_->timer->arm(*timeout);
}

}  // namespace margay::http
