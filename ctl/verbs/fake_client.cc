#include "ctl/verbs/fake_client.h"

#include "base/core/string_map.h"
#include "datastore/patch/json_patch.h"
#include "datastore/patch/merge_patch.h"

namespace margay::verbs {
namespace {

using json::Value;
using kube::ApiError;
using kube::ApiResult;

ApiError not_found(const kube::ResourceType& type, const std::string& name) {
  return FakeClient::error(ErrorCode::kNotFound, 404, concat(type.plural, " ", quoted(name), " not found"));
}

bool matches(const Value& object, const std::string& selector) {
  const auto parsed = selector::LabelSelector::parse(selector);
  if (!parsed.ok()) return false;
  StringMap labels;
  const Value* given = object.find({"metadata", "labels"});
  if (given != nullptr && given->as_object() != nullptr) {
    for (const json::Member& member : *given->as_object()) labels.set(member.name, *member.value.as_string());
  }
  return parsed->matches(labels);
}

std::string_view patch_word(kube::PatchType type) {
  switch (type) {
    case kube::PatchType::kMerge: return "merge";
    case kube::PatchType::kJson: return "json";
    case kube::PatchType::kStrategicMerge: return "strategic";
    case kube::PatchType::kApply: return "apply";
  }
  return "";
}

kube::WatchEvent::Kind kind_of(std::string_view word) {
  if (word == "ADDED") return kube::WatchEvent::Kind::kAdded;
  if (word == "MODIFIED") return kube::WatchEvent::Kind::kModified;
  return word == "DELETED" ? kube::WatchEvent::Kind::kDeleted : kube::WatchEvent::Kind::kBookmark;
}

}  // namespace

void FakeClient::store(const std::string& plural, Value object) {
  Value& metadata = object["metadata"];
  if (metadata.find("uid") == nullptr) {
    metadata["uid"] = concat("uid-", metadata.string_at({"name"}));
    metadata["creationTimestamp"] = "2026-08-22T09:00:00Z";
  }
  touch(object);
  const Key key{plural, std::string(metadata.string_at({"namespace"})), std::string(metadata.string_at({"name"}))};
  objects_[key] = std::move(object);
}

std::optional<ApiError> FakeClient::failure(std::string_view verb) {
  for (Failure& failure : failures) {
    if (failure.verb != verb || failure.times == 0) continue;
    --failure.times;
    return failure.error;
  }
  return std::nullopt;
}

void FakeClient::note(std::string_view verb, const kube::ResourceType& type, const kube::ObjectName& name,
                      bool is_dry) {
  calls.push_back(concat(verb, ' ', type.plural, name.name.empty() && name.name_space.empty() ? "" : " ",
                         name.name_space, name.name_space.empty() ? "" : "/", name.name, is_dry ? " (dry run)" : ""));
}

kube::OperationPtr FakeClient::answer(kube::ObjectDone done, ApiResult<Value> result) {
  queue_.emplace_back([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  return std::make_unique<kube::Operation>();
}

kube::OperationPtr FakeClient::get(const kube::ResourceType& type, const kube::ObjectName& name,
                                   kube::ObjectDone done) {
  note("get", type, name, false);
  if (auto error = failure("get")) return answer(std::move(done), *error);
  const Value* object = stored(type.plural, name.name_space, name.name);
  if (object == nullptr) return answer(std::move(done), not_found(type, name.name));
  return answer(std::move(done), *object);
}

kube::OperationPtr FakeClient::list(const kube::ResourceType& type, std::string_view name_space,
                                    const kube::ListOptions& options, kube::ListEvents events) {
  note("list", type, {std::string(name_space), ""}, false);
  std::optional<ApiError> error = failure("list");
  std::vector<std::string> items;
  const std::size_t first = parse_number<std::size_t>(options.continue_token).value_or(0);
  std::size_t seen = 0;
  kube::ListMeta meta;
  meta.resource_version = std::to_string(version_);
  for (const auto& [key, object] : objects_) {
    const bool is_here = std::get<0>(key) == type.plural && (name_space.empty() || std::get<1>(key) == name_space);
    if (!is_here || !matches(object, options.label_selector) || seen++ < first) continue;
    if (options.limit > 0 && items.size() == static_cast<std::size_t>(options.limit)) {
      meta.continue_token = std::to_string(first + items.size());
      break;
    }
    items.push_back(json::dump(object));
  }
  queue_.emplace_back([events = std::move(events), items = std::move(items), meta, error]() mutable {
    if (error) return events.on_done(*error);
    for (const std::string& item : items) events.on_item(item);
    events.on_done(meta);
  });
  return std::make_unique<kube::Operation>();
}

kube::OperationPtr FakeClient::watch(const kube::ResourceType& type, std::string_view name_space,
                                     const kube::WatchOptions& options, kube::WatchEvents events) {
  note(concat("watch from ", options.resource_version), type, {std::string(name_space), ""}, false);
  const auto shared = std::make_shared<kube::WatchEvents>(std::move(events));
  for (const std::string& change : std::exchange(changes, {})) {
    queue_.emplace_back([shared, change] {
      const auto parts = split_once(change, ' ');
      shared->on_event({kind_of(parts->first), parts->second});
    });
  }
  if (const auto end = std::exchange(watch_end, std::nullopt)) {
    queue_.emplace_back([shared, end] { shared->on_done(*end); });
  } else if (!watch_stays_open) {
    watch_stays_open = true;
    queue_.emplace_back([shared] { shared->on_done(std::monostate{}); });
  }
  return std::make_unique<kube::Operation>();
}

kube::OperationPtr FakeClient::create(const kube::ResourceType& type, std::string_view name_space, const Value& object,
                                      const kube::WriteOptions& options, kube::ObjectDone done) {
  const kube::ObjectName name{std::string(name_space), std::string(object.string_at({"metadata", "name"}))};
  note("create", type, name, options.dry_run);
  bodies.push_back(json::dump(object));
  if (auto error = failure("create")) return answer(std::move(done), *error);
  if (stored(type.plural, name.name_space, name.name) != nullptr) {
    return answer(std::move(done), error(ErrorCode::kAlreadyExists, 409,
                                         concat(type.plural, " ", quoted(name.name), " already exists")));
  }
  if (options.dry_run) return answer(std::move(done), object);
  store(type.plural, object);
  return answer(std::move(done), *stored(type.plural, name.name_space, name.name));
}

kube::OperationPtr FakeClient::update(const kube::ResourceType& type, const kube::ObjectName& name, const Value& object,
                                      const kube::WriteOptions& options, kube::ObjectDone done) {
  note("update", type, name, options.dry_run);
  bodies.push_back(json::dump(object));
  if (before_update) before_update();
  if (auto error = failure("update")) return answer(std::move(done), *error);
  const Value* live = stored(type.plural, name.name_space, name.name);
  if (live == nullptr) return answer(std::move(done), not_found(type, name.name));
  const std::string_view version = object.string_at({"metadata", "resourceVersion"});
  if (version != live->string_at({"metadata", "resourceVersion"})) {
    return answer(std::move(done), error(ErrorCode::kConflict, 409, "the object has been modified"));
  }
  if (options.dry_run) return answer(std::move(done), object);
  store(type.plural, object);
  return answer(std::move(done), *stored(type.plural, name.name_space, name.name));
}

kube::OperationPtr FakeClient::update_status(const kube::ResourceType& type, const kube::ObjectName& name,
                                             const Value& object, const kube::WriteOptions& options,
                                             kube::ObjectDone done) {
  return update(type, name, object, options, std::move(done));
}

kube::OperationPtr FakeClient::patch(const kube::ResourceType& type, const kube::ObjectName& name, std::string_view,
                                     kube::PatchType patch_type, std::string body, const kube::WriteOptions& options,
                                     kube::ObjectDone done) {
  note(concat("patch ", patch_word(patch_type)), type, name, options.dry_run);
  bodies.push_back(body);
  if (before_update) before_update();
  if (auto error = failure("patch")) return answer(std::move(done), *error);
  const Value* live = stored(type.plural, name.name_space, name.name);
  if (live == nullptr) return answer(std::move(done), not_found(type, name.name));
  const Value patch = *json::parse(body);
  const std::string_view version = patch.string_at({"metadata", "resourceVersion"});
  if (!version.empty() && version != live->string_at({"metadata", "resourceVersion"})) {
    return answer(std::move(done), error(ErrorCode::kConflict, 409, "the object has been modified"));
  }
  // Enough for a fake: all lists are atomic.
  Value next =
      patch_type == kube::PatchType::kJson ? *patch::apply_json_patch(*live, patch) : patch::merge_patch(*live, patch);
  if (!options.dry_run) store(type.plural, next);
  return answer(std::move(done), next);
}

kube::OperationPtr FakeClient::remove(const kube::ResourceType& type, const kube::ObjectName& name,
                                      const kube::DeleteOptions& options, kube::ObjectDone done) {
  note("delete", type, name, options.dry_run);
  deletions.push_back(options);
  if (auto error = failure("delete")) return answer(std::move(done), *error);
  const auto found = objects_.find({type.plural, name.name_space, name.name});
  if (found == objects_.end()) return answer(std::move(done), not_found(type, name.name));
  Value object = found->second;
  if (!options.dry_run) objects_.erase(found);
  return answer(std::move(done), std::move(object));
}

kube::OperationPtr FakeClient::get_path(std::string_view path, Callback<void(ApiResult<std::string>)> done) {
  calls.push_back(concat("get ", path));
  ApiResult<std::string> result = version_body;
  if (auto error = failure("get_path")) result = *error;
  queue_.emplace_back([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  return std::make_unique<kube::Operation>();
}

}  // namespace margay::verbs
