// ObservedResponder: passes a response on, with a warning if there is one, and tells, once, which status it has and
// when it is over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/http/server.h"
#include "datastore/server/call.h"

namespace margay::server {

class ObservedResponder final : public http::Responder {
 public:
  // `on_status` is told when the head is decided. `warning`: for the client; "": none.
  ObservedResponder(std::unique_ptr<http::Responder> inner, std::function<void(int status)> on_status,
                    std::string warning)
      : inner_(std::move(inner)), on_status_(std::move(on_status)), warning_(std::move(warning)) {}

  void send(http::Response response) override {
    on_status_(response.status);
    add_warning(response.headers);
    inner_->send(std::move(response));
  }
  void start(http::ResponseHead head) override {
    on_status_(head.status);
    add_warning(head.headers);
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
  void add_warning(http::Headers& headers) const {
    if (!warning_.empty()) headers.add("Warning", warning_header(warning_));
  }

  std::unique_ptr<http::Responder> inner_;
  std::function<void(int status)> on_status_;
  std::string warning_;
};

}  // namespace margay::server
