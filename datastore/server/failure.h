// Failure: why a request was not done, as the Status object that Kubernetes clients read.
//
// Source: Kubernetes API conventions, "Response Status Kind"; wording and codes as kube-apiserver gives them, because
// clients show the message and decide by code, reason and causes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/error.h"
#include "base/core/field_error.h"
#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::server {

struct Failure {
  struct Cause {
    std::string reason;
    std::string message;
    std::string field;
  };
  int code = 500;
  std::string reason = "InternalError";
  std::string message;
  // Status.details; absent members are left out.
  std::string name;
  std::string group;
  std::string kind;
  std::string uid;
  std::vector<Cause> causes;
  std::optional<int> retry_after_seconds;
  std::string continue_token;  // metadata.continue: how to go on after 410

  [[nodiscard]] json::Value to_value() const;
};

template <class T>
using ApiResult = Result<T, Failure>;
using ApiStatus = Result<std::monostate, Failure>;

inline ApiStatus api_ok() { return ApiStatus(std::monostate{}); }

// What the messages call the thing: "foos.example.org", or "pods" in the core group.
struct Subject {
  std::string group;
  std::string plural;
  std::string kind;
  std::string name;
  [[nodiscard]] std::string qualified_plural() const { return group.empty() ? plural : plural + "." + group; }
  [[nodiscard]] std::string qualified_kind() const { return group.empty() ? kind : kind + "." + group; }
};

Failure bad_request(std::string message);
Failure unauthorized();
Failure forbidden(const Subject& subject, std::string_view user, std::string_view verb, std::string_view name_space);
Failure forbidden_because(const Subject& subject, std::string_view why);
Failure no_such_path();
Failure not_found(const Subject& subject);
Failure method_not_allowed();
Failure not_acceptable(std::string_view accepted);
Failure unsupported_media_type(std::string_view found, std::string_view accepted);
Failure already_exists(const Subject& subject);
Failure conflict(const Subject& subject, std::string_view why);
// Somebody else was first.
Failure modified(const Subject& subject);
Failure expired(std::string message);
Failure invalid_object(const Subject& subject, const FieldErrors& errors);
Failure version_too_large(std::uint64_t asked, std::uint64_t current);
Failure too_many_requests(int retry_after_seconds);
Failure internal(std::string message);
// What the store said.
Failure from_store(const Error& error, const Subject& subject);

}  // namespace margay::server
