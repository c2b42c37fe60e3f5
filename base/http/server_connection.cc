#include "base/http/server_connection.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/http/responder.h"

namespace margay::http {
namespace {

// Pipelined input that is kept while a request is being answered; after that the client has to wait.
constexpr std::size_t kPipelinedMax = 64 * 1024;
// With more than this of earlier answers not yet taken, the next request waits: a small request can have a large
// answer.
constexpr std::size_t kUnreadAnswersMax = 1024 * 1024;
constexpr std::size_t kReservedMax = 1024 * 1024;
constexpr Duration kLingerTime = std::chrono::seconds(2);
constexpr Duration kDrainCheck = std::chrono::milliseconds(50);
constexpr std::size_t kDiscardMax = 16 * 1024 * 1024;

}  // namespace

ServerConnection::ServerConnection(loop::Loop& loop, Owner& owner, const ServerLimits& limits,
                                   std::unique_ptr<loop::Stream> stream, bool is_unix_socket)
    : loop_(loop),
      owner_(owner),
      limits_(limits),
      stream_(std::move(stream)),
      peer_{stream_->peer_name(), is_unix_socket, stream_->peer_certificate()},
      timer_(loop.make_timer([this] { on_timer(); })),
      turn_timer_(loop.make_timer([this] { next_turn(); })),
      head_(limits.head_bytes_max) {}

void ServerConnection::start() {
  timer_->arm(limits_.head_timeout);
  stream_->start({.on_data = [this](std::string_view bytes) { on_data(bytes); },
                  .on_drained = [this] { on_drained(); },
                  .on_closed = [this](const Status& reason) { on_closed(reason); },
                  .on_lost = [this](const Error&) { close(); }});
}

void ServerConnection::attach(ResponderImpl& responder) {
  responder_ = &responder;
  if (is_input_over_) responder.input_ended();
}

void ServerConnection::wind_down() {
  const bool is_idle = state_ == State::kHead && !head_.has_begun() && pending_.empty();
  if (is_idle) linger();
  if (state_ == State::kLingering && queued_bytes() == 0) close_silently();
}

void ServerConnection::close() {
  ResponderImpl* responder = std::exchange(responder_, nullptr);
  close_silently();
  if (responder != nullptr) responder->connection_gone();
}

void ServerConnection::close_silently() {
  if (is_closed()) return;
  if (responder_ != nullptr) std::exchange(responder_, nullptr)->detach();
  timer_.reset();
  turn_timer_.reset();
  stream_.reset();
  owner_.on_over(*this);
}

void ServerConnection::on_data(std::string_view bytes) {
  switch (state_) {
    case State::kHead:
    case State::kBody: return pending_.empty() ? consume(bytes) : hold(bytes);
    case State::kLingering:
      discarded_ += bytes.size();
      if (discarded_ > kDiscardMax) close();
      return;
    case State::kAnswering: return hold(bytes);
  }
}

void ServerConnection::hold(std::string_view bytes) {
  pending_.append(bytes);
  if (pending_.size() >= kPipelinedMax) pause_reading();
}

void ServerConnection::pause_reading() {
  is_reading_paused_ = true;
  stream_->pause_reading();
}

bool ServerConnection::is_backed_up() const {
  return state_ == State::kHead && !head_.has_begun() && queued_bytes() > kUnreadAnswersMax;
}

void ServerConnection::on_drained() {
  ResponderImpl* responder = responder_;
  if (responder == nullptr) {
    if (state_ == State::kHead && is_reading_paused_) turn_timer_->arm(Duration::zero());
    return;
  }
  Callback<void()> task = responder->take_on_drained();
  if (!task) return;
  task();
  if (responder_ == responder) responder->give_back(std::move(task));
}

void ServerConnection::on_closed(const Status& reason) {
  if (!reason.ok()) return close();
  is_input_over_ = true;
  if (state_ == State::kAnswering && responder_ != nullptr) return responder_->input_ended();
  on_input_end();
}

// Between requests, or inside one that will never be whole: what is queued still goes out.
void ServerConnection::on_input_end() {
  const bool is_at_end = state_ == State::kLingering || (state_ != State::kAnswering && pending_.empty());
  if (!is_at_end) return;
  if (queued_bytes() == 0) return close();
  linger();
}

void ServerConnection::on_timer() {
  switch (state_) {
    case State::kHead:
      if (head_.has_begun()) return refuse(408, "the request's head took too long");
      if (queued_bytes() == 0 || queued_bytes() == queued_before_) return close();
      queued_before_ = queued_bytes();
      return timer_->arm(limits_.idle_timeout);
    case State::kBody: return refuse(408, "the request's body took too long");
    case State::kLingering: return on_linger_timer();
    case State::kAnswering: return;
  }
}

// A slow reader has as long as it makes progress.
void ServerConnection::on_linger_timer() {
  const std::size_t queued = queued_bytes();
  if (queued == 0) return close();
  if (std::exchange(queued_before_, queued) != queued) stalled_at_ = loop_.now() + limits_.body_timeout;
  if (loop_.now() >= stalled_at_) return close();
  timer_->arm(is_input_over_ ? kDrainCheck : kLingerTime);
}

void ServerConnection::consume(std::string_view bytes) {
  is_consuming_ = true;
  bool goes_on = true;
  while (goes_on && !is_closed() && !is_backed_up()) {
    goes_on = state_ == State::kHead ? step_head(bytes) : state_ == State::kBody ? step_body(bytes) : false;
  }
  is_consuming_ = false;
  if (state_ == State::kAnswering || is_backed_up()) pending_.assign(bytes);
  if (is_backed_up()) pause_reading();
}

bool ServerConnection::step_head(std::string_view& bytes) {
  if (bytes.empty()) return false;
  const bool is_first_byte = !head_.has_begun();
  const HeadReader::State state = head_.take(bytes);
  if (state == HeadReader::State::kComplete) return take_head(!bytes.empty());
  if (state == HeadReader::State::kTooLarge) refuse(431, "the request's head is over the limit");
  if (state == HeadReader::State::kMalformed) refuse(400, "malformed request head");
  if (state == HeadReader::State::kMore && is_first_byte) timer_->arm(limits_.head_timeout);
  return false;
}

bool ServerConnection::take_head(bool has_more) {
  auto parsed = parse_request_head(head_.text());
  head_.reset();
  if (!parsed) {
    refuse(parsed.error().status, parsed.error().message);
    return false;
  }
  current_ = std::move(parsed).value();
  const Framing& framing = current_.framing;
  if (framing.kind == Framing::Kind::kLength && framing.length > limits_.body_bytes_max) {
    refuse(413, "the request's body is over the limit");
    return false;
  }
  body_ = BodyReader(framing);
  state_ = State::kBody;
  if (body_.is_complete()) return true;
  timer_->arm(limits_.body_timeout);
  current_.request.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(framing.length, kReservedMax)));
  if (current_.expects_continue && !has_more) stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

bool ServerConnection::step_body(std::string_view& bytes) {
  if (body_.is_complete()) {
    dispatch();
    return true;
  }
  if (bytes.empty()) return false;
  const auto piece = body_.next(bytes);
  if (!piece) {
    refuse(400, piece.error().message);
  } else if (current_.request.body.size() + piece->size() > limits_.body_bytes_max) {
    refuse(413, "the request's body is over the limit");
  } else {
    current_.request.body.append(*piece);
    return true;
  }
  return false;
}

void ServerConnection::dispatch() {
  state_ = State::kAnswering;
  is_response_started_ = false;
  timer_->disarm();
  Request request = std::move(current_.request);
  current_.request.method = request.method;
  owner_.on_request(*this, std::move(request), peer_);
}

// Answers a request that no handler sees, and closes.
void ServerConnection::refuse(int status, std::string_view message) {
  ResponseHead head{status, {}};
  head.headers.add("Content-Type", "text/plain; charset=utf-8");
  std::string body = concat(message, '\n');
  stream_->write(format_response_head(head, {Framing::Kind::kLength, body.size()}, false));
  stream_->write(std::move(body));
  linger();
}

void ServerConnection::send(Response response) {
  MARGAY_CHECK(state_ == State::kAnswering && !is_response_started_);
  Framing framing;
  if (allows_body(response.status)) framing = {Framing::Kind::kLength, response.body.size()};
  const bool has_body = framing.kind == Framing::Kind::kLength && !is_head_request();
  ResponseHead head{response.status, std::move(response.headers)};
  stream_->write(format_response_head(head, framing, keeps_alive()));
  if (has_body) stream_->write(std::move(response.body));
  response_complete();
}

void ServerConnection::start_response(const ResponseHead& head) {
  MARGAY_CHECK(state_ == State::kAnswering && !is_response_started_);
  is_response_started_ = true;
  response_framing_ = {};
  if (allows_body(head.status)) {
    response_framing_.kind = current_.is_http_1_0 ? Framing::Kind::kUntilClose : Framing::Kind::kChunked;
  }
  if (response_framing_.kind == Framing::Kind::kUntilClose) current_.is_keep_alive = false;
  stream_->write(format_response_head(head, response_framing_, keeps_alive()));
  if (is_head_request()) response_framing_ = {};
}

void ServerConnection::write(std::string bytes) {
  MARGAY_CHECK(is_response_started_);
  if (bytes.empty() || response_framing_.kind == Framing::Kind::kNone) return;
  const bool is_chunked = response_framing_.kind == Framing::Kind::kChunked;
  if (is_chunked) stream_->write(format_chunk_size(bytes.size()));
  stream_->write(std::move(bytes));
  if (is_chunked) stream_->write("\r\n");
}

void ServerConnection::finish() {
  MARGAY_CHECK(is_response_started_);
  if (response_framing_.kind == Framing::Kind::kChunked) stream_->write("0\r\n\r\n");
  response_complete();
}

void ServerConnection::abort() {
  responder_ = nullptr;
  close_silently();
}

void ServerConnection::unanswered() {
  if (is_response_started_) return abort();
  Response response;
  response.status = 500;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = "the request was not answered\n";
  send(std::move(response));
}

void ServerConnection::response_complete() {
  responder_ = nullptr;
  if (!keeps_alive()) return linger();
  await_request();
}

void ServerConnection::await_request() {
  state_ = State::kHead;
  queued_before_ = 0;
  timer_->arm(limits_.idle_timeout);
  if (!is_consuming_ && (!pending_.empty() || is_reading_paused_)) turn_timer_->arm(Duration::zero());
}

// Not from inside send() or finish(): the next request's handler must not run inside the previous one's.
void ServerConnection::next_turn() {
  if (state_ != State::kHead || is_backed_up()) return;
  const std::string bytes = std::exchange(pending_, {});
  consume(bytes);
  if (!is_closed() && is_input_over_) return on_input_end();
  const bool has_room = pending_.size() < kPipelinedMax && !is_backed_up();
  if (!is_closed() && has_room && std::exchange(is_reading_paused_, false)) stream_->resume_reading();
}

void ServerConnection::linger() {
  state_ = State::kLingering;
  pending_.clear();
  queued_before_ = 0;
  if (std::exchange(is_reading_paused_, false)) stream_->resume_reading();
  stream_->shutdown_write();
  timer_->arm(is_input_over_ ? kDrainCheck : kLingerTime);
}

}  // namespace margay::http
