#include "base/http/responder.h"

#include <utility>

#include "base/http/server_connection.h"

namespace margay::http {

ResponderImpl::ResponderImpl(loop::Loop& loop, ServerConnection& connection) : loop_(loop), connection_(&connection) {
  connection.attach(*this);
}

ResponderImpl::~ResponderImpl() {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->unanswered();
}

void ResponderImpl::send(Response response) {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->send(std::move(response));
}

void ResponderImpl::start(ResponseHead head) {
  if (connection_ != nullptr) connection_->start_response(head);
}

void ResponderImpl::write(std::string bytes) {
  if (connection_ != nullptr) connection_->write(std::move(bytes));
}

void ResponderImpl::finish() {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->finish();
}

void ResponderImpl::abort() {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->abort();
}

std::size_t ResponderImpl::queued_bytes() const { return connection_ == nullptr ? 0 : connection_->queued_bytes(); }

void ResponderImpl::on_closed(Task task) {
  if (!was_lost_) {
    on_closed_ = std::move(task);
    return;
  }
  late_ = loop_.make_timer(std::move(task));
  late_->arm(Duration::zero());
}

void ResponderImpl::on_input_end(Task task) {
  if (!is_input_over_) {
    on_input_end_ = std::move(task);
    return;
  }
  late_input_end_ = loop_.make_timer(std::move(task));
  late_input_end_->arm(Duration::zero());
}

void ResponderImpl::input_ended() {
  is_input_over_ = true;
  // The task may destroy this.
  if (Task task = std::move(on_input_end_)) task();
}

void ResponderImpl::connection_gone() {
  connection_ = nullptr;
  was_lost_ = true;
  // The task may destroy this.
  if (Task task = std::move(on_closed_)) task();
}

}  // namespace margay::http
