#include "datastore/kube/call.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/kube/api_error.h"

namespace margay::kube {
namespace {

// Of an answer that is an error, as much is kept.
constexpr std::size_t kErrorBodyMax = 256 * 1024;

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

Call::Call(CallContext& context, CallSpec spec, std::unique_ptr<Receiver> receiver)
    : context_(&context), spec_(std::move(spec)), receiver_(std::move(receiver)) {
  timer_ = context.loop.make_timer([this] { on_timer(); });
  deadline_timer_ = context.loop.make_timer([this] { on_deadline(); });
  if (spec_.early_failure) {
    phase_ = Phase::kEarlyFailure;
    timer_->arm(Duration::zero());
    return;
  }
  if (spec_.deadline) {
    deadline_ = context.loop.now() + *spec_.deadline;
    deadline_timer_->arm(*spec_.deadline);
  }
  begin_attempt();
}

Call::~Call() = default;

void Call::detach() {
  phase_ = Phase::kOver;
  receiver_->stop();
  lease_.reset();
  timer_.reset();
  deadline_timer_.reset();
  if (handle != nullptr) *std::exchange(handle, nullptr) = nullptr;
}

void Call::begin_attempt() {
  phase_ = Phase::kQueued;
  const Duration wait = context_->bucket.reserve(context_->loop.now());
  if (wait > Duration::zero()) return timer_->arm(wait);
  send();
}

void Call::send() {
  phase_ = Phase::kSent;
  if (++attempt_ > 1) context_->metrics.on_retry();
  sent_at_ = context_->loop.now();
  head_ = {};
  error_body_.clear();
  token_ = context_->tokens.current(context_->loop.now());
  http::Request request = spec_.request;
  if (!token_.empty()) request.headers.set("Authorization", concat("Bearer ", token_));
  lease_ = context_->servers.send(std::move(request), spec_.exchange, *this);
}

void Call::on_timer() {
  switch (phase_) {
    case Phase::kEarlyFailure: return finish(api_error(*spec_.early_failure));
    case Phase::kQueued: return send();
    case Phase::kBackoff: return begin_attempt();
    case Phase::kSent:
    case Phase::kOver: return;
  }
}

void Call::on_deadline() {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*spec_.deadline).count();
  finish(api_error(Error{ErrorCode::kTimeout, concat(spec_.request.method, " ", spec_.request.target,
                                                     ": no answer within ", seconds, " s")}));
}

void Call::on_head(http::ResponseHead head) {
  head_ = std::move(head);
  context_->on_head(head_);
  if (is_success(head_.status)) receiver_->begin();
}

void Call::on_body(std::string_view bytes) {
  if (!is_success(head_.status)) {
    error_body_.append(bytes.substr(0, kErrorBodyMax - error_body_.size()));
    return;
  }
  if (auto error = receiver_->take(bytes); error && phase_ == Phase::kSent) finish(std::move(error));
}

void Call::on_done(Status outcome) {
  const bool may_have_been_sent = lease_->may_have_been_sent();
  const std::size_t server = lease_->server();
  lease_.reset();
  const std::string label = spec_.is_watch ? "WATCH" : spec_.request.method;
  context_->metrics.on_answer(label, head_.status, context_->loop.now() - sent_at_);
  if (!outcome.ok()) {
    Error error = std::move(outcome).error().within(context_->servers.url(server).to_string());
    return attempt_failed(api_error(std::move(error)), may_have_been_sent);
  }
  if (!is_success(head_.status))
    return attempt_failed(error_of_response(head_, error_body_, context_->loop.wall_now()), true);
  if (auto error = receiver_->finish()) return attempt_failed(std::move(*error), true);
  finish(std::nullopt);
}

void Call::attempt_failed(ApiError error, bool may_have_been_sent) {
  const TimePoint now = context_->loop.now();
  if (error.http_status == 401 && !std::exchange(has_refreshed_token_, true)) {
    if (context_->tokens.refresh(token_, now)) return begin_attempt();
  }
  const Attempt attempt{.number = attempt_, .is_write = spec_.is_write, .may_have_been_sent = may_have_been_sent};
  if (spec_.is_watch || !receiver_->is_untouched()) return finish(std::move(error));
  const auto delay = retry_delay(context_->retry, error, attempt, context_->random);
  const bool is_too_late = delay && spec_.deadline && now + *delay >= deadline_;
  if (!delay || is_too_late) return finish(std::move(error));
  phase_ = Phase::kBackoff;
  timer_->arm(*delay);
}

// Everything is put away before the caller is told, who may destroy the client.
void Call::finish(std::optional<ApiError> error) {
  if (phase_ == Phase::kOver) return;
  CallContext& context = *context_;
  detach();
  context.retire(*this);
  if (error) {
    receiver_->fail(std::move(*error));
  } else {
    receiver_->succeed();
  }
}

}  // namespace margay::kube
