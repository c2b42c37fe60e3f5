#include "datastore/kube/path.h"

#include <chrono>
#include <utility>

#include "base/core/text.h"
#include "base/http/message.h"

namespace margay::kube {
namespace {

// Names that a path segment cannot hold (apimachinery's IsValidPathSegmentName).
Status check_segment(std::string_view what, std::string_view name) {
  if (name.empty()) return invalid(concat("the ", what, " is empty"));
  if (name == "." || name == ".." || name.find_first_of("/%") != std::string_view::npos) {
    return invalid(concat("the ", what, " ", quoted(name), " must not be \".\" or \"..\" or contain '/' or '%'"));
  }
  return ok_status();
}

}  // namespace

std::string collection_path(const ResourceType& type, std::string_view name_space) {
  std::string path =
      type.group.empty() ? concat("/api/", type.version) : concat("/apis/", type.group, "/", type.version);
  if (!name_space.empty()) path += concat("/namespaces/", http::percent_encode(name_space));
  return concat(path, "/", type.plural);
}

Result<std::string> object_path(const ResourceType& type, const ObjectName& name, std::string_view subresource) {
  MARGAY_RETURN_IF_ERROR(check_segment("name", name.name));
  if (type.is_namespaced) {
    MARGAY_RETURN_IF_ERROR(check_segment("namespace", name.name_space));
  } else if (!name.name_space.empty()) {
    return invalid(
        concat(type.kind, " ", quoted(name.name), " has no namespace, but ", quoted(name.name_space), " is asked for"));
  }
  std::string path = concat(collection_path(type, name.name_space), "/", http::percent_encode(name.name));
  return subresource.empty() ? path : concat(path, "/", subresource);
}

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  target_ += concat(std::exchange(separator_, '&'), name, "=", http::percent_encode(value));
  return *this;
}

Query& Query::add(std::string_view name, std::int64_t value) {
  return value == 0 ? *this : add(name, std::string_view(concat(value)));
}

std::string list_target(const ResourceType& type, std::string_view name_space, const ListOptions& options) {
  return Query(collection_path(type, name_space))
      .add("labelSelector", options.label_selector)
      .add("fieldSelector", options.field_selector)
      .add("resourceVersion", options.resource_version)
      .add("resourceVersionMatch", options.resource_version_match)
      .add("limit", options.limit)
      .add("continue", options.continue_token)
      .target();
}

std::string watch_target(const ResourceType& type, std::string_view name_space, const WatchOptions& options) {
  Query query(collection_path(type, name_space));
  query.add("watch", "true")
      .add("labelSelector", options.label_selector)
      .add("fieldSelector", options.field_selector)
      .add("resourceVersion", options.resource_version)
      .add("allowWatchBookmarks", options.allow_bookmarks ? "true" : "");
  if (options.server_timeout) {
    query.add("timeoutSeconds", std::chrono::ceil<std::chrono::seconds>(*options.server_timeout).count());
  }
  return query.target();
}

std::string write_target(std::string path, const WriteOptions& options) {
  return Query(std::move(path))
      .add("dryRun", options.dry_run ? "All" : "")
      .add("fieldManager", options.field_manager)
      .add("force", options.force ? "true" : "")
      .target();
}

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::kMerge: return "application/merge-patch+json";
    case PatchType::kJson: return "application/json-patch+json";
    case PatchType::kStrategicMerge: return "application/strategic-merge-patch+json";
    case PatchType::kApply: return "application/apply-patch+yaml";
  }
  return {};
}

std::string delete_body(const DeleteOptions& options) {
  json::Object body;
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resource_version.empty()) body["preconditions"]["resourceVersion"] = options.resource_version;
  if (options.grace_period_seconds) body["gracePeriodSeconds"] = *options.grace_period_seconds;
  if (!options.propagation_policy.empty()) body["propagationPolicy"] = options.propagation_policy;
  if (options.dry_run) body["dryRun"] = json::Array{"All"};
  if (body.empty()) return {};
  json::Object whole{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  for (auto& [name, value] : body) whole.append_new(name, std::move(value));
  return json::dump(whole);
}

}  // namespace margay::kube
