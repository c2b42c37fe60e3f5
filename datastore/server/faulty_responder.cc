#include "datastore/server/faulty_responder.h"

#include <algorithm>
#include <utility>

namespace margay::server {

FaultyResponder::FaultyResponder(loop::Loop& loop, std::unique_ptr<http::Responder> inner, const Limits& limits)
    : inner_(std::move(inner)), left_(limits.bytes), timer_(loop.make_timer([this] {
        abort();
        lost();
      })) {
  inner_->on_closed([this] { lost(); });
  if (limits.time) timer_->arm(*limits.time);
}

void FaultyResponder::send(http::Response response) {
  if (inner_ == nullptr) return;
  if (!left_) return std::exchange(inner_, nullptr)->send(std::move(response));
  start({response.status, std::move(response.headers)});
  write(std::move(response.body));
  finish();
}

void FaultyResponder::start(http::ResponseHead head) {
  if (inner_ != nullptr) inner_->start(std::move(head));
}

void FaultyResponder::write(std::string bytes) {
  if (inner_ == nullptr) return;
  if (!left_) return inner_->write(std::move(bytes));
  const bool is_enough = bytes.size() >= *left_;
  bytes.resize(std::min(bytes.size(), *left_));
  *left_ -= bytes.size();
  inner_->write(std::move(bytes));
  if (is_enough) cut();
}

void FaultyResponder::finish() {
  if (inner_ == nullptr) return;
  if (left_) return cut();
  std::exchange(inner_, nullptr)->finish();
}

void FaultyResponder::abort() {
  if (inner_ != nullptr) std::exchange(inner_, nullptr)->abort();
}

void FaultyResponder::on_drained(Callback<void()> task) {
  if (inner_ != nullptr) inner_->on_drained(std::move(task));
}

// What was written arrives first, also when nobody holds this any more.
void FaultyResponder::cut() {
  struct Held {
    std::unique_ptr<http::Responder> responder;
  };
  if (inner_->queued_bytes() == 0) return abort();
  auto held = std::make_shared<Held>(Held{std::exchange(inner_, nullptr)});
  http::Responder& responder = *held->responder;
  responder.on_closed([held] { held->responder.reset(); });
  responder.on_drained([held] {
    if (const auto last = std::move(held->responder)) last->abort();
  });
}

void FaultyResponder::lost() {
  if (Task task = std::exchange(on_closed_, {})) task();
}

}  // namespace margay::server
