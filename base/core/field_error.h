// FieldError: one thing wrong with an object a user wrote, at its place. Validation collects all of them; nothing stops
// at the first.
#pragma once

#include <cstddef>
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

// How every path is written: "spec" and "cidr" make "spec.cidr"; a name that is no plain word stands in brackets, as in
// "metadata.labels[example.com/role]"; an element is "spec.nets[2]".
void append_member_path(std::string& path, std::string_view name);
void append_element_path(std::string& path, std::size_t index);

}  // namespace margay
