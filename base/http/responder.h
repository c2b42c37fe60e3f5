// The Responder that a handler gets. Internal to base/http.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/http/server.h"
#include "base/loop/loop.h"

namespace margay::http {

class ServerConnection;

class ResponderImpl final : public Responder {
 public:
  ResponderImpl(loop::Loop& loop, ServerConnection& connection);
  ~ResponderImpl() override;

  void send(Response response) override;
  void start(ResponseHead head) override;
  void write(std::string bytes) override;
  void finish() override;
  void abort() override;
  [[nodiscard]] bool is_open() const override { return connection_ != nullptr; }
  [[nodiscard]] std::size_t queued_bytes() const override;
  void on_drained(Callback<void()> task) override { on_drained_ = std::move(task); }
  void on_closed(Task task) override;
  void on_input_end(Task task) override;

  // The connection ended before the response was complete.
  void connection_gone();
  // The client sends nothing more.
  void input_ended();
  // The task is out while it runs, because it may destroy or replace itself; give_back() keeps a newer one.
  Callback<void()> take_on_drained() { return std::exchange(on_drained_, nullptr); }
  void give_back(Callback<void()> task) {
    if (!on_drained_) on_drained_ = std::move(task);
  }
  void detach() { connection_ = nullptr; }

 private:
  loop::Loop& loop_;
  ServerConnection* connection_;  // null when the response is complete or cannot be
  bool was_lost_ = false;
  Callback<void()> on_drained_;
  Task on_closed_;
  Task on_input_end_;
  bool is_input_over_ = false;
  std::unique_ptr<loop::Timer> late_;            // tells of a loss that came before on_closed()
  std::unique_ptr<loop::Timer> late_input_end_;  // likewise
};

}  // namespace margay::http
