// Error: what went wrong, as a value. The code decides what the caller does next; the message is for people and names
// what was found, where, and what would be right.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace margay {

enum class ErrorCode {
  kInvalid,           // the input can never succeed as it is
  kNotFound,          // the thing named does not exist
  kAlreadyExists,     // the thing to be created is there
  kConflict,          // somebody else changed it first: read again, then retry
  kGone,              // the version asked for is no longer kept (HTTP 410): list again
  kPermissionDenied,  // we may not (HTTP 401, 403, EPERM)
  kUnavailable,       // the other side is away or busy: retry with backoff
  kTimeout,           // no answer in time; the operation may have happened
  kLimitExceeded,     // a limit of ours was reached; the message says which
  kUnsupported,       // the other side, or this kernel, cannot do it
  kCancelled,         // we gave up on it ourselves
  kInternal,          // anything else
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with its place put before it: "loading pool a: <message>".
  [[nodiscard]] Error within(std::string_view place) const {
    return Error{code, std::string(place).append(": ").append(message)};
  }

  friend bool operator==(const Error&, const Error&) = default;
};

inline Error invalid(std::string message) { return Error{ErrorCode::kInvalid, std::move(message)}; }

}  // namespace margay
