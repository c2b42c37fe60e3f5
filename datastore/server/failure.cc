#include "datastore/server/failure.h"

#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

Failure make(int code, std::string reason, std::string message) {
  Failure failure;
  failure.code = code;
  failure.reason = std::move(reason);
  failure.message = std::move(message);
  return failure;
}

Failure about(const Subject& subject, Failure failure) {
  failure.name = subject.name;
  failure.group = subject.group;
  failure.kind = subject.plural;
  return failure;
}

json::Value cause_value(const Failure::Cause& cause) {
  json::Object out;
  if (!cause.reason.empty()) out.append_new("reason", cause.reason);
  if (!cause.message.empty()) out.append_new("message", cause.message);
  if (!cause.field.empty()) out.append_new("field", cause.field);
  return out;
}

json::Object details_of(const Failure& failure) {
  json::Object details;
  if (!failure.name.empty()) details.append_new("name", failure.name);
  if (!failure.group.empty()) details.append_new("group", failure.group);
  if (!failure.kind.empty()) details.append_new("kind", failure.kind);
  if (!failure.uid.empty()) details.append_new("uid", failure.uid);
  if (!failure.causes.empty()) {
    json::Array causes;
    for (const Failure::Cause& cause : failure.causes) causes.push_back(cause_value(cause));
    details.append_new("causes", std::move(causes));
  }
  if (failure.retry_after_seconds) details.append_new("retryAfterSeconds", *failure.retry_after_seconds);
  return details;
}

}  // namespace

json::Value Failure::to_value() const {
  json::Object metadata;
  if (!continue_token.empty()) metadata.append_new("continue", continue_token);
  json::Object out{{"kind", "Status"}, {"apiVersion", "v1"}};
  out.append_new("metadata", std::move(metadata));
  out.append_new("status", "Failure");
  out.append_new("message", message);
  out.append_new("reason", reason);
  if (json::Object details = details_of(*this); !details.empty()) out.append_new("details", std::move(details));
  out.append_new("code", code);
  return out;
}

Failure bad_request(std::string message) { return make(400, "BadRequest", std::move(message)); }

Failure unauthorized() { return make(401, "Unauthorized", "Unauthorized"); }

Failure forbidden(const Subject& subject, std::string_view user, std::string_view verb, std::string_view name_space) {
  const std::string where =
      name_space.empty() ? std::string(" at the cluster scope") : concat(" in the namespace ", quoted(name_space));
  return forbidden_because(subject, concat("User ", quoted(user), " cannot ", verb, " resource ",
                                           quoted(subject.plural), " in API group ", quoted(subject.group), where));
}

Failure forbidden_because(const Subject& subject, std::string_view why) {
  const std::string what =
      subject.name.empty() ? subject.qualified_plural() : concat(subject.qualified_plural(), " ", quoted(subject.name));
  return about(subject, make(403, "Forbidden", concat(what, " is forbidden: ", why)));
}

Failure no_such_path() { return make(404, "NotFound", "the server could not find the requested resource"); }

Failure not_found(const Subject& subject) {
  return about(subject,
               make(404, "NotFound", concat(subject.qualified_plural(), " ", quoted(subject.name), " not found")));
}

Failure method_not_allowed() {
  return make(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

Failure not_acceptable(std::string_view accepted) {
  return make(406, "NotAcceptable", concat("only the following media types are accepted: ", accepted));
}

Failure unsupported_media_type(std::string_view found, std::string_view accepted) {
  return make(415, "UnsupportedMediaType",
              concat("the body of the request was in an unknown format (", found,
                     ") - accepted media types include: ", accepted));
}

Failure already_exists(const Subject& subject) {
  return about(subject, make(409, "AlreadyExists",
                             concat(subject.qualified_plural(), " ", quoted(subject.name), " already exists")));
}

Failure conflict(const Subject& subject, std::string_view why) {
  return about(subject, make(409, "Conflict",
                             concat("Operation cannot be fulfilled on ", subject.qualified_plural(), " ",
                                    quoted(subject.name), ": ", why)));
}

Failure modified(const Subject& subject) {
  return conflict(subject,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

Failure expired(std::string message) { return make(410, "Expired", std::move(message)); }

Failure invalid_object(const Subject& subject, const FieldErrors& errors) {
  std::vector<std::string> messages;
  Failure failure;
  for (const FieldError& error : errors) {
    messages.push_back(error.path.empty() ? error.message : concat(error.path, ": ", error.message));
    failure.causes.push_back({std::string(cause_reason(error.kind)), error.message, error.path});
  }
  const std::string list = messages.size() == 1 ? messages.front() : concat("[", join(messages, ", "), "]");
  failure.code = 422;
  failure.reason = "Invalid";
  failure.message = concat(subject.qualified_kind(), " ", quoted(subject.name), " is invalid: ", list);
  failure.name = subject.name;
  failure.group = subject.group;
  failure.kind = subject.kind;
  return failure;
}

Failure version_too_large(std::uint64_t asked, std::uint64_t current) {
  Failure failure = make(504, "Timeout", concat("Too large resource version: ", asked, ", current: ", current));
  failure.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  failure.retry_after_seconds = 1;
  return failure;
}

Failure too_many_requests(int retry_after_seconds) {
  Failure failure = make(429, "TooManyRequests", "too many requests, please try again later");
  failure.retry_after_seconds = retry_after_seconds;
  return failure;
}

Failure internal(std::string message) { return make(500, "InternalError", std::move(message)); }

Failure from_store(const Error& error, const Subject& subject) {
  switch (error.code) {
    case ErrorCode::kNotFound: return not_found(subject);
    case ErrorCode::kAlreadyExists: return already_exists(subject);
    case ErrorCode::kConflict: return modified(subject);
    case ErrorCode::kGone:
      return expired(concat("The resourceVersion for the provided list is too old: ", error.message));
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout: {
      Failure failure = make(503, "ServiceUnavailable", concat("the store cannot be reached: ", error.message));
      failure.retry_after_seconds = 1;
      return failure;
    }
    case ErrorCode::kLimitExceeded: return make(413, "RequestEntityTooLarge", error.message);
    case ErrorCode::kInvalid:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnsupported:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal: break;
  }
  return internal(concat("the store failed: ", error.message));
}

}  // namespace margay::server
