// FieldError: one thing wrong with an object a user wrote, at its place. Validation collects all of them; nothing stops
// at the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace margay {

struct FieldError {
  // The reasons of Kubernetes' StatusCause, as its API conventions name them.
  enum class Kind {
    kRequired,
    kInvalid,
    kNotSupported,
    kDuplicate,
    kForbidden,
    kTooLong,
    kTooMany,
    kTypeInvalid,
    kUnknown
  };
  Kind kind = Kind::kInvalid;
  std::string path;     // "spec.ingress[0].source.nets[2]"; "" is the object
  std::string message;  // what was found and what is allowed: "\"Alow\" is not one of Allow, Deny, Log, Pass"

  friend bool operator==(const FieldError&, const FieldError&) = default;
};

using FieldErrors = std::vector<FieldError>;

// "FieldValueRequired", "FieldValueInvalid", …
std::string_view cause_reason(FieldError::Kind kind);

// "spec.cidr: message; spec.blockSize: message"
std::string to_string(const FieldErrors& errors);

}  // namespace margay
