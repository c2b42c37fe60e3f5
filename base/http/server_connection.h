// One connection of a server: reads requests one after the other and answers each before the next. Internal to
// base/http.
//
//   head ─complete▶ body ─complete▶ answering ─response complete▶ head
//     │               │                 └─last response▶ lingering ▶ (closed)
//     └─ bad, too large, too slow: refused with a status ─▶ lingering
//
// A client that closes its sending side still gets the answer under way, and those to what it had asked before; then
// the connection ends.
//
// Lingering: everything is written and the sending side is closed; input is read and thrown away for a moment, because
// closing with unread input would reset the connection and the client might never see the answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/http/body_reader.h"
#include "base/http/codec.h"
#include "base/http/head_reader.h"
#include "base/http/server.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"

namespace margay::http {

class ResponderImpl;

class ServerConnection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_request(ServerConnection& connection, Request request, const PeerInfo& peer) = 0;
    // Nothing more happens on it.
    virtual void on_over(ServerConnection& connection) = 0;
    [[nodiscard]] virtual bool is_stopping() const = 0;
  };

  ServerConnection(loop::Loop& loop, Owner& owner, const ServerLimits& limits, std::unique_ptr<loop::Stream> stream,
                   bool is_unix_socket);

  void start();
  // Closes now if there is nothing under way, else after the answer.
  void wind_down();
  // Closes at once; `tells` is whether the request under way hears of it (Responder::on_closed).
  void close();
  void close_silently();

  // For the responder of the request under way.
  void attach(ResponderImpl& responder);
  void send(Response response);
  void start_response(const ResponseHead& head);
  void write(std::string bytes);
  void finish();
  void abort();
  void unanswered();
  [[nodiscard]] std::size_t queued_bytes() const { return stream_ == nullptr ? 0 : stream_->queued_bytes(); }

 private:
  enum class State { kHead, kBody, kAnswering, kLingering };

  void on_data(std::string_view bytes);
  void hold(std::string_view bytes);
  void on_drained();
  void on_closed(const Status& reason);
  void on_input_end();
  void on_timer();
  void on_linger_timer();
  void consume(std::string_view bytes);
  bool step_head(std::string_view& bytes);
  bool take_head(bool has_more);
  bool step_body(std::string_view& bytes);
  void dispatch();
  void refuse(int status, std::string_view message);
  void response_complete();
  void await_request();
  void next_turn();
  void linger();
  void pause_reading();
  [[nodiscard]] bool is_closed() const { return stream_ == nullptr; }
  [[nodiscard]] bool is_backed_up() const;
  [[nodiscard]] bool is_head_request() const { return current_.request.method == "HEAD"; }
  [[nodiscard]] bool is_last_request() const { return is_input_over_ && pending_.empty() && !is_consuming_; }
  [[nodiscard]] bool keeps_alive() const {
    return current_.is_keep_alive && !owner_.is_stopping() && !is_last_request();
  }

  loop::Loop& loop_;
  Owner& owner_;
  const ServerLimits& limits_;
  std::unique_ptr<loop::Stream> stream_;
  PeerInfo peer_;
  std::unique_ptr<loop::Timer> timer_;       // the deadline of the present state
  std::unique_ptr<loop::Timer> turn_timer_;  // goes on with what is pending
  State state_ = State::kHead;
  HeadReader head_;
  BodyReader body_;
  ParsedRequest current_;
  ResponderImpl* responder_ = nullptr;
  std::string pending_;  // arrived while a request was being answered, or while answers are not read
  std::size_t queued_before_ = 0;
  TimePoint stalled_at_{};
  std::size_t discarded_ = 0;
  bool is_response_started_ = false;
  Framing response_framing_;
  bool is_consuming_ = false;
  bool is_reading_paused_ = false;
  bool is_input_over_ = false;  // the client has closed its sending side
};

}  // namespace margay::http
