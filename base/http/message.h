// HTTP/1.1 messages as values (RFC 9110, RFC 9112).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace margay::http {

// In order of arrival; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  // The first field of that name; empty if there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  // origin form: path and query, percent-encoded
  Headers headers;
  std::string body;
};

struct ResponseHead {
  int status = 0;
  Headers headers;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// Path and query of a request target, decoded.
struct Target {
  std::string path;                                        // "/api/v1/namespaces/default/pods"
  std::vector<std::pair<std::string, std::string>> query;  // in order, decoded
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};
Result<Target> parse_target(std::string_view target);
std::string percent_encode(std::string_view text);  // everything but unreserved characters (RFC 3986 section 2.3)
Result<std::string> percent_decode(std::string_view text);
std::string_view reason_phrase(int status);

}  // namespace margay::http
