// A client of the Kubernetes API protocol: the one way agents, controllers and netctl reach the datastore.
//
// Asynchronous, one loop. Every call returns an Operation: destroying it abandons the call and no callback runs
// afterwards; callbacks never run from inside the call. The client holds a rate limit and fails over between endpoints
// (config.h); retrying is stated at each call.
//
// Source: Kubernetes API concepts (resourceVersion, watch, bookmarks, 410), API conventions (Status, preconditions).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/core/time.h"
#include "base/json/value.h"

namespace margay::kube {

// Group, version and plural name of a resource, as in its URL.
struct ResourceType {
  std::string group;  // "" for the core group
  std::string version;
  std::string plural;
  std::string kind;
  bool is_namespaced = false;
  friend auto operator<=>(const ResourceType&, const ResourceType&) = default;
};

struct ObjectName {
  std::string name_space;  // "" for cluster-scoped objects
  std::string name;
  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

// Error with what the server's Status object says.
//   404 kNotFound · 409 AlreadyExists kAlreadyExists, else kConflict · 410 kGone · 401, 403 kPermissionDenied ·
//   400, 405, 413, 415, 422 kInvalid · 429, 5xx, no connection kUnavailable · deadline kTimeout
struct ApiError {
  struct Cause {
    std::string reason;
    std::string field;
    std::string message;
  };
  ErrorCode code = ErrorCode::kInternal;
  std::string message{};
  int http_status = 0;   // 0: no answer
  std::string reason{};  // "NotFound", "Conflict", …
  std::vector<Cause> causes{};
  std::optional<Duration> retry_after{};

  [[nodiscard]] Error to_error() const { return Error{code, message}; }
};

template <class T>
using ApiResult = Result<T, ApiError>;

struct ListOptions {
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};        // "": most recent; "0": any
  std::string resource_version_match{};  // "", "Exact", "NotOlderThan"
  std::int64_t limit = 0;
  std::string continue_token{};
};

struct ListMeta {
  std::string resource_version{};
  std::string continue_token{};
  std::optional<std::int64_t> remaining_item_count{};
};

// Items are handed over one by one while the answer is still arriving: memory stays bounded by one item.
struct ListEvents {
  Callback<void(std::string_view item_json)> on_item;
  Callback<void(ApiResult<ListMeta> outcome)> on_done;  // once, last
};

struct WatchOptions {
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};
  bool allow_bookmarks = true;
  std::optional<Duration> server_timeout{};  // timeoutSeconds: the server ends the watch by then, which is ok
};

struct WatchEvent {
  enum class Kind { kAdded, kModified, kDeleted, kBookmark };
  Kind kind;
  std::string_view object_json;  // valid during the callback
};

struct WatchEvents {
  Callback<void()> on_open;  // the server accepted the watch
  Callback<void(const WatchEvent& event)> on_event;
  // Once, last. Ok: the server ended it in order. An ERROR event comes here as its Status (410 is kGone).
  Callback<void(ApiResult<std::monostate> outcome)> on_done;
};

enum class PatchType { kMerge, kJson, kStrategicMerge, kApply };

struct WriteOptions {
  bool dry_run = false;  // dryRun=All
  std::string field_manager{};
  bool force = false;  // kApply only
};

struct DeleteOptions {
  std::string uid{};  // preconditions; "": none
  std::string resource_version{};
  std::optional<std::int64_t> grace_period_seconds{};
  std::string propagation_policy{};  // "", "Orphan", "Background", "Foreground"
  bool dry_run = false;
};

class Operation {
 public:
  virtual ~Operation() = default;
};
using OperationPtr = std::unique_ptr<Operation>;
using ObjectDone = Callback<void(ApiResult<json::Value> object)>;

class Client {
 public:
  virtual ~Client() = default;

  // Reads are sent again (bounded, with backoff and Retry-After) on 429, 5xx and lost connections.
  virtual OperationPtr get(const ResourceType& type, const ObjectName& name, ObjectDone done) = 0;
  // `name_space` "" lists all namespaces. One page; not retried once an item was handed over.
  virtual OperationPtr list(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                            ListEvents events) = 0;
  // Not retried: the reflector (datastore/watch) is the one who knows how.
  virtual OperationPtr watch(const ResourceType& type, std::string_view name_space, const WatchOptions& options,
                             WatchEvents events) = 0;

  // Writes are sent again only when the server cannot have done them (connection refused, 429). kTimeout and
  // kUnavailable otherwise mean: it may have happened; read before trying again.
  virtual OperationPtr create(const ResourceType& type, std::string_view name_space, const json::Value& object,
                              const WriteOptions& options, ObjectDone done) = 0;
  // With metadata.resourceVersion set, fails with kConflict when somebody else was first.
  virtual OperationPtr update(const ResourceType& type, const ObjectName& name, const json::Value& object,
                              const WriteOptions& options, ObjectDone done) = 0;
  virtual OperationPtr update_status(const ResourceType& type, const ObjectName& name, const json::Value& object,
                                     const WriteOptions& options, ObjectDone done) = 0;
  // `subresource`: "" or "status".
  virtual OperationPtr patch(const ResourceType& type, const ObjectName& name, std::string_view subresource,
                             PatchType patch_type, std::string body, const WriteOptions& options, ObjectDone done) = 0;
  // The object as it was, or a Status object.
  virtual OperationPtr remove(const ResourceType& type, const ObjectName& name, const DeleteOptions& options,
                              ObjectDone done) = 0;
  // GET of any path, for discovery, /version, /readyz. The body as it is.
  virtual OperationPtr get_path(std::string_view path, Callback<void(ApiResult<std::string> body)> done) = 0;
};

}  // namespace margay::kube
