#include "ctl/verbs/api.h"

#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/json/view.h"

namespace margay::verbs {
namespace {

using kube::ApiError;
using kube::ApiResult;
using kube::ObjectName;
using schema::ResourceInfo;

constexpr std::int64_t kPageSize = 500;
constexpr int kListAttempts = 3;

ApiError local_error(ErrorCode code, std::string message) {
  ApiError error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

ApiError interrupted() { return local_error(ErrorCode::kCancelled, "interrupted"); }

ApiError unreadable(const Error& error) {
  return local_error(ErrorCode::kInternal, concat("the server sent an object that cannot be read: ", error.message));
}

}  // namespace

template <class T, class Start>
ApiResult<T> Api::wait(const Start& start) {
  std::optional<ApiResult<T>> answer;
  const kube::OperationPtr operation = start([&answer](ApiResult<T> result) { answer = std::move(result); });
  if (!pump_([&answer] { return answer.has_value(); })) return interrupted();
  return *std::move(answer);
}

Api::ObjectResult Api::get(const ResourceInfo& resource, const ObjectName& name) {
  return wait<json::Value>(
      [&](kube::ObjectDone done) { return client_.get(type_of(resource), name, std::move(done)); });
}

ApiResult<kube::ListMeta> Api::list_page(const ResourceInfo& resource, std::string_view name_space,
                                         const kube::ListOptions& options, std::vector<json::Value>& items) {
  std::optional<Error> broken;
  json::Document
      parser;  // five times as fast as json::parse; where exactly a server's mistake is, nobody needs to know
  const auto on_item = [&](std::string_view text) {
    const auto object = parser.parse(text);
    if (object.ok()) {
      items.push_back(object->to_value());
    } else {
      broken = object.error();
    }
  };
  auto meta = wait<kube::ListMeta>([&](Callback<void(ApiResult<kube::ListMeta>)> done) {
    return client_.list(type_of(resource), name_space, options, {.on_item = on_item, .on_done = std::move(done)});
  });
  if (broken) return unreadable(*broken);
  return meta;
}

ApiResult<Listed> Api::list(const ResourceInfo& resource, std::string_view name_space,
                            const kube::ListOptions& options) {
  Listed listed;
  kube::ListOptions page = options;
  if (page.limit == 0) page.limit = kPageSize;
  for (int attempts = 1;;) {
    auto meta = list_page(resource, name_space, page, listed.items);
    const bool is_gone = !meta.ok() && meta.error().code == ErrorCode::kGone && !page.continue_token.empty();
    if (is_gone && attempts++ < kListAttempts) {
      listed.items.clear();
      page.continue_token.clear();
      continue;
    }
    if (!meta.ok()) return std::move(meta).error();
    listed.resource_version = meta->resource_version;
    if (meta->continue_token.empty()) return listed;
    page.continue_token = meta->continue_token;
  }
}

ApiResult<std::monostate> Api::watch(const ResourceInfo& resource, std::string_view name_space,
                                     const kube::WatchOptions& options,
                                     const std::function<bool(const kube::WatchEvent& event)>& on_event) {
  std::optional<ApiResult<std::monostate>> outcome;
  kube::WatchEvents events;
  events.on_event = [&](const kube::WatchEvent& event) {
    if (!outcome && !on_event(event)) outcome = ApiResult<std::monostate>(std::monostate{});
  };
  events.on_open = [] {};
  events.on_done = [&](ApiResult<std::monostate> result) {
    if (!outcome) outcome = std::move(result);
  };
  const kube::OperationPtr operation = client_.watch(type_of(resource), name_space, options, std::move(events));
  if (!pump_([&outcome] { return outcome.has_value(); })) return interrupted();
  return *std::move(outcome);
}

Api::ObjectResult Api::create(const ResourceInfo& resource, std::string_view name_space, const json::Value& object,
                              const kube::WriteOptions& options) {
  return wait<json::Value>([&](kube::ObjectDone done) {
    return client_.create(type_of(resource), name_space, object, options, std::move(done));
  });
}

Api::ObjectResult Api::update(const ResourceInfo& resource, const ObjectName& name, const json::Value& object,
                              const kube::WriteOptions& options) {
  return wait<json::Value>(
      [&](kube::ObjectDone done) { return client_.update(type_of(resource), name, object, options, std::move(done)); });
}

Api::ObjectResult Api::patch(const ResourceInfo& resource, const ObjectName& name, kube::PatchType type,
                             const std::string& body, const kube::WriteOptions& options) {
  return wait<json::Value>([&](kube::ObjectDone done) {
    return client_.patch(type_of(resource), name, "", type, body, options, std::move(done));
  });
}

Api::ObjectResult Api::patch_status(const ResourceInfo& resource, const ObjectName& name, kube::PatchType type,
                                    const std::string& body, const kube::WriteOptions& options) {
  return wait<json::Value>([&](kube::ObjectDone done) {
    return client_.patch(type_of(resource), name, "status", type, body, options, std::move(done));
  });
}

Api::ObjectResult Api::remove(const ResourceInfo& resource, const ObjectName& name,
                              const kube::DeleteOptions& options) {
  return wait<json::Value>(
      [&](kube::ObjectDone done) { return client_.remove(type_of(resource), name, options, std::move(done)); });
}

ApiResult<std::string> Api::get_path(std::string_view path) {
  return wait<std::string>(
      [&](Callback<void(ApiResult<std::string>)> done) { return client_.get_path(path, std::move(done)); });
}

kube::ResourceType type_of(const ResourceInfo& resource) {
  return {resource.group, resource.version, resource.plural, resource.kind, resource.is_namespaced};
}

std::string describe(const ApiError& error) {
  std::vector<std::string> causes;
  for (const ApiError::Cause& cause : error.causes) {
    causes.push_back(cause.field.empty() ? cause.message : concat(cause.field, ": ", cause.message));
  }
  // Kubernetes repeats the causes in the message; then the message says it all.
  const bool is_told = causes.empty() || error.message.find(error.causes.front().message) != std::string::npos;
  return is_told ? error.message : concat(error.message, ": ", join(causes, "; "));
}

}  // namespace margay::verbs
