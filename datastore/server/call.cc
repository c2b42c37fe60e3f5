#include "datastore/server/call.h"

#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::size_t kWarningsMax = 20;

void add_warnings(http::Headers& headers, const std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i < warnings.size() && i < kWarningsMax; ++i)
    headers.add("Warning", warning_header(warnings[i]));
}

}  // namespace

std::string warning_header(std::string_view text) { return concat("299 - ", quoted(text)); }

http::Response json_response(int code, std::string body) {
  http::Response response{code, {}, std::move(body)};
  response.headers.add("Cache-Control", "no-cache, private");
  response.headers.add("Content-Type", "application/json");
  if (!response.body.ends_with('\n')) response.body.push_back('\n');
  return response;
}

http::Response text_response(int code, std::string body) {
  http::Response response{code, {}, std::move(body)};
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  return response;
}

http::Response failure_response(const Failure& failure) {
  http::Response response = json_response(failure.code, json::dump(failure.to_value()));
  if (failure.retry_after_seconds) response.headers.add("Retry-After", concat(*failure.retry_after_seconds));
  return response;
}

void Call::send_object(int code, const std::string& stored, store::Revision revision,
                       const std::vector<std::string>& warnings) {
  std::string body;
  Renderer(resource, form, rows).append_object(body, stored, revision, now);
  http::Response response = json_response(code, std::move(body));
  add_warnings(response.headers, warnings);
  responder->send(std::move(response));
}

void Call::send_json(int code, std::string body) { responder->send(json_response(code, std::move(body))); }

void Call::fail(const Failure& failure) { responder->send(failure_response(failure)); }

}  // namespace margay::server
