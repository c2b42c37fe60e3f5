// ObservedResponder: passes a response on and tells, once, which status it has and when it is over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/http/server.h"

namespace margay::server {

class ObservedResponder final : public http::Responder {
 public:
  // `on_status` is told when the head is decided.
  ObservedResponder(std::unique_ptr<http::Responder> inner, std::function<void(int status)> on_status)
      : inner_(std::move(inner)), on_status_(std::move(on_status)) {}

  void send(http::Response response) override {
    on_status_(response.status);
    inner_->send(std::move(response));
  }
  void start(http::ResponseHead head) override {
    on_status_(head.status);
    inner_->start(std::move(head));
  }
  void write(std::string bytes) override { inner_->write(std::move(bytes)); }
  void finish() override { inner_->finish(); }
  void abort() override { inner_->abort(); }
  [[nodiscard]] bool is_open() const override { return inner_->is_open(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return inner_->queued_bytes(); }
  void on_drained(Callback<void()> task) override { inner_->on_drained(std::move(task)); }
  void on_closed(Task task) override { inner_->on_closed(std::move(task)); }
  void on_input_end(Task task) override { inner_->on_input_end(std::move(task)); }

 private:
  std::unique_ptr<http::Responder> inner_;
  std::function<void(int status)> on_status_;
};

}  // namespace margay::server
