// Call: one request for a resource, from the moment it is understood and allowed until it is answered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "base/http/message.h"
#include "base/http/server.h"
#include "datastore/server/accept.h"
#include "datastore/server/catalog.h"
#include "datastore/server/failure.h"
#include "datastore/server/renderer.h"
#include "datastore/server/request_path.h"

namespace margay::server {

// The value of a Warning header that kubectl shows (RFC 7234 section 5.5, code 299).
std::string warning_header(std::string_view text);

// Whole answers.
http::Response json_response(int code, std::string body);
http::Response text_response(int code, std::string body);
http::Response failure_response(const Failure& failure);

struct Call {
  std::string verb;  // get, list, watch, create, update, patch, delete, deletecollection
  http::Request request;
  http::Target target;
  ResourcePath path;
  ResourcePtr resource;
  std::string user;
  Form form = Form::kObject;
  RowObject rows = RowObject::kMetadata;
  WallTime now;
  std::unique_ptr<http::Responder> responder;

  [[nodiscard]] Subject subject() const { return resource->subject(path.name); }
  [[nodiscard]] bool is_status() const { return path.subresource == "status"; }
  [[nodiscard]] std::string key() const {
    return store_key(resource->info.group, resource->info.plural, path.name_space, path.name);
  }
  [[nodiscard]] std::string prefix() const {
    return store_prefix(resource->info.group, resource->info.plural, path.name_space);
  }
  // Warnings become Warning headers.
  void send_object(int code, const std::string& stored, store::Revision revision,
                   const std::vector<std::string>& warnings = {});
  void send_json(int code, std::string body);
  void fail(const Failure& failure);
};
using CallPtr = std::unique_ptr<Call>;

}  // namespace margay::server
