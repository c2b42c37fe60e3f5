// FaultyResponder: closes the connection after so many bytes of a response's body, or after so much time (faults.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/core/time.h"
#include "base/http/server.h"
#include "base/loop/loop.h"

namespace margay::server {

class FaultyResponder final : public http::Responder {
 public:
  struct Limits {
    std::optional<std::size_t> bytes;
    std::optional<Duration> time;
  };
  FaultyResponder(loop::Loop& loop, std::unique_ptr<http::Responder> inner, const Limits& limits);

  void send(http::Response response) override;
  void start(http::ResponseHead head) override;
  void write(std::string bytes) override;
  void finish() override;
  void abort() override;
  [[nodiscard]] bool is_open() const override { return inner_ != nullptr && inner_->is_open(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return inner_ == nullptr ? 0 : inner_->queued_bytes(); }
  void on_drained(Callback<void()> task) override;
  void on_closed(Task task) override { on_closed_ = std::move(task); }
  void on_input_end(Task task) override {
    if (inner_ != nullptr) inner_->on_input_end(std::move(task));
  }

 private:
  void cut();
  void lost();

  std::unique_ptr<http::Responder> inner_;  // null once it is cut
  std::optional<std::size_t> left_;
  Task on_closed_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::server
