#include "ctl/verbs/watch.h"

#include <map>

#include "base/core/text.h"

namespace margay::verbs {
namespace {

using command::ExitCode;

class Watcher {
 public:
  Watcher(Session& session, Api& api, const WatchRequest& request, const std::function<bool(json::Value)>& on_change)
      : session_(session), api_(api), request_(request), on_change_(on_change), version_(request.resource_version) {
    for (const json::Value& object : request.shown) remember(object);
  }

  ExitCode run() {
    while (!is_stopped_) {
      const auto outcome = watch_once();
      if (outcome.ok()) continue;
      const ErrorCode code = outcome.error().code;
      if (code == ErrorCode::kCancelled) return ExitCode::kDone;
      const bool is_lost = code == ErrorCode::kGone || (code == ErrorCode::kUnavailable && has_moved_);
      if (!is_lost) return session_.fail("watch", outcome.error());
      has_moved_ = false;  // lost twice without a change in between: give up
      const auto listed = list_again();
      if (!listed.ok())
        return listed.error().code == ErrorCode::kCancelled ? ExitCode::kDone : session_.fail("watch", listed.error());
    }
    return ExitCode::kDone;
  }

 private:
  kube::ApiResult<std::monostate> watch_once() {
    kube::WatchOptions options;
    options.label_selector = request_.options.label_selector;
    options.field_selector = request_.options.field_selector;
    options.resource_version = version_;
    return api_.watch(*request_.resource, request_.name_space, options, [this](const kube::WatchEvent& event) {
      auto object = json::parse(event.object_json);
      if (!object.ok()) return true;  // the client has told of it; the next event may be whole
      const std::string_view version = object->string_at({"metadata", "resourceVersion"});
      if (!version.empty()) version_ = version;
      has_moved_ = true;
      if (event.kind != kube::WatchEvent::Kind::kBookmark) show(*std::move(object));
      return !is_stopped_;
    });
  }

  kube::ApiResult<std::monostate> list_again() {
    auto listed = api_.list(*request_.resource, request_.name_space, request_.options);
    if (!listed.ok()) return std::move(listed).error();
    version_ = listed->resource_version;
    for (json::Value& object : listed->items) {
      if (is_stopped_) break;
      const auto known = seen_.find(key(object));
      const bool is_known = known != seen_.end() && known->second == object.string_at({"metadata", "resourceVersion"});
      if (!is_known) show(std::move(object));
    }
    return std::monostate{};
  }

  void show(json::Value object) {
    remember(object);
    is_stopped_ = !on_change_(std::move(object));
  }

  void remember(const json::Value& object) {
    seen_[key(object)] = std::string(object.string_at({"metadata", "resourceVersion"}));
  }

  static std::string key(const json::Value& object) {
    return concat(object.string_at({"metadata", "namespace"}), '/', object.string_at({"metadata", "name"}));
  }

  Session& session_;
  Api& api_;
  const WatchRequest& request_;
  const std::function<bool(json::Value)>& on_change_;
  std::string version_;
  std::map<std::string, std::string> seen_;  // resourceVersion by namespace and name
  bool is_stopped_ = false;
  bool has_moved_ = true;
};

}  // namespace

ExitCode watch_changes(Session& session, Api& api, const WatchRequest& request,
                       const std::function<bool(json::Value object)>& on_change) {
  return Watcher(session, api, request, on_change).run();
}

}  // namespace margay::verbs
