#include "datastore/server/fault_injection.h"

#include <utility>

#include "datastore/server/call.h"
#include "datastore/server/faulty_responder.h"

namespace margay::server {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 409: return "Conflict";
    case 410: return "Expired";
    case 429: return "TooManyRequests";
    case 503: return "ServiceUnavailable";
    default: return "InternalError";
  }
}

Failure injected(const FaultRule& rule) {
  Failure failure = internal("injected fault");
  failure.code = rule.status;
  failure.reason = reason_of(rule.status);
  failure.retry_after_seconds = rule.retry_after_seconds;
  return failure;
}

}  // namespace

FaultInjection::FaultInjection(loop::Loop& loop, Random& random, Task drop_watches)
    : loop_(loop), random_(random), drop_watches_(std::move(drop_watches)) {}

std::optional<http::Response> FaultInjection::administer(const http::Request& request, std::string_view path) {
  if (path == "/debug/faults/drop-watches" && request.method == "POST") {
    drop_watches_();
    return text_response(200, "ok");
  }
  if (path != "/debug/faults") return std::nullopt;
  if (request.method == "PUT" || request.method == "POST") {
    const auto document = json::parse(request.body);
    const Status set = document ? faults_.set(document.value()) : Status(document.error());
    if (!set.ok()) return failure_response(bad_request(set.error().message));
  }
  return json_response(200, json::dump(faults_.to_value()));
}

void FaultInjection::delay(Duration by, Task task) {
  const std::uint64_t id = next_id_++;
  auto timer = loop_.make_timer([this, id, task = std::move(task)]() mutable {
    const auto keep = std::move(delayed_.at(id));  // until the task has run
    delayed_.erase(id);
    task();
  });
  timer->arm(by);
  delayed_.emplace(id, std::move(timer));
}

void FaultInjection::run(const FaultTarget& target, std::unique_ptr<http::Responder> responder,
                         std::function<void(std::unique_ptr<http::Responder>)> serve) {
  const auto rule = faults_.next(target, random_);
  if (!rule) return serve(std::move(responder));
  switch (rule->action) {
    case FaultRule::Action::kDrop: return responder->abort();
    case FaultRule::Action::kStatus: return responder->send(failure_response(injected(*rule)));
    case FaultRule::Action::kDelay:
      return delay(rule->delay, [serve = std::move(serve), responder = std::move(responder)]() mutable {
        serve(std::move(responder));
      });
    case FaultRule::Action::kTruncate:
      return serve(
          std::make_unique<FaultyResponder>(loop_, std::move(responder), FaultyResponder::Limits{rule->bytes, {}}));
    case FaultRule::Action::kDropWatch:
      return serve(
          std::make_unique<FaultyResponder>(loop_, std::move(responder), FaultyResponder::Limits{{}, rule->delay}));
  }
}

}  // namespace margay::server
