// One connection of a client, and the exchange on it, if any. Internal to base/http.
//
//   idle ─begin▶ head ─(1xx)▶ head ─head complete▶ body ─complete▶ idle | retired
//
// Everything that ends inside a callback (an exchange, a connection, the client) is retired: it keeps its memory until
// the loop's next turn, and does nothing more.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/body_reader.h"
#include "base/http/client.h"
#include "base/http/head_reader.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"

namespace margay::http {

class ClientConnection;

struct ExchangeState;

// What the owner's Exchange knows: the state while the exchange is under way.
struct ExchangeLink {
  ExchangeState* state = nullptr;
  bool was_sent = false;
};

struct ExchangeState {
  Request request;
  ExchangeOptions options;
  ExchangeEvents events;
  std::unique_ptr<loop::Timer> timer;  // the head's deadline, then the silence inside the body
  std::optional<Error> early_failure;  // found in start(), told on the next turn
  ClientConnection* connection = nullptr;
  ExchangeLink* link = nullptr;  // null when the owner's Exchange is gone
  bool is_paused = false;
  bool is_over = false;  // on_done has run, or the owner has abandoned it
  bool was_sent_again = false;
};

class ClientConnection {
 public:
  // What a connection asks of the pool.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The exchange has ended with this outcome; the connection has let go of it.
    virtual void on_exchange_over(ExchangeState& exchange, Status outcome) = 0;
    // A kept-alive connection turned out closed before it answered.
    virtual void on_send_again(ExchangeState& exchange) = 0;
    virtual void on_reusable(ClientConnection& connection) = 0;
    virtual void on_unusable(ClientConnection& connection) = 0;
  };

  ClientConnection(loop::Loop& loop, Owner& owner, std::unique_ptr<loop::Stream> stream, std::size_t head_bytes_max);

  void start();
  // `head` and the request's body are written at once.
  void begin(ExchangeState& exchange, std::string head);
  // The exchange on it has been paused or resumed.
  void on_pause();
  void on_resume();
  // It waited in the pool: a request on it that gets no answer may be sent again.
  void note_kept_alive() { was_used_ = true; }
  // Closes at once and forgets the exchange.
  void retire();
  [[nodiscard]] bool is_idle() const { return exchange_ == nullptr; }

  TimePoint idle_since{};

 private:
  void on_data(std::string_view bytes);
  void on_closed(Status reason);
  void consume(std::string_view bytes);
  bool step(std::string_view& bytes);
  bool step_head(std::string_view& bytes);
  bool step_body(std::string_view& bytes);
  bool take_head();
  void drain();
  void ended(const Status& reason);
  void complete(bool is_clean);
  void fail(Error error);
  void restart_idle_timer();
  [[nodiscard]] bool is_paused() const { return exchange_ != nullptr && exchange_->is_paused; }

  loop::Loop& loop_;
  Owner& owner_;
  std::unique_ptr<loop::Stream> stream_;
  std::unique_ptr<loop::Timer> drain_timer_;
  ExchangeState* exchange_ = nullptr;
  HeadReader head_;
  BodyReader body_;
  bool is_in_body_ = false;
  bool is_keep_alive_ = true;
  bool was_used_ = false;   // an earlier exchange was completed on it
  bool is_reused_ = false;  // the present exchange is not its first
  bool is_consuming_ = false;
  int interim_responses_ = 0;
  std::string pending_;           // arrived, not yet handed over because of a pause
  std::optional<Status> closed_;  // the end, to be told after what is pending
};

}  // namespace margay::http
