#include "datastore/kube/api_error.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/http/http_date.h"

namespace margay::kube {
namespace {

constexpr std::size_t kPageShownMax = 200;
// A server that asks for more than this is not obeyed to the letter: the caller's own backoff goes on.
constexpr std::int64_t kRetryAfterMaxSeconds = 300;
constexpr std::size_t kCausesMax = 1000;

ErrorCode code_of(int status, std::string_view reason) {
  switch (status) {
    case 401:
    case 403: return ErrorCode::kPermissionDenied;
    case 404: return ErrorCode::kNotFound;
    case 408: return ErrorCode::kTimeout;
    case 409: return reason == "AlreadyExists" ? ErrorCode::kAlreadyExists : ErrorCode::kConflict;
    case 410: return ErrorCode::kGone;
    case 429: return ErrorCode::kUnavailable;
    default: break;
  }
  if (status >= 500) return ErrorCode::kUnavailable;
  if (status >= 400) return ErrorCode::kInvalid;
  return ErrorCode::kInternal;
}

std::optional<Duration> bounded_seconds(std::int64_t seconds) {
  if (seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kRetryAfterMaxSeconds));
}

void read_details(const json::Value& details, ApiError& error) {
  if (const json::Value* seconds = details.find("retryAfterSeconds")) {
    if (seconds->as_integer() != nullptr && *seconds->as_integer() > 0) {
      error.retry_after = bounded_seconds(*seconds->as_integer());
    }
  }
  const json::Value* causes = details.find("causes");
  if (causes == nullptr || causes->as_array() == nullptr) return;
  for (const json::Value& cause : *causes->as_array()) {
    if (error.causes.size() == kCausesMax) return;
    error.causes.push_back({.reason = std::string(cause.string_at({"reason"})),
                            .field = std::string(cause.string_at({"field"})),
                            .message = std::string(cause.string_at({"message"}))});
  }
}

void read_status(const json::Value& status, ApiError& error) {
  error.reason = status.string_at({"reason"});
  error.message = status.string_at({"message"});
  if (const json::Value* details = status.find("details")) read_details(*details, error);
}

std::string first_line(std::string_view page) {
  const std::string_view shown = trim(page).substr(0, kPageShownMax);
  return std::string(trim(shown.substr(0, shown.find('\n'))));
}

std::string default_message(int status, std::string_view detail) {
  std::string message = concat("the server answered ", status, " ", http::reason_phrase(status));
  return detail.empty() ? message : concat(message, ": ", detail);
}

}  // namespace

ApiError api_error(Error error) {
  return ApiError{
      .code = error.code, .message = std::move(error.message), .reason = {}, .causes = {}, .retry_after = {}};
}

ApiError error_of_response(const http::ResponseHead& head, std::string_view body, WallTime now) {
  ApiError error;
  error.http_status = head.status;
  const auto status = json::parse(body);
  const bool is_status = status.ok() && status->string_at({"kind"}) == "Status";
  if (is_status) read_status(*status, error);
  error.code = code_of(head.status, error.reason);
  if (error.message.empty()) error.message = default_message(head.status, is_status ? "" : first_line(body));
  if (const auto wait = retry_after(head.headers, now)) error.retry_after = wait;
  return error;
}

ApiError error_of_status(const json::Value& status) {
  ApiError error;
  read_status(status, error);
  if (const json::Value* code = status.find("code"); code != nullptr && code->as_integer() != nullptr) {
    error.http_status = static_cast<int>(std::clamp<std::int64_t>(*code->as_integer(), 0, 999));
  }
  // Some servers send the reason alone.
  if (error.http_status == 0 && (error.reason == "Expired" || error.reason == "Gone")) error.http_status = 410;
  // 0 would say that there was no answer.
  if (error.http_status == 0) error.http_status = 500;
  error.code = code_of(error.http_status, error.reason);
  if (error.message.empty()) error.message = default_message(error.http_status, error.reason);
  return error;
}

std::optional<Duration> retry_after(const http::Headers& headers, WallTime now) {
  const std::string_view text = trim(headers.get("Retry-After"));
  if (const auto seconds = parse_number<std::int64_t>(text)) return bounded_seconds(*seconds);
  const auto date = http::parse_http_date(text, now);
  if (!date.ok()) return std::nullopt;
  return std::clamp<Duration>(*date - now, Duration::zero(), std::chrono::seconds(kRetryAfterMaxSeconds));
}

}  // namespace margay::kube
